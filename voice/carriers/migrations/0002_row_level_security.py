"""Who may see trunks: their MSP, the customer that owns one, and customers that one was granted to."""

from django.db import migrations

from portal.db.rls import APP, INGEST, MSP, TENANT, EnableRls

OWN_MSP = f"(SELECT msp_id FROM tenants_customer WHERE id = {TENANT})"  # noqa: S608
# Constant SQL: a customer sees a shared trunk that it was granted, or that carries its emergency calls.
GRANTED = f"""tenant_id IS NULL AND (
    id IN (SELECT trunk_id FROM carriers_trunkgrant WHERE tenant_id = {TENANT})
    OR id IN (SELECT trunk_id FROM carriers_emergencytrunk WHERE msp_id = {OWN_MSP}))"""  # noqa: S608
HEALTH = "health, health_code, health_since, health_checked"
# Runs as the owner of the table, so that it sees every trunk, and says no more than yes or no.
USED_ELSEWHERE = f"""
CREATE FUNCTION carriers_used_elsewhere(addresses text[], own_tenant bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT EXISTS (
        SELECT 1 FROM public.carriers_trunk
         WHERE closed_at IS NULL AND tenant_id IS DISTINCT FROM own_tenant
           AND (host = ANY (addresses) OR source_addresses ?| addresses))
$$;
REVOKE ALL ON FUNCTION carriers_used_elsewhere(text[], bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION carriers_used_elsewhere(text[], bigint) TO {APP}, {MSP};
"""  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [("carriers", "0001_initial"), ("tenants", "0002_row_level_security")]

    operations = [
        EnableRls("carriers_carrier", tenant_column=None),
        EnableRls("carriers_trunk", app_select=GRANTED, ingest=("select", "update"), maintained=("select",)),
        # A node's report changes what it saw of a trunk and nothing else.
        migrations.RunSQL(
            f"REVOKE INSERT, UPDATE, DELETE ON carriers_trunk FROM {INGEST};"
            f"GRANT UPDATE ({HEALTH}) ON carriers_trunk TO {INGEST}",
            f"REVOKE UPDATE ({HEALTH}) ON carriers_trunk FROM {INGEST};"
            f"GRANT INSERT, UPDATE, DELETE ON carriers_trunk TO {INGEST}",
        ),
        # What the MSP decides, customers read: grants to themselves, the emergency list, the block list.
        EnableRls("carriers_trunkgrant", tenant_column=None, app_select=f"tenant_id = {TENANT}", ingest=("select",)),
        EnableRls("carriers_emergencytrunk", tenant_column=None, app_select=f"msp_id = {OWN_MSP}"),
        EnableRls("carriers_blockedprefix", tenant_column=None, app_select=f"msp_id = {OWN_MSP}"),
        migrations.RunSQL(USED_ELSEWHERE, "DROP FUNCTION carriers_used_elsewhere(text[], bigint)"),
    ]
