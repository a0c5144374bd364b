"""Which entries of the audit log somebody may read: those about what they may see elsewhere, too."""

from collections.abc import Callable

from django.db.models import Q, QuerySet

from portal.core.models import AuditEntry

# What stands in entries of an area, and the capability of the pages that show it. Areas that are not here are open to
# everybody who reads the log at all; a test demands that each area is either here or there.
DEMANDS = {
    "bills.view": (
        "account", "bill", "billing_profile", "book_entry", "contract", "exchange_rate", "exchange_rates", "exemption",
        "invoice", "invoice_run", "legal_entity", "payment", "tax_rule", "vat_id", "vat_registration",
    ),
    "payments.view": (
        "bank_entry", "bank_statement", "card", "card_account", "card_payment", "dunning", "dunning_step", "reminder",
        "reminders",
    ),
    "plans.view": ("plan", "quote"),
    "rates.view": ("charges", "customer_deck", "deck", "losses", "rerating"),
    "costs.view": ("buying_deck", "trunk_deck"),
    "integrations.view": ("file_store", "webhook"),
    "advice.view": ("advisor", "assessment"),
    "margin.view": ("carrier_invoice", "margin"),
}  # fmt: skip
# What an MSP has not sent yet is no customer's business.
UNSENT = (
    "invoice.drafted", "invoice.credit_drafted", "invoice.approved", "invoice.reopened", "invoice.dropped",
    "reminders.proposed", "reminder.dropped",
)  # fmt: skip
DESK, CONSOLE = "customers.view", "msps.view"


def seen_by(entries: QuerySet[AuditEntry], can: Callable[[str], bool]) -> QuerySet[AuditEntry]:
    """Return the entries that somebody with these capabilities may read; the operator's console has its own alone."""
    if can(CONSOLE):
        return entries
    hidden = Q(verb__in=[] if can(DESK) else UNSENT)
    for capability, areas in DEMANDS.items():
        if not can(capability):
            for area in areas:
                hidden |= Q(verb__startswith=f"{area}.")
    return entries.exclude(hidden)
