"""What hangs on the books: records of banks and cards, carriers' invoices, letters and contracts."""

from sbc.services.retained.holding import Holding
from tenants.models import DataClass

# Who bills a customer, for what hangs on the customer and not on a document.
BILLER = "(SELECT p.entity_id FROM receivables_billingprofile p WHERE p.tenant_id = t.tenant_id)"
_OF_INVOICE = "(SELECT i.entity_id FROM receivables_invoice i WHERE i.id = t.invoice_id)"
_LEFT_AT = "(SELECT c.closed_at FROM tenants_customer c WHERE c.id = t.tenant_id)"

_TAKER = "(SELECT a.entity_id FROM payments_cardaccount a WHERE a.id = t.account_id)"
_TRIER = "(SELECT a.tenant_id FROM payments_cardattempt a WHERE a.id = t.attempt_id)"
_TRIER_PAYS = """
    (SELECT c.entity_id FROM payments_cardattempt a JOIN payments_cardaccount c ON c.id = a.account_id
      WHERE a.id = t.attempt_id)
""".strip()
_PAID = """
    EXISTS (SELECT FROM payments_cardattempt a WHERE a.id = t.attempt_id AND a.payment_id IS NOT NULL)
"""
_NOTHING_TOLD = """
    NOT EXISTS (SELECT FROM payments_cardevent e WHERE e.attempt_id = t.id)
    AND NOT EXISTS (SELECT FROM payments_carddispute d WHERE d.attempt_id = t.id)
"""
_DISPUTED_AT = """
    (SELECT greatest(a.created_at::date, (SELECT r.booked_on FROM receivables_reversal r WHERE r.id = t.reversal_id),
                     (SELECT p.received_on FROM receivables_payment p WHERE p.id = t.returned_id))
       FROM payments_cardattempt a WHERE a.id = t.attempt_id)
""".strip()
_UNUSED_CARD = "NOT EXISTS (SELECT FROM payments_cardattempt a WHERE a.method_id = t.id)"
_NO_ENTRY = "NOT EXISTS (SELECT FROM payments_bankentry e WHERE e.statement_id = t.id)"

# While an invoice is open, what was written about it is needed to claim it.
_SETTLED = """
    NOT EXISTS (SELECT FROM receivables_invoice i WHERE i.id = t.invoice_id AND i.kind = 'invoice' AND i.total >
                (SELECT coalesce(sum(a.amount), 0) FROM receivables_allocation a WHERE a.invoice_id = i.id))
"""
_REMINDED_AT = """
    (SELECT coalesce(r.released_on, r.proposed_on) FROM payments_reminder r WHERE r.id = t.reminder_id)
""".strip()
_REMINDED = f"""
    {_SETTLED} AND EXISTS (SELECT FROM payments_reminder r WHERE r.id = t.reminder_id AND r.state <> 'proposed')
"""
# While it stops the calls of a customer, it says why; who has left does not call again.
_OVER_REMINDER = f"""
    t.state <> 'proposed' AND (t.suspended_at IS NULL OR t.resumed_at IS NOT NULL OR {_LEFT_AT} IS NOT NULL)
    AND NOT EXISTS (SELECT FROM payments_reminderline l WHERE l.reminder_id = t.id)
"""
_NO_NOTICE = "NOT EXISTS (SELECT FROM receivables_notice n WHERE n.question_id = t.id)"

_CONTRACT_END = "(SELECT c.ends FROM plans_contract c WHERE c.id = t.contract_id)"
_BARE_CONTRACT = """
    NOT EXISTS (SELECT FROM plans_addon a WHERE a.contract_id = t.id)
    AND NOT EXISTS (SELECT FROM plans_credit c WHERE c.contract_id = t.id)
    AND NOT EXISTS (SELECT FROM plans_phase p WHERE p.contract_id = t.id)
"""
# The last answer about a VAT id, and the last days that are closed, are what today's bills go by.
_ASKED_AGAIN = """
    EXISTS (SELECT FROM receivables_vatidcheck n WHERE n.msp_id = t.msp_id AND n.vat_id = t.vat_id AND n.id > t.id)
"""
_CLOSED_LATER = "EXISTS (SELECT FROM plans_drawnperiod d WHERE d.tenant_id = t.tenant_id AND d.ends > t.ends)"

