"""The stock is the MSP's alone; what a customer does with a number is in its own schema."""

from django.db import migrations

from portal.db.rls import MSP, EnableRls

# Runs as the owner of the table, so that it finds numbers of every MSP, and says nothing but that they exist.
TAKEN = f"""
CREATE FUNCTION inventory_taken(numbers text[]) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT e164 FROM public.inventory_stocknumber WHERE e164 = ANY (numbers)
$$;
REVOKE ALL ON FUNCTION inventory_taken(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory_taken(text[]) TO {MSP};
"""  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial"), ("tenants", "0002_row_level_security")]

    operations = [
        EnableRls("inventory_stocknumber", tenant_column=None, maintained=("select",)),
        EnableRls("inventory_allocation", tenant_column=None),
        EnableRls("inventory_stockimport", tenant_column=None),
        EnableRls("inventory_stockimporterror", tenant_column=None),
        migrations.RunSQL(TAKEN, "DROP FUNCTION inventory_taken(text[])"),
    ]
