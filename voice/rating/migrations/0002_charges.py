import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, CreatePartitionedModel, EnableRls

TABLES = "rating_charge, rating_cost, rating_usage, rating_costusage, rating_account"
ASIDE = "outcome NOT IN ('rated', 'free')"


class Migration(migrations.Migration):
    dependencies = [
        ("rating", "0001_initial"),
        ("tenants", "0002_row_level_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        serialize=False,
                        to="tenants.customer",
                    ),
                ),
                ("currency", models.TextField()),
                (
                    "kind",
                    models.TextField(choices=[("postpaid", "Postpaid"), ("prepaid", "Prepaid")], default="postpaid"),
                ),
                ("balance_micros", models.BigIntegerField(default=0)),
                ("credit_limit_micros", models.BigIntegerField(null=True)),
                ("month", models.DateField()),
                ("spent_micros", models.BigIntegerField(default=0)),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.msp",
                    ),
                ),
            ],
        ),
        CreatePartitionedModel(
            name="Charge",
            fields=[
                ("invited", models.DateTimeField()),
                ("id", models.UUIDField()),
                ("answered", models.DateTimeField()),
                (
                    "direction",
                    models.TextField(
                        choices=[
                            ("out", "Outgoing"),
                            ("in", "Incoming"),
                            ("internal", "Internal"),
                            ("emergency", "Emergency"),
                        ]
                    ),
                ),
                ("destination", models.TextField(blank=True)),
                ("prefix", models.TextField(blank=True)),
                (
                    "outcome",
                    models.TextField(
                        choices=[
                            ("rated", "Rated"),
                            ("free", "Free of charge"),
                            ("unrated", "No rate"),
                            ("blocked", "Blocked prefix"),
                            ("no_number", "Not a number"),
                            ("no_end", "End unknown"),
                            ("no_length", "No length"),
                            ("too_long", "Longer than a day"),
                        ]
                    ),
                ),
                ("micros", models.BigIntegerField()),
                ("currency", models.TextField(blank=True)),
                ("seconds", models.PositiveIntegerField()),
                ("billed", models.PositiveIntegerField()),
                ("deck_id", models.BigIntegerField(null=True)),
                ("rate_id", models.BigIntegerField(null=True)),
                ("rated_at", models.DateTimeField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "invited", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("outcome__in", ("unrated", "blocked", "no_number", "no_end", "no_length", "too_long"))
                        ),
                        fields=["msp", "invited"],
                        name="rating_charge_aside",
                    )
                ],
            },
            partition_by="invited",
        ),
        CreatePartitionedModel(
            name="Cost",
            fields=[
                ("invited", models.DateTimeField()),
                ("id", models.UUIDField()),
                ("answered", models.DateTimeField()),
                (
                    "direction",
                    models.TextField(
                        choices=[
                            ("out", "Outgoing"),
                            ("in", "Incoming"),
                            ("internal", "Internal"),
                            ("emergency", "Emergency"),
                        ]
                    ),
                ),
                ("destination", models.TextField(blank=True)),
                ("prefix", models.TextField(blank=True)),
                (
                    "outcome",
                    models.TextField(
                        choices=[
                            ("rated", "Rated"),
                            ("free", "Free of charge"),
                            ("unrated", "No rate"),
                            ("blocked", "Blocked prefix"),
                            ("no_number", "Not a number"),
                            ("no_end", "End unknown"),
                            ("no_length", "No length"),
                            ("too_long", "Longer than a day"),
                        ]
                    ),
                ),
                ("micros", models.BigIntegerField()),
                ("currency", models.TextField(blank=True)),
                ("seconds", models.PositiveIntegerField()),
                ("billed", models.PositiveIntegerField()),
                ("deck_id", models.BigIntegerField(null=True)),
                ("rate_id", models.BigIntegerField(null=True)),
                ("rated_at", models.DateTimeField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "invited",
                        "id",
                        "trunk",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("trunk", models.BigIntegerField()),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("outcome__in", ("unrated", "blocked", "no_number", "no_end", "no_length", "too_long"))
                        ),
                        fields=["msp", "invited"],
                        name="rating_cost_aside",
                    )
                ],
            },
            partition_by="invited",
        ),
        migrations.CreateModel(
            name="CostUsage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("grain", models.TextField(choices=[("hour", "Hour"), ("day", "Day")])),
                ("at", models.DateTimeField()),
                (
                    "direction",
                    models.TextField(
                        choices=[
                            ("out", "Outgoing"),
                            ("in", "Incoming"),
                            ("internal", "Internal"),
                            ("emergency", "Emergency"),
                        ]
                    ),
                ),
                ("destination", models.TextField(blank=True)),
                ("currency", models.TextField(blank=True)),
                ("calls", models.BigIntegerField(default=0)),
                ("answered", models.BigIntegerField(default=0)),
                ("seconds", models.BigIntegerField(default=0)),
                ("billed", models.BigIntegerField(default=0)),
                ("micros", models.BigIntegerField(default=0)),
                ("trunk", models.BigIntegerField()),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["msp", "grain", "at"], name="rating_costusage_msp")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "grain", "at", "direction", "destination", "currency", "trunk"),
                        name="rating_costusage_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Usage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("grain", models.TextField(choices=[("hour", "Hour"), ("day", "Day")])),
                ("at", models.DateTimeField()),
                (
                    "direction",
                    models.TextField(
                        choices=[
                            ("out", "Outgoing"),
                            ("in", "Incoming"),
                            ("internal", "Internal"),
                            ("emergency", "Emergency"),
                        ]
                    ),
                ),
                ("destination", models.TextField(blank=True)),
                ("currency", models.TextField(blank=True)),
                ("calls", models.BigIntegerField(default=0)),
                ("answered", models.BigIntegerField(default=0)),
                ("seconds", models.BigIntegerField(default=0)),
                ("billed", models.BigIntegerField(default=0)),
                ("micros", models.BigIntegerField(default=0)),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["msp", "grain", "at"], name="rating_usage_msp")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "grain", "at", "direction", "destination", "currency"),
                        name="rating_usage_once",
                    )
                ],
            },
        ),
        EnableRls("rating_charge", ingest=("select", "insert"), maintained=("select", "delete")),
        EnableRls("rating_cost", tenant_column=None, ingest=("select", "insert"), maintained=("select", "delete")),
        EnableRls("rating_usage", ingest=("select", "insert", "update"), maintained=("select", "delete")),
        EnableRls(
            "rating_costusage",
            tenant_column=None,
            ingest=("select", "insert", "update"),
            maintained=("select", "delete"),
        ),
        EnableRls("rating_account", ingest=("select", "insert", "update")),
        # What calls cost is written by ingest alone, and only what was kept aside is ever priced again.
        migrations.RunSQL(
            f"""
            REVOKE INSERT, UPDATE, DELETE ON {TABLES} FROM {APP}, {MSP};
            CREATE POLICY ingest_aside ON rating_charge FOR UPDATE TO {INGEST} USING ({ASIDE}) WITH CHECK (true);
            CREATE POLICY ingest_aside ON rating_cost FOR UPDATE TO {INGEST} USING ({ASIDE}) WITH CHECK (true);
            """,
            f"""
            DROP POLICY ingest_aside ON rating_cost;
            DROP POLICY ingest_aside ON rating_charge;
            GRANT INSERT, UPDATE, DELETE ON {TABLES} TO {APP}, {MSP};
            """,
        ),
    ]