_RUN_END = "(SELECT r.ends FROM receivables_invoicerun r WHERE r.id = t.run_id)"
_RUN_OF = """
    (SELECT {} FROM receivables_runcustomer c LEFT JOIN receivables_billingprofile p ON p.tenant_id = c.tenant_id
      WHERE c.id = t.customer_id)
""".strip()
_NO_FINDING = "NOT EXISTS (SELECT FROM receivables_runfinding f WHERE f.customer_id = t.id)"
_BARE_RUN = """
    NOT EXISTS (SELECT FROM receivables_runfinding f WHERE f.run_id = t.id)
    AND NOT EXISTS (SELECT FROM receivables_runcustomer c WHERE c.run_id = t.id)
"""
_OF_CARRIER = "(SELECT i.created_at FROM margin_carrierinvoice i WHERE i.id = t.invoice_id)"
_COMPARED = """
    NOT EXISTS (SELECT FROM margin_carriercall c WHERE c.invoice_id = t.id)
    AND NOT EXISTS (SELECT FROM margin_carrierfault f WHERE f.invoice_id = t.id)
"""

PAPERS = (
    # Payers whose money was nobody's bill, and tries that came to nothing: details of people, and no booking.
    Holding(DataClass.UNBOOKED, "payments_bankentry", "booked_on", "t.state = 'aside'", company="entity_id"),
    Holding(DataClass.UNBOOKED, "payments_cardevent", "received_at", f"NOT {_PAID}", tenant=_TRIER, company=_TAKER),
    Holding(DataClass.UNBOOKED, "payments_cardattempt", "created_at",
            f"t.payment_id IS NULL AND NOT t.is_under_way AND {_NOTHING_TOLD}", company=_TAKER),
    # What the bank and the gateway told of what was booked; entries that wait for somebody wait no longer than these.
    Holding(DataClass.VOUCHERS, "payments_bankentry", "booked_on", "t.state <> 'aside'", company="entity_id"),
    Holding(DataClass.VOUCHERS, "payments_bankstatement", "ends", _NO_ENTRY, tenant="", company="entity_id"),
    Holding(DataClass.VOUCHERS, "payments_cardevent", "received_at", _PAID, tenant=_TRIER, company=_TAKER),
    Holding(DataClass.VOUCHERS, "payments_carddispute", _DISPUTED_AT, company=_TRIER_PAYS),
    Holding(DataClass.VOUCHERS, "payments_cardattempt", "created_at", f"t.payment_id IS NOT NULL AND {_NOTHING_TOLD}",
            company=_TAKER),
    # A saved card is its owner's to remove; those of customers who left go with what was paid by them.
    Holding(DataClass.VOUCHERS, "payments_cardmethod", _LEFT_AT, _UNUSED_CARD, company=_TAKER),
    Holding(DataClass.VOUCHERS, "payments_cardpayer", _LEFT_AT, company=_TAKER),
    Holding(DataClass.VOUCHERS, "plans_drawnperiod", "ends", _CLOSED_LATER, company=BILLER),
    Holding(DataClass.VOUCHERS, "receivables_vatidcheck", "asked_at", _ASKED_AGAIN, company=BILLER),
    Holding(DataClass.VOUCHERS, "receivables_exemption", "ends", company=BILLER),
    # What a run found, and for whom, before the run.
    Holding(DataClass.VOUCHERS, "receivables_runfinding", _RUN_END, tenant=_RUN_OF.format("c.tenant_id"),
            company=_RUN_OF.format("p.entity_id")),
    Holding(DataClass.VOUCHERS, "receivables_runcustomer", _RUN_END, _NO_FINDING, company=BILLER),
    Holding(DataClass.VOUCHERS, "receivables_invoicerun", "ends", _BARE_RUN, tenant=""),
    # Lines first: they belong to their invoice. Of which of its companies an MSP buys, nothing says.
    Holding(DataClass.VOUCHERS, "margin_carrierfault", _OF_CARRIER, tenant=""),
    Holding(DataClass.VOUCHERS, "margin_carrierinvoice", "created_at", _COMPARED, tenant=""),
    Holding(DataClass.LETTERS, "payments_reminderline", _REMINDED_AT, _REMINDED, company=_OF_INVOICE),
    Holding(DataClass.LETTERS, "payments_reminder", "(coalesce(t.released_on, t.proposed_on))", _OVER_REMINDER,
            company="entity_id"),
    Holding(DataClass.LETTERS, "payments_dunningpause", "(coalesce(t.ended_at::date, t.until))", company=BILLER),
    Holding(DataClass.LETTERS, "receivables_notice", "created_at", company=_OF_INVOICE),
    Holding(DataClass.LETTERS, "receivables_linequestion", "answered_at", f"{_SETTLED} AND {_NO_NOTICE}",
            company=_OF_INVOICE),
    # Parts first: they belong to their contract.
    Holding(DataClass.LETTERS, "plans_addon", _CONTRACT_END, company=BILLER),
    Holding(DataClass.LETTERS, "plans_credit", _CONTRACT_END, company=BILLER),
    Holding(DataClass.LETTERS, "plans_phase", _CONTRACT_END, company=BILLER),
    Holding(DataClass.LETTERS, "plans_contract", "ends", _BARE_CONTRACT, company=BILLER),
)  # fmt: skip
