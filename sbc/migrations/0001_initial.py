import django.db.models.deletion
from django.db import migrations, models

import portal.core.fields
from portal.db.rls import APP, MSP, TENANT, THIS_MSP, AppendOnly, EnableRls

# The operator's console: how far the nodes are, not what they hold.
NO_PLACE = f"{TENANT} IS NULL AND {THIS_MSP} IS NULL"


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0002_row_level_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="Node",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(
                        help_text="For example sbc-fra-1. Lower-case letters, digits and hyphens.", verbose_name="Name"
                    ),
                ),
                ("token_hash", models.TextField(blank=True, editable=False)),
                ("token_made", models.DateTimeField(editable=False, null=True)),
                (
                    "state",
                    models.TextField(
                        choices=[("away", "Away"), ("connected", "Connected"), ("disabled", "Disabled")],
                        default="away",
                        editable=False,
                    ),
                ),
                ("boot", models.TextField(blank=True, editable=False)),
                ("channel", models.TextField(blank=True, editable=False)),
                ("connected_since", models.DateTimeField(editable=False, null=True)),
                ("last_seen", models.DateTimeField(editable=False, null=True)),
                ("software", models.TextField(blank=True, editable=False)),
                ("engine", models.TextField(blank=True, editable=False)),
                ("gauges", models.JSONField(default=dict, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="nodes",
                        to="tenants.region",
                        verbose_name="Region",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Spool",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("last_sequence", models.PositiveBigIntegerField(default=0)),
                ("first_seen", models.DateTimeField(auto_now_add=True)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="spools", to="sbc.node"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="node",
            name="spool",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="sbc.spool",
            ),
        ),
        migrations.CreateModel(
            name="Certificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.TextField(editable=False)),
                ("issuer", models.TextField(editable=False)),
                ("names", models.JSONField(default=list, editable=False)),
                ("fingerprint", models.TextField(editable=False)),
                ("not_before", models.DateTimeField(editable=False)),
                ("not_after", models.DateTimeField(editable=False)),
                ("chain", models.TextField(verbose_name="Certificate and chain (PEM)")),
                ("key", portal.core.fields.EncryptedTextField(verbose_name="Private key (PEM)")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="certificates",
                        to="tenants.region",
                        verbose_name="Region",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("region", "fingerprint"),
                        name="sbc_certificate_once",
                        violation_error_message="This certificate is already here.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Drift",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.TextField(blank=True)),
                ("table", models.TextField()),
                ("key", models.TextField(blank=True)),
                ("found", models.TextField()),
                ("healed", models.BooleanField()),
                ("at", models.DateTimeField()),
                (
                    "node",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="drift", to="sbc.node"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["node", "-at"], name="sbc_drift_node_at")],
            },
        ),
        migrations.CreateModel(
            name="Deployment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.TextField()),
                ("wanted", models.PositiveBigIntegerField(default=0)),
                ("running", models.PositiveBigIntegerField(default=0)),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("pending", "Not sent yet"),
                            ("sent", "Sent"),
                            ("acked", "Running"),
                            ("refused", "Refused"),
                            ("held", "Waits for a person"),
                        ],
                        default="pending",
                    ),
                ),
                ("sent", models.PositiveBigIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("nonce", models.TextField(blank=True)),
                ("whole", models.BooleanField(default=False)),
                ("approved", models.PositiveBigIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("row", models.JSONField(null=True)),
                ("took_ms", models.FloatField(null=True)),
                ("wanted_at", models.DateTimeField(null=True)),
                ("since", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.msp",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.region"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deployments", to="sbc.node"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["scope"], name="sbc_deployment_scope"),
                    models.Index(
                        condition=models.Q(("state", "pending")), fields=["node"], name="sbc_deployment_pending"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("node", "scope"), name="sbc_deployment_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("msp", None), ("region__isnull", False), ("tenant", None)),
                            models.Q(("msp__isnull", False), ("region", None)),
                            _connector="OR",
                        ),
                        name="sbc_deployment_one_owner",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.TextField(
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
                        ]
                    ),
                ),
                ("subject", models.TextField(blank=True)),
                ("text", models.TextField()),
                ("count", models.PositiveIntegerField(default=1)),
                ("since", models.DateTimeField()),
                ("last", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="alarms", to="sbc.node"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("until", None)),
                        fields=("node", "tenant", "kind", "subject"),
                        name="sbc_alarm_open_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="QuarantinedRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("spool", models.UUIDField()),
                ("sequence", models.PositiveBigIntegerField()),
                ("reason", models.TextField()),
                ("record", models.JSONField()),
                ("received", models.DateTimeField(auto_now_add=True)),
                ("settled", models.DateTimeField(null=True)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="quarantine", to="sbc.node"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("spool", "sequence"), name="sbc_quarantine_once")],
            },
        ),
        migrations.CreateModel(
            name="Revision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.TextField()),
                ("version", models.PositiveBigIntegerField()),
                ("rows", models.JSONField()),
                ("needs", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("generation", models.PositiveBigIntegerField(default=0)),
                ("fingerprint", models.TextField(blank=True)),
                ("added", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("removed", models.PositiveIntegerField(default=0)),
                ("closing", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.msp",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.region"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("scope", "version"), name="sbc_revision_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="node",
            constraint=models.UniqueConstraint(
                fields=("name",), name="sbc_node_name", violation_error_message="There is a node of that name."
            ),
        ),
        migrations.AddConstraint(
            model_name="node",
            constraint=models.UniqueConstraint(
                condition=models.Q(("token_hash", ""), _negated=True), fields=("token_hash",), name="sbc_node_token"
            ),
        ),
        migrations.AddConstraint(
            model_name="node",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")),
                name="sbc_node_name_is_a_label",
                violation_error_message="Use lower-case letters, digits and hyphens, for example sbc-fra-1.",
            ),
        ),
        EnableRls("sbc_revision", ingest=("select", "insert"), maintained=("select", "delete")),
        AppendOnly("sbc_revision"),
        EnableRls("sbc_deployment", app_select=NO_PLACE, ingest=("select", "insert", "update", "delete")),
        EnableRls("sbc_alarm", app_select=NO_PLACE, ingest=("select", "insert", "update")),
        # Written by the worker and by what nodes answer, in the role ingest.
        migrations.RunSQL(
            f"REVOKE INSERT, UPDATE, DELETE ON sbc_revision, sbc_deployment, sbc_alarm FROM {APP}, {MSP}",
            f"GRANT INSERT, UPDATE, DELETE ON sbc_revision, sbc_deployment, sbc_alarm TO {APP}, {MSP}",
        ),
    ]
