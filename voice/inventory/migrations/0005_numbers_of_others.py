"""Whether another customer, of whichever MSP, has a number by now: calls must not show it, whatever was approved."""

from django.db import migrations

from portal.db.rls import APP, MSP, TENANT

# Runs as the owner of the table and asks for the customer in whose context it is: without one, every holder is another.
HELD = f"""
CREATE FUNCTION inventory_held_by_another(number text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT EXISTS (SELECT FROM public.inventory_stocknumber
                    WHERE e164 = number AND state = 'allocated' AND tenant_id IS DISTINCT FROM {TENANT})
$$;
REVOKE ALL ON FUNCTION inventory_held_by_another(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory_held_by_another(text) TO {APP}, {MSP};
"""  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [("inventory", "0004_customers_see_what_they_held")]

    operations = [migrations.RunSQL(HELD, "DROP FUNCTION inventory_held_by_another(text)")]
