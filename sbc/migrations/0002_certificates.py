import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, TENANT, THIS_MSP, EnableRls

# The operator's console: neither a customer's portal nor an MSP's.
NO_PLACE = f"{TENANT} IS NULL AND {THIS_MSP} IS NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("sbc", "0001_initial"),
        ("tenants", "0003_own_host"),
    ]

    operations = [
        migrations.CreateModel(
            name="NodeCertificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("served", models.TextField(blank=True)),
                ("served_until", models.DateTimeField(null=True)),
                ("served_since", models.DateTimeField(null=True)),
                ("dialled", models.TextField(blank=True)),
                ("sent", models.TextField(blank=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("nonce", models.TextField(blank=True)),
                ("error", models.TextField(blank=True)),
                ("restart", models.BooleanField(default=False)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="certificate",
            name="sbc_certificate_once",
        ),
        migrations.AddField(
            model_name="certificate",
            name="node",
            field=models.ForeignKey(
                blank=True,
                help_text="For all nodes of the region if empty.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="certificates",
                to="sbc.node",
                verbose_name="Node",
            ),
        ),
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
                    ("certificate", "Certificate ends, or was refused"),
                ]
            ),
        ),
        migrations.AddConstraint(
            model_name="certificate",
            constraint=models.UniqueConstraint(
                fields=("region", "node", "fingerprint"),
                name="sbc_certificate_once",
                nulls_distinct=False,
                violation_error_message="This certificate is already here.",
            ),
        ),
        migrations.AddField(
            model_name="nodecertificate",
            name="node",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="certificate", to="sbc.node"
            ),
        ),
        # Encrypted or not: nobody's portal but the operator's reads keys, and the line that sends them.
        EnableRls("sbc_certificate", tenant_column=None, msp_column=None, ingest=("select",)),
        migrations.RunSQL(
            f"CREATE POLICY operator ON sbc_certificate FOR ALL TO {APP} USING ({NO_PLACE}) WITH CHECK ({NO_PLACE})",
            "DROP POLICY operator ON sbc_certificate",
        ),
    ]
