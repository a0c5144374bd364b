"""What nobody can do to plans: read others', change what was published, put a customer on two plans for one day."""

from django.db import migrations

from portal.db.rls import APP, INGEST, MSP, TENANT, EnableRls

OWN = f"tenant_id = {TENANT}"
# Their own policies leave a customer's own phases, and of these the versions and the rest.
ORDERED = "id IN (SELECT version_id FROM plans_phase)"
PARTS = "version_id IN (SELECT version_id FROM plans_phase)"
NAMED = "id IN (SELECT plan_id FROM plans_planversion)"
TIERS = "component_id IN (SELECT id FROM plans_component)"
SEEN = {
    "phase": OWN,
    "contract": OWN,
    "addon": OWN,
    "credit": OWN,
    "drawnperiod": OWN,
    "planversion": ORDERED,
    "component": PARTS,
    "componenttier": TIERS,
    "plan": NAMED,
    "quote": "",
}
# What an MSP notes about its plans and how it sells them is no customer's business.
SHOWN = {
    "plan": "id, msp_id, name, currency, zone",
    "planversion": "id, msp_id, plan_id, number, state, effective_from, deck_id, published_at",
}

VERSION = """
CREATE FUNCTION plans_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'published' THEN
        RAISE EXCEPTION 'version % is published: make another one', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""
# Sees all rows: what has to hold does not depend on who asks. Waits for whoever publishes the version just now.
COMPONENT = """
CREATE FUNCTION plans_component_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    one jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
    whose bigint := one ->> 'version_id';
    parent public.plans_planversion;
BEGIN
    IF TG_TABLE_NAME = 'plans_componenttier' THEN
        SELECT version_id INTO whose FROM public.plans_component WHERE id = (one ->> 'component_id')::bigint;
    END IF;
    SELECT * INTO parent FROM public.plans_planversion WHERE id = whose FOR SHARE;
    IF parent.state = 'published' OR (TG_OP = 'UPDATE' AND to_jsonb(OLD) ->> 'version_id' <> one ->> 'version_id') THEN
        RAISE EXCEPTION 'version % is published: make another one', parent.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP <> 'DELETE' AND parent.msp_id <> (one ->> 'msp_id')::bigint THEN
        RAISE EXCEPTION 'a component belongs where its version does' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""
# Two transactions that give one customer plans take turns, so that neither misses what the other adds.
PHASE = """
CREATE FUNCTION plans_phase_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('plans_phase'), NEW.tenant_id::int);
    IF EXISTS (SELECT FROM public.plans_phase other
                WHERE other.tenant_id = NEW.tenant_id AND other.id <> NEW.id
                  AND daterange(other.begins, other.ends) && daterange(NEW.begins, NEW.ends)) THEN
        RAISE EXCEPTION 'customer % is on another plan in these days', NEW.tenant_id
            USING ERRCODE = 'exclusion_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM public.plans_planversion v JOIN public.plans_contract c ON c.id = NEW.contract_id
                    WHERE v.id = NEW.version_id AND v.state = 'published' AND v.msp_id = NEW.msp_id
                      AND (c.tenant_id, c.msp_id) = (NEW.tenant_id, NEW.msp_id)) THEN
        RAISE EXCEPTION 'only a published version of the same provider can be ordered'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
DRAWN = """
CREATE FUNCTION plans_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
FUNCTIONS = {
    "plans_version_guard": VERSION,
    "plans_component_guard": COMPONENT,
    "plans_phase_guard": PHASE,
    "plans_refuse_change": DRAWN,
}
GUARD = "CREATE TRIGGER guard {when} ON plans_{table} FOR EACH ROW EXECUTE FUNCTION {function}()"
TRIGGERS = [
    GUARD.format(when="BEFORE UPDATE OR DELETE", table="planversion", function="plans_version_guard"),
    GUARD.format(when="BEFORE INSERT OR UPDATE OR DELETE", table="component", function="plans_component_guard"),
    GUARD.format(when="BEFORE INSERT OR UPDATE OR DELETE", table="componenttier", function="plans_component_guard"),
    GUARD.format(when="AFTER INSERT OR UPDATE", table="phase", function="plans_phase_guard"),
    GUARD.format(when="BEFORE UPDATE OR DELETE", table="drawnperiod", function="plans_refuse_change"),
]
# The guards look and lock as the owner of the tables.
MAINTAINED = {
    "planversion": ("select", "update"),
    "component": ("select",),
    "phase": ("select",),
    "contract": ("select",),
}


def privileges(table: str) -> migrations.RunSQL:
    """Return what the roles may do with a table: customers read, the MSP writes, nodes have nothing to do with it."""
    name = f"plans_{table}"
    taken = [f"REVOKE ALL ON {name} FROM {INGEST}", f"REVOKE INSERT, UPDATE, DELETE ON {name} FROM {APP}"]
    if table in SHOWN:
        taken += [
            f"REVOKE SELECT ON {name} FROM {APP}",  # noqa: S608
            f"GRANT SELECT ({SHOWN[table]}) ON {name} TO {APP}",
        ]
    return migrations.RunSQL(taken, [f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {APP}, {MSP}, {INGEST}"])


class Migration(migrations.Migration):
    dependencies = [("plans", "0001_initial"), ("tenants", "0002_row_level_security")]

    operations = [
        *(
            EnableRls(f"plans_{table}", tenant_column=None, app_select=seen, maintained=MAINTAINED.get(table, ()))
            for table, seen in SEEN.items()
        ),
        *(privileges(table) for table in SEEN),
        *(migrations.RunSQL(made, f"DROP FUNCTION {name} CASCADE") for name, made in FUNCTIONS.items()),
        *(migrations.RunSQL(made, migrations.RunSQL.noop) for made in TRIGGERS),
    ]
