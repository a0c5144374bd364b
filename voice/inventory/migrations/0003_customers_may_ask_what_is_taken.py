"""A customer that approves a foreign caller ID is told when the number belongs to somebody here; never to whom."""

from django.db import migrations

from portal.db.rls import APP


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_row_level_security")]

    operations = [
        migrations.RunSQL(
            f"GRANT EXECUTE ON FUNCTION inventory_taken(text[]) TO {APP}",
            f"REVOKE EXECUTE ON FUNCTION inventory_taken(text[]) FROM {APP}",
        )
    ]
