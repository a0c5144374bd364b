"""What carries each customer's emergency calls, as it was compiled: homes say where nothing does."""

import django.db.models.deletion
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from portal.db.rls import EnableRls

# The worker compiles what is behind, and notes it then; nodes get what differs.
OPEN = """
    UPDATE tenants_customer SET config_version = config_version + 1
     WHERE config_version > 0 AND state IN ('active', 'suspended')
"""


class Migration(migrations.Migration):
    dependencies = [("carriers", "0005_password_versions")]

    operations = [
        migrations.CreateModel(
            name="EmergencyCover",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("country", models.TextField(max_length=2)),
                ("trunks", ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ("has_callers", models.BooleanField(default=False)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="emergency_covers",
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "country"), name="carriers_emergencycover_once")
                ],
            },
        ),
        EnableRls("carriers_emergencycover", tenant_column=None, ingest=("select", "insert", "update", "delete")),
        migrations.RunSQL(OPEN, migrations.RunSQL.noop),
    ]
