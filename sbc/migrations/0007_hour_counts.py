import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, MSP, TENANT, THIS_MSP, EnableRls

# The operator's console: neither a customer's portal nor an MSP's.
NO_PLACE = f"{TENANT} IS NULL AND {THIS_MSP} IS NULL"


def protected(table):
    """Yield what lets nodes bring the rows, the count go over them, and the operator read them."""
    written = ("select", "insert", "update")
    yield EnableRls(
        table, tenant_column=None, msp_column=None, ingest=written, maintained=("select", "update", "delete")
    )
    yield migrations.RunSQL(
        f"CREATE POLICY operator ON {table} FOR SELECT TO {APP} USING ({NO_PLACE})", f"DROP POLICY operator ON {table}"
    )
    yield migrations.RunSQL(
        f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {APP}, {MSP}",
        f"GRANT INSERT, UPDATE, DELETE ON {table} TO {APP}, {MSP}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("sbc", "0006_erasure"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alarm",
            name="kind",
            field=models.TextField(
                choices=[
                    ("token", "Node token used twice"),
                    ("gap", "Records missing"),
                    ("spool", "Record store replaced"),
                    ("quarantine", "Records that belong to nobody"),
                    ("refused", "Configuration refused"),
                    ("held", "Configuration waits for a person"),
                    ("drift", "Node changed by hand"),
                    ("daemon", "Part of the node is down"),
                    ("call", "Call that needs attention"),
                    ("orphan", "Call end without a call"),
                    ("compile", "Configuration could not be compiled"),
                    ("message", "Message not understood"),
                    ("certificate", "Certificate ends, was refused or lacks a name"),
                    ("counts", "Records that do not add up"),
                ]
            ),
        ),
        migrations.CreateModel(
            name="HourCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("spool", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("customer", models.BigIntegerField()),
                ("records", models.PositiveIntegerField()),
                ("orphans", models.PositiveIntegerField()),
                ("first", models.PositiveBigIntegerField()),
                ("last", models.PositiveBigIntegerField()),
                ("stored", models.PositiveIntegerField(default=0)),
                ("aside", models.PositiveIntegerField(default=0)),
                ("ended", models.PositiveIntegerField(default=0)),
                ("checked", models.DateTimeField(null=True)),
                ("settled", models.DateTimeField(null=True)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="hour_counts", to="sbc.node"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["node", "-at"], name="sbc_hourcount_node_at"),
                    models.Index(condition=models.Q(("settled", None)), fields=["at"], name="sbc_hourcount_open"),
                ],
                "constraints": [models.UniqueConstraint(fields=("spool", "at", "customer"), name="sbc_hourcount_once")],
            },
        ),
        migrations.CreateModel(
            name="OrphanEnd",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("spool", models.UUIDField()),
                ("sequence", models.PositiveBigIntegerField()),
                ("call_id", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                ("completed", models.BooleanField()),
                (
                    "node",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sbc.node"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("spool", "sequence"), name="sbc_orphanend_once")],
            },
        ),
        *protected("sbc_hourcount"),
        *protected("sbc_orphanend"),
        # Calls are stored in the order of their numbers: so small an index costs storing nothing.
        migrations.RunSQL(
            "CREATE INDEX calls_cdr_sequence ON calls_cdr USING brin (sequence)", "DROP INDEX calls_cdr_sequence"
        ),
    ]
