import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, MSP, AppendOnly, CreatePartitionedModel, EnableRls

TABLES = "calls_cdr, calls_livecall, calls_rollup, calls_failurerollup"


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0002_row_level_security"),
    ]

    operations = [
        CreatePartitionedModel(
            name="Cdr",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "invited", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("id", models.UUIDField()),
                ("call", models.UUIDField()),
                ("peer_id", models.IntegerField(null=True)),
                ("node_name", models.TextField()),
                ("sequence", models.BigIntegerField()),
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
                ("side", models.TextField(blank=True)),
                ("call_id", models.TextField()),
                ("caller", models.TextField()),
                ("caller_sent", models.TextField()),
                ("called", models.TextField()),
                ("called_sent", models.TextField()),
                ("invited", models.DateTimeField()),
                ("ringing", models.DateTimeField(null=True)),
                ("answered", models.DateTimeField(null=True)),
                ("ended", models.DateTimeField(null=True)),
                ("end_unknown", models.BooleanField(default=False)),
                ("last_seen", models.DateTimeField(null=True)),
                ("talk_ms", models.BigIntegerField(default=0)),
                ("code", models.IntegerField()),
                ("cause", models.IntegerField(null=True)),
                ("reason", models.TextField(blank=True)),
                ("released_by", models.TextField()),
                ("ingress", models.TextField()),
                ("ingress_name", models.TextField(blank=True)),
                ("egress", models.TextField(blank=True)),
                ("egress_name", models.TextField(blank=True)),
                ("route_id", models.BigIntegerField(null=True)),
                ("generation", models.BigIntegerField(null=True)),
                ("attempts", models.JSONField(default=list)),
                ("limit", models.TextField(blank=True)),
                ("screening", models.TextField(blank=True)),
                ("attestation", models.TextField(blank=True)),
                ("user_agent", models.TextField(blank=True)),
                ("media", models.JSONField(null=True)),
                (
                    "disposition",
                    models.TextField(
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
                            ("bad_caller_id", "Caller ID not allowed"),
                            ("carrier_failure", "Carrier failure"),
                            ("network_failure", "Network failure"),
                            ("timeout", "Timed out"),
                            ("emergency", "Emergency call"),
                            ("not_routed", "No route"),
                        ]
                    ),
                ),
                ("received", models.DateTimeField()),
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
                    models.Index(fields=["tenant", "id"], name="calls_cdr_tenant_call"),
                    models.Index(fields=["msp", "-invited"], name="calls_cdr_msp_invited"),
                ],
            },
            partition_by="invited",
        ),
        migrations.CreateModel(
            name="FailureRollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("grain", models.TextField(choices=[("minute", "Minute"), ("hour", "Hour"), ("day", "Day")])),
                ("at", models.DateTimeField()),
                ("code", models.IntegerField()),
                ("disposition", models.TextField()),
                ("count", models.PositiveIntegerField(default=0)),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["msp", "grain", "at"], name="calls_failure_msp")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "grain", "at", "code", "disposition"), name="calls_failure_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LiveCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("call", models.UUIDField()),
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
                ("caller", models.TextField()),
                ("called", models.TextField()),
                ("trunk", models.TextField(blank=True)),
                ("route_id", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.TextField(choices=[("start", "Calling"), ("ringing", "Ringing"), ("answered", "Talking")]),
                ),
                ("started", models.DateTimeField()),
                ("answered", models.DateTimeField(null=True)),
                ("updated", models.DateTimeField()),
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
                "indexes": [models.Index(fields=["node_name"], name="calls_livecall_node")],
                "constraints": [models.UniqueConstraint(fields=("tenant", "call"), name="calls_livecall_once")],
            },
        ),
        migrations.CreateModel(
            name="Rollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("grain", models.TextField(choices=[("minute", "Minute"), ("hour", "Hour"), ("day", "Day")])),
                ("at", models.DateTimeField()),
                ("trunk", models.TextField(blank=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("answered", models.PositiveIntegerField(default=0)),
                ("effective", models.PositiveIntegerField(default=0)),
                ("talk_ms", models.PositiveBigIntegerField(default=0)),
                ("pdd_ms", models.PositiveBigIntegerField(default=0)),
                ("pdd_calls", models.PositiveIntegerField(default=0)),
                ("peak", models.PositiveIntegerField(default=0)),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["msp", "grain", "at"], name="calls_rollup_msp")],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "grain", "at", "trunk"), name="calls_rollup_once")
                ],
            },
        ),
        EnableRls("calls_cdr", ingest=("insert",), maintained=("select", "delete")),
        AppendOnly("calls_cdr"),
        EnableRls("calls_livecall", ingest=("select", "insert", "update", "delete")),
        # For the eye only: not worth a write-ahead log, and gone after a crash as the calls' truth is on the nodes.
        migrations.RunSQL("ALTER TABLE calls_livecall SET UNLOGGED", "ALTER TABLE calls_livecall SET LOGGED"),
        EnableRls("calls_rollup", ingest=("select", "insert", "update"), maintained=("select", "delete")),
        EnableRls("calls_failurerollup", ingest=("select", "insert", "update"), maintained=("select", "delete")),
        # What happened is written by ingest alone.
        migrations.RunSQL(
            f"REVOKE INSERT, UPDATE, DELETE ON {TABLES} FROM {APP}, {MSP}",
            f"GRANT INSERT, UPDATE, DELETE ON {TABLES} TO {APP}, {MSP}",
        ),
    ]
