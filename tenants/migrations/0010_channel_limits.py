"""Which limit of calls a customer had on which days. Today's, as far as is known, it had from its first day on."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from portal.db.dated import NoOverlap
from portal.db.rls import TENANT, EnableRls

BEGIN = """
INSERT INTO tenants_channellimit (msp_id, tenant_id, channels, since)
SELECT msp_id, id, channels, created_at FROM tenants_customer
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0009_longest_call_of_all")]

    operations = [
        migrations.CreateModel(
            name="ChannelLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("until", models.DateTimeField(editable=False, null=True)),
                ("channels", models.PositiveIntegerField()),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="channel_limits",
                        to="tenants.customer",
                    ),
                ),
            ],
        ),
        NoOverlap("tenants_channellimit", "tenant_id"),
        migrations.RunSQL(BEGIN, migrations.RunSQL.noop),
        # Deferred checks of the foreign keys come first: a table with some waiting cannot be changed.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED", migrations.RunSQL.noop),
        EnableRls("tenants_channellimit", tenant_column=None, app_select=f"tenant_id = {TENANT}"),
    ]
