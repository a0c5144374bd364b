from django.db import migrations

from portal.db.rls import IS_ERASED, OWNER

# What the monthly erasure takes away since it goes through papers and people, too.
TAKEN = (
    "carriers_trunkgrant", "inventory_allocation", "inventory_stockimport", "inventory_stockimporterror",
    "margin_carrierfault", "margin_carrierinvoice", "payments_bankentry", "payments_bankstatement",
    "payments_cardattempt", "payments_carddispute", "payments_cardevent", "payments_cardmethod", "payments_cardpayer",
    "payments_dunningpause", "payments_reminder", "payments_reminderline", "plans_addon", "plans_contract",
    "plans_credit", "plans_drawnperiod", "plans_phase", "rating_limitwarning", "receivables_billedcharge",
    "receivables_exemption", "receivables_linequestion", "receivables_notice", "receivables_vatidcheck",
    "tenants_acting", "tenants_apitoken", "tenants_channellimit", "tenants_invitation",
)  # fmt: skip
# What it looks into to know what is over. A table that it could not see would look empty to it.
READ = (
    "payments_cardaccount", "receivables_allocation", "receivables_billingprofile", "receivables_legalentity",
    "receivables_payment", "receivables_reversal", "tenants_membership",
)  # fmt: skip
# The calls of an issued invoice are fixed; only the erasure takes them away.
GUARD = """
DROP TRIGGER guard_delete ON receivables_billedcharge;
CREATE TRIGGER guard_delete AFTER DELETE ON receivables_billedcharge REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT {when} EXECUTE FUNCTION receivables_billed_guard()
"""


def policy(table, command):
    return migrations.RunSQL(
        f'CREATE POLICY "erasure_{command.lower()}" ON "{table}" FOR {command} TO {OWNER} USING (true)',
        f'DROP POLICY "erasure_{command.lower()}" ON "{table}"',
    )


class Migration(migrations.Migration):
    dependencies = [
        ("sbc", "0008_alarm_kinds"),
        ("carriers", "0003_dated_grants"),
        ("inventory", "0004_customers_see_what_they_held"),
        ("margin", "0002_carrier_invoices"),
        ("payments", "0004_one_way"),
        ("plans", "0003_drawn_with_its_bill"),
        ("rating", "0006_limits"),
        ("receivables", "0017_first_bills"),
        ("tenants", "0011_retention_of_papers"),
    ]

    operations = [
        *(policy(table, command) for table in TAKEN for command in ("SELECT", "DELETE")),
        *(policy(table, "SELECT") for table in READ),
        migrations.RunSQL(GUARD.format(when=f"WHEN (NOT ({IS_ERASED}))"), GUARD.format(when="")),
    ]
