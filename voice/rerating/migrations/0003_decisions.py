import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, EnableRls


class Migration(migrations.Migration):
    dependencies = [
        ("rerating", "0002_proposals"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="proposalsum",
            name="made_at",
            field=models.DateTimeField(auto_now_add=True, default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("invited", models.DateTimeField()),
                ("call", models.UUIDField()),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("free", "The call is free of charge"),
                            ("last_seen", "It ended when it was last seen"),
                            ("price", "It costs a price set by hand"),
                        ]
                    ),
                ),
                (
                    "was",
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
                (
                    "reason",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(500)], verbose_name="reason"
                    ),
                ),
                ("made_by", models.TextField()),
                ("made_at", models.DateTimeField()),
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
                "indexes": [models.Index(fields=["msp", "-made_at"], name="rerating_decision_msp")],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "invited", "call"), name="rerating_decision_once"),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="rerating_decision_reason",
                        violation_error_message="Say why: the reason stays with the call.",
                    ),
                ],
            },
        ),
        EnableRls(
            "rerating_decision", tenant_column=None, ingest=("select", "insert"), maintained=("select", "delete")
        ),
        migrations.RunSQL(
            f"""
            REVOKE INSERT, UPDATE, DELETE ON rerating_decision FROM {APP}, {MSP};
            REVOKE UPDATE, DELETE ON rerating_decision FROM {INGEST};
            """,
            f"GRANT INSERT, UPDATE, DELETE ON rerating_decision TO {APP}, {MSP}, {INGEST}",
        ),
    ]
