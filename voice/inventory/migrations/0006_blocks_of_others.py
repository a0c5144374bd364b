"""How the numbers of all but some customers begin: no SBC may show one of them as the caller of a forwarded call."""

from django.db import migrations

from portal.db.rls import INGEST

# Runs as the owner of the table, so that it finds numbers of every MSP, and says nothing but how they begin.
BLOCKS = f"""
CREATE FUNCTION inventory_blocks_of_others(customers integer[]) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT DISTINCT left(e164, -2) FROM public.inventory_stocknumber
     WHERE state = 'allocated' AND tenant_id <> ALL (customers)
$$;
REVOKE ALL ON FUNCTION inventory_blocks_of_others(integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory_blocks_of_others(integer[]) TO {INGEST};
"""  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [("inventory", "0005_numbers_of_others")]

    operations = [migrations.RunSQL(BLOCKS, "DROP FUNCTION inventory_blocks_of_others(integer[])")]
