"""What nobody can do to the books: read others', unbalance an entry, change what is issued, leave out a number."""

from django.db import migrations

from portal.db.rls import APP, INGEST, MSP, TENANT, EnableRls

TABLES = (
    "legalentity", "billingprofile", "numberseries", "account", "entry", "posting", "invoice", "invoiceline",
    "invoicetax", "invoicefile", "payment", "allocation", "taxrule",
)  # fmt: skip
# Rows that are added and never changed again, by anybody, the owner of the tables included.
FOREVER = ("entry", "posting", "account", "payment", "allocation", "invoicefile")
CHILDREN = ("invoiceline", "invoicetax")

OWN = f"tenant_id = {TENANT}"
ISSUED = f"{OWN} AND invoice_id IN (SELECT id FROM receivables_invoice)"  # noqa: S608 (its policy leaves issued ones)

REFUSE_CHANGE = """
CREATE FUNCTION receivables_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once: book a correction instead', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
# Each of these sees all rows: what has to hold does not depend on who asks, nor on who they are at commit.
STAMP = """
CREATE FUNCTION receivables_stamp_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.made_in := txid_current();
    RETURN NEW;
END $$
"""
BALANCED = """
CREATE FUNCTION receivables_balanced() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    which bigint := coalesce((to_jsonb(NEW) ->> 'entry_id')::bigint, NEW.id);
    entry public.receivables_entry;
    found record;
BEGIN
    SELECT * INTO entry FROM public.receivables_entry WHERE id = which;
    IF entry.made_in <> txid_current() THEN
        RAISE EXCEPTION 'entry % is closed: book another one', which USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT count(*) AS postings, coalesce(sum(p.debit - p.credit), 0) AS difference,
           coalesce(bool_and(a.currency = entry.currency AND a.entity_id = entry.entity_id AND a.msp_id = entry.msp_id
               AND p.msp_id = entry.msp_id AND p.tenant_id IS NOT DISTINCT FROM a.tenant_id
               AND (a.tenant_id IS NULL OR a.tenant_id IS NOT DISTINCT FROM entry.tenant_id)), false) AS at_home
      INTO found
      FROM public.receivables_posting p JOIN public.receivables_account a ON a.id = p.account_id
     WHERE p.entry_id = which;
    IF found.postings < 2 OR found.difference <> 0 THEN
        RAISE EXCEPTION 'entry % does not balance: % postings, % apart', which, found.postings, found.difference
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT found.at_home THEN
        RAISE EXCEPTION 'entry % mixes currencies, companies or customers', which
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
# A number is taken where the document is issued, in the same transaction: a run that dies takes both back.
SERIES = """
CREATE FUNCTION receivables_next_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'INSERT' AND NEW.last <> 0) OR (TG_OP = 'UPDATE' AND (NEW.last <> OLD.last + 1
        OR (NEW.entity_id, NEW.kind, NEW.period, NEW.msp_id) <> (OLD.entity_id, OLD.kind, OLD.period, OLD.msp_id))) THEN
        RAISE EXCEPTION 'a number series only counts on' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""
NUMBER_USED = """
CREATE FUNCTION receivables_number_used() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.receivables_invoice i WHERE i.entity_id = NEW.entity_id AND i.kind = NEW.kind
                   AND i.series_period = NEW.period AND i.sequence = NEW.last AND i.state = 'issued') THEN
        RAISE EXCEPTION 'number % of series % was taken and not used', NEW.last, NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
INVOICE = """
CREATE FUNCTION receivables_invoice_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    lines bigint; line_net numeric; taxed numeric; taxes numeric;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'an invoice begins as a draft' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'issued' THEN
        RAISE EXCEPTION 'invoice % is issued: write a credit note', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'draft' THEN
            RAISE EXCEPTION 'only a draft can be dropped' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF (OLD.state, NEW.state) NOT IN (('draft', 'draft'), ('draft', 'approved'), ('approved', 'approved'),
                                      ('approved', 'draft'), ('approved', 'issued')) THEN
        RAISE EXCEPTION 'an invoice is approved before it is issued' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state = 'approved' AND (NEW.tenant_id, NEW.entity_id, NEW.msp_id, NEW.kind, NEW.currency, NEW.net, NEW.tax,
        NEW.begins, NEW.ends, NEW.corrects_id) IS DISTINCT FROM (OLD.tenant_id, OLD.entity_id, OLD.msp_id, OLD.kind,
        OLD.currency, OLD.net, OLD.tax, OLD.begins, OLD.ends, OLD.corrects_id) THEN
        RAISE EXCEPTION 'what was approved is what is issued' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state <> 'draft' THEN
        SELECT count(*), coalesce(sum(net), 0) INTO lines, line_net
          FROM public.receivables_invoiceline WHERE invoice_id = NEW.id;
        SELECT coalesce(sum(net), 0), coalesce(sum(tax), 0) INTO taxed, taxes
          FROM public.receivables_invoicetax WHERE invoice_id = NEW.id;
        IF lines = 0 OR line_net <> NEW.net OR taxed <> NEW.net OR taxes <> NEW.tax THEN
            RAISE EXCEPTION 'lines of % and taxes of % do not add up to % and %', line_net, taxes, NEW.net, NEW.tax
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""
CHILD = """
CREATE FUNCTION receivables_child_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    parent public.receivables_invoice;
BEGIN
    -- Waits for whoever approves or issues it just now.
    SELECT * INTO parent FROM public.receivables_invoice
     WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.invoice_id ELSE NEW.invoice_id END FOR SHARE;
    IF parent.state <> 'draft' OR (TG_OP = 'UPDATE' AND NEW.invoice_id <> OLD.invoice_id) THEN
        RAISE EXCEPTION 'the lines of % are fixed', parent.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP <> 'DELETE' AND (NEW.msp_id, NEW.tenant_id) <> (parent.msp_id, parent.tenant_id) THEN
        RAISE EXCEPTION 'a line belongs where its invoice does' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""
