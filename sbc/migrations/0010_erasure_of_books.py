from django.db import migrations

from portal.db.rls import IS_ERASED, OWNER

# What the erasure could not see or take away before.
POLICIES = {
    "SELECT": ("rating_movement", "receivables_invoicefile", "receivables_invoicerun", "receivables_runcustomer",
               "receivables_runfinding"),
    "DELETE": ("rating_movement", "receivables_allocation", "receivables_billingprofile", "receivables_entry",
               "receivables_invoice", "receivables_invoicefile", "receivables_invoiceline", "receivables_invoicerun",
               "receivables_invoicetax", "receivables_payment", "receivables_posting", "receivables_reversal",
               "receivables_runcustomer", "receivables_runfinding"),
}  # fmt: skip
# What is written once stays so for everybody but the erasure, and that only takes away: it changes nothing.
ONCE = ("entry", "posting", "payment", "allocation", "invoicefile", "reversal")
GUARDED = {
    "invoice": "receivables_invoice_guard", "invoiceline": "receivables_child_guard",
    "invoicetax": "receivables_child_guard",
}  # fmt: skip
TRIGGER = (
    "CREATE TRIGGER {name} BEFORE {events} ON receivables_{table} FOR EACH ROW {when} EXECUTE FUNCTION {function}()"
)


def policy(table, command):
    return migrations.RunSQL(
        f'CREATE POLICY "erasure_{command.lower()}" ON "{table}" FOR {command} TO {OWNER} USING (true)',
        f'DROP POLICY "erasure_{command.lower()}" ON "{table}"',
    )


def parted(table, name, events, function):
    """Return what makes of one trigger two: that of deletions lets the erasure pass."""
    made = {"table": table, "function": function}
    last = TRIGGER.format(name=f"{name}_gone", events="DELETE", when=f"WHEN (NOT ({IS_ERASED}))", **made)
    return migrations.RunSQL(
        [
            f"DROP TRIGGER {name} ON receivables_{table}",
            TRIGGER.format(name=name, events=events, when="", **made),
            last,
        ],
        [
            f"DROP TRIGGER {name}_gone ON receivables_{table}",
            f"DROP TRIGGER {name} ON receivables_{table}",
            TRIGGER.format(name=name, events=f"{events} OR DELETE", when="", **made),
        ],
    )


class Migration(migrations.Migration):
    dependencies = [
        ("sbc", "0009_erasure_of_papers"),
        ("rating", "0008_reminder_fees"),
        ("receivables", "0017_first_bills"),
        ("tenants", "0013_retention_of_books"),
    ]

    operations = [
        *(policy(table, command) for command, tables in POLICIES.items() for table in tables),
        *(parted(table, "once", "UPDATE", "receivables_refuse_change") for table in ONCE),
        *(parted(table, "guard", "INSERT OR UPDATE", function) for table, function in GUARDED.items()),
    ]
