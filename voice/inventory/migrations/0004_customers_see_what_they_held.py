"""A customer may see since when it holds its numbers: its plan asks for them by the day."""

from django.db import migrations

from portal.db.rls import APP, TENANT

SEEN = f"CREATE POLICY app_granted ON inventory_allocation FOR SELECT TO {APP} USING (tenant_id = {TENANT})"


class Migration(migrations.Migration):
    dependencies = [("inventory", "0003_customers_may_ask_what_is_taken")]

    operations = [migrations.RunSQL(SEEN, "DROP POLICY app_granted ON inventory_allocation")]