FUNCTIONS = {
    "receivables_refuse_change": REFUSE_CHANGE,
    "receivables_stamp_entry": STAMP,
    "receivables_balanced": BALANCED,
    "receivables_next_number": SERIES,
    "receivables_number_used": NUMBER_USED,
    "receivables_invoice_guard": INVOICE,
    "receivables_child_guard": CHILD,
}


def trigger(name: str, table: str, when: str, function: str, *, deferred: bool = False, rows: bool = True) -> str:
    """Return the statement that makes one trigger."""
    kind, later = ("CONSTRAINT TRIGGER", " DEFERRABLE INITIALLY DEFERRED") if deferred else ("TRIGGER", "")
    each = "ROW" if rows else "STATEMENT"
    return f"CREATE {kind} {name} {when} ON receivables_{table}{later} FOR EACH {each} EXECUTE FUNCTION {function}()"


TRIGGERS = [
    *(trigger("once", table, "BEFORE UPDATE OR DELETE", "receivables_refuse_change") for table in FOREVER),
    *(
        trigger("kept", table, "BEFORE TRUNCATE", "receivables_refuse_change", rows=False)
        for table in (*FOREVER, *CHILDREN, "invoice", "numberseries")
    ),
    trigger("stamp", "entry", "BEFORE INSERT", "receivables_stamp_entry"),
    trigger("balanced", "entry", "AFTER INSERT", "receivables_balanced", deferred=True),
    trigger("balanced", "posting", "AFTER INSERT", "receivables_balanced", deferred=True),
    trigger("counts_on", "numberseries", "BEFORE INSERT OR UPDATE OR DELETE", "receivables_next_number"),
    trigger("used", "numberseries", "AFTER UPDATE", "receivables_number_used", deferred=True),
    trigger("guard", "invoice", "BEFORE INSERT OR UPDATE OR DELETE", "receivables_invoice_guard"),
    *(trigger("guard", table, "BEFORE INSERT OR UPDATE OR DELETE", "receivables_child_guard") for table in CHILDREN),
]
SEEN = ("select",)


def privileges(table: str) -> migrations.RunSQL:
    """Return what the roles may do with a table: customers read, the MSP writes, nodes have nothing to do with it."""
    name = f"receivables_{table}"
    taken = [f"REVOKE ALL ON {name} FROM {INGEST}", f"REVOKE INSERT, UPDATE, DELETE ON {name} FROM {APP}"]
    if table in FOREVER:
        taken.append(f"REVOKE UPDATE, DELETE ON {name} FROM {MSP}")
    if table == "taxrule":
        taken.append(f"REVOKE INSERT, UPDATE, DELETE ON {name} FROM {MSP}")
    return migrations.RunSQL(taken, [f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {APP}, {MSP}, {INGEST}"])


class Migration(migrations.Migration):
    dependencies = [("receivables", "0001_initial"), ("tenants", "0002_row_level_security")]

    operations = [
        EnableRls("receivables_legalentity", tenant_column=None),
        EnableRls("receivables_billingprofile", tenant_column=None, app_select=OWN),
        EnableRls("receivables_numberseries", tenant_column=None),
        EnableRls(
            "receivables_account", tenant_column=None, app_select=f"{OWN} AND kind = 'receivable'", maintained=SEEN
        ),
        EnableRls("receivables_entry", tenant_column=None, app_select=OWN, maintained=SEEN),
        EnableRls(
            "receivables_posting",
            tenant_column=None,
            app_select=f"{OWN} AND account_id IN (SELECT id FROM receivables_account)",  # noqa: S608
            maintained=SEEN,
        ),
        EnableRls(
            "receivables_invoice",
            tenant_column=None,
            app_select=f"{OWN} AND state = 'issued'",
            # The guard of the lines locks the invoice, which counts as an update.
            maintained=("select", "update"),
        ),
        EnableRls("receivables_invoiceline", tenant_column=None, app_select=ISSUED, maintained=SEEN),
        EnableRls("receivables_invoicetax", tenant_column=None, app_select=ISSUED, maintained=SEEN),
        EnableRls("receivables_invoicefile", tenant_column=None, app_select=ISSUED),
        EnableRls("receivables_payment", tenant_column=None, app_select=OWN),
        EnableRls("receivables_allocation", tenant_column=None, app_select=OWN),
        *(privileges(table) for table in TABLES),
        *(migrations.RunSQL(made, f"DROP FUNCTION {name} CASCADE") for name, made in FUNCTIONS.items()),
        *(migrations.RunSQL(made, migrations.RunSQL.noop) for made in TRIGGERS),
    ]
