"""A new password of a trunk is told from the one before it without a look at either."""

from django.db import migrations, models

# Nodes may hold passwords of before: whoever has any is compiled anew, and its nodes get them once more.
OPEN = """
    UPDATE tenants_msp SET config_version = config_version + 1 WHERE config_version > 0 AND id IN (
        SELECT msp_id FROM carriers_trunk WHERE auth = 'digest' AND closed_at IS NULL AND tenant_id IS NULL);
    UPDATE tenants_customer SET config_version = config_version + 1 WHERE config_version > 0 AND id IN (
        SELECT tenant_id FROM carriers_trunk WHERE auth = 'digest' AND closed_at IS NULL)
"""


class Migration(migrations.Migration):
    dependencies = [("carriers", "0004_blocked_prefixes_count_changes")]

    operations = [
        migrations.AddField("trunk", "password_version", models.PositiveIntegerField(default=0, editable=False)),
        migrations.RunSQL(OPEN, migrations.RunSQL.noop),
    ]
