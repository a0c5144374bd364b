"""Regions that name no networks open the public ones: what an older version made of their empty list is made anew."""

from django.db import migrations

# The worker compiles what is behind; nodes get what differs. A region without a version has not been compiled at all.
OPEN = """
    UPDATE tenants_region SET config_version = config_version + 1 WHERE allowed_networks = '{}' AND config_version > 0
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0011_retention_of_papers")]

    operations = [migrations.RunSQL(OPEN, migrations.RunSQL.noop)]
