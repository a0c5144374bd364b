import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, MSP, AppendOnly, EnableRls


class Migration(migrations.Migration):
    dependencies = [
        ("rating", "0002_charges"),
        ("tenants", "0002_row_level_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="Movement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="when")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("top_up", "Top-up"),
                            ("payment", "Payment"),
                            ("taken_back", "Taken back"),
                            ("invoice", "Invoice"),
                            ("credit_note", "Credit note"),
                            ("correction", "Correction"),
                        ],
                        verbose_name="what",
                    ),
                ),
                ("micros", models.BigIntegerField(verbose_name="amount")),
                ("currency", models.TextField()),
                ("balance_micros", models.BigIntegerField(verbose_name="balance after it")),
                ("reference", models.TextField(max_length=200, verbose_name="reference")),
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
                    models.Index(fields=["tenant", "-at"], name="rating_movement_newest"),
                    models.Index(fields=["msp", "-at"], name="rating_movement_msp"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "reference"), name="rating_movement_once"),
                    models.CheckConstraint(
                        condition=models.Q(("micros", 0), _negated=True), name="rating_movement_moves"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reference", ""), _negated=True), name="rating_movement_has_reference"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ["top_up", "payment", "credit_note"]), ("micros__gt", 0)),
                            models.Q(("kind", "taken_back"), ("micros__lt", 0)),
                            ("kind__in", ["invoice", "correction"]),
                            _connector="OR",
                        ),
                        name="rating_movement_gives_or_takes",
                    ),
                ],
            },
        ),
        EnableRls("rating_movement", ingest=("select", "insert")),
        AppendOnly("rating_movement"),
        # A balance is moved by the services alone, as ingest: a customer's or an MSP's role cannot write itself money.
        migrations.RunSQL(
            f"REVOKE INSERT ON rating_movement FROM {APP}, {MSP}", f"GRANT INSERT ON rating_movement TO {APP}, {MSP}"
        ),
    ]
