import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, EnableRls

# What a record that came after all says beyond the end.
MORE = 'sequence, released_by, "limit"'


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0004_not_offered"),
        ("tenants", "0002_row_level_security"),
    ]

    operations = [
        migrations.AlterField(
            model_name="cdr",
            name="disposition",
            field=models.TextField(
                choices=[
                    ("answered", "Answered"),
                    ("busy", "Busy"),
                    ("no_answer", "No answer"),
                    ("cancelled", "Cancelled by caller"),
                    ("rejected", "Rejected by called party"),
                    ("invalid_number", "Invalid number"),
                    ("not_ours", "Number not ours"),
                    ("blocked", "Blocked by a rule"),
                    ("limited", "Over a limit"),
                    ("spend_limit", "Spend limit"),
                    ("bad_caller_id", "Caller ID not allowed"),
                    ("carrier_failure", "Carrier failure"),
                    ("network_failure", "Network failure"),
                    ("timeout", "Timed out"),
                    ("emergency", "Emergency call"),
                    ("not_routed", "No route"),
                    ("not_offered", "Not offered"),
                ]
            ),
        ),
        migrations.CreateModel(
            name="RunningCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("call", models.UUIDField(unique=True)),
                ("node_name", models.TextField()),
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
                ("answered", models.DateTimeField()),
                ("seen", models.DateTimeField()),
                ("record", models.JSONField()),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["seen"], name="calls_runningcall_seen")],
            },
        ),
        EnableRls(
            "calls_runningcall",
            ingest=("select", "insert", "update", "delete"),
            maintained=("select", "delete"),
        ),
        # What nodes told is written by ingest alone.
        migrations.RunSQL(
            f"""
            REVOKE INSERT, UPDATE, DELETE ON calls_runningcall FROM {APP}, {MSP};
            GRANT UPDATE ({MORE}) ON calls_cdr TO {INGEST};
            """,
            f"""
            REVOKE UPDATE ({MORE}) ON calls_cdr FROM {INGEST};
            GRANT INSERT, UPDATE, DELETE ON calls_runningcall TO {APP}, {MSP};
            """,
        ),
    ]
