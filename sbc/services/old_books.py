"""Finding the books that are over: read whole, weighed in `outlived`, noted where the erasure looks them up."""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any

from django.db import connection

from sbc.services.outlived import Key, Paper, outlived

# Where the holdings of the books find what can go; the connection's own, gone with the erasure's transaction.
TABLES = {"entry": "erasure_entry", "invoice": "erasure_invoice", "payment": "erasure_payment"}

# Known to nobody: what is linked with it stays.
YOUNGER: Key = ("younger", 0)

# Whatever names a document keeps it until it goes itself: what the bank told, a reminder, a message that is listed. A
# hold keeps all of its customer's, and is counted as such.
_HELD = """
    EXISTS (SELECT FROM tenants_legalhold h
             WHERE h.released_at IS NULL AND h.call IS NULL AND h.tenant_id = i.tenant_id)
"""
_INVOICES = """
    SELECT i.id, i.tenant_id, i.entity_id, i.currency, greatest(i.issued_on, i.issued_at::date), NOT {held} AND (
           EXISTS (SELECT FROM payments_reminderline r WHERE r.invoice_id = i.id)
        OR EXISTS (SELECT FROM payments_dunningpause p WHERE p.invoice_id = i.id)
        OR EXISTS (SELECT FROM receivables_linequestion q WHERE q.invoice_id = i.id)
        OR EXISTS (SELECT FROM receivables_notice n WHERE n.invoice_id = i.id)
        OR EXISTS (SELECT FROM receivables_runcustomer c WHERE c.invoice_id = i.id)
        OR EXISTS (SELECT FROM receivables_invoice d WHERE d.corrects_id = i.id AND d.state <> 'issued')
        OR EXISTS (SELECT FROM delivery_message m JOIN delivery_delivery d ON d.message_id = m.id
                    WHERE m.msp_id = i.msp_id AND m.kind IN ('invoice.issued', 'credit_note.issued')
                      AND m.document = i.id)),
           i.corrects_id
      FROM receivables_invoice i WHERE i.state = 'issued' AND greatest(i.issued_on, i.issued_at::date) < %s AND {home}
"""
_PAYMENTS = """
    SELECT i.id, i.tenant_id, i.entity_id, i.currency, greatest(i.received_on, i.created_at::date), NOT {held} AND (
           EXISTS (SELECT FROM payments_bankentry b WHERE b.payment_id = i.id)
        OR EXISTS (SELECT FROM payments_cardattempt a WHERE a.payment_id = i.id)
        OR EXISTS (SELECT FROM payments_carddispute d WHERE d.returned_id = i.id)
        OR EXISTS (SELECT FROM receivables_reversal r WHERE r.payment_id = i.id
                    AND (EXISTS (SELECT FROM payments_bankentry b WHERE b.reversal_id = r.id)
                      OR EXISTS (SELECT FROM payments_carddispute d WHERE d.reversal_id = r.id)))
        OR EXISTS (SELECT FROM delivery_message m JOIN delivery_delivery d ON d.message_id = m.id
                    WHERE m.msp_id = i.msp_id AND (m.kind = 'payment.recorded' AND m.document = i.id
                       OR m.kind = 'payment.reversed'
                      AND m.document IN (SELECT r.id FROM receivables_reversal r WHERE r.payment_id = i.id))))
      FROM receivables_payment i WHERE greatest(i.received_on, i.created_at::date) < %s AND {home}
"""
_ENTRIES = """
    SELECT e.id, e.tenant_id, e.entity_id, e.currency, greatest(e.booked_on, e.created_at::date), e.invoice_id,
           coalesce(e.payment_id, r.payment_id), e.corrects_id,
           coalesce((SELECT sum(g.debit - g.credit) FROM receivables_posting g
                       JOIN receivables_account a ON a.id = g.account_id
                      WHERE g.entry_id = e.id AND a.kind = 'receivable'), 0)
      FROM receivables_entry e LEFT JOIN receivables_reversal r ON r.id = e.reversal_id
     WHERE {home} AND (greatest(e.booked_on, e.created_at::date) < %s OR e.invoice_id = ANY(%s)
        OR coalesce(e.payment_id, r.payment_id) = ANY(%s) OR e.corrects_id IN (
           SELECT o.id FROM receivables_entry o WHERE greatest(o.booked_on, o.created_at::date) < %s))
"""
# Each links two documents, or is younger and keeps them.
_LINKS = """
    SELECT a.invoice_id, a.payment_id, a.credit_note_id, a.created_at::date FROM receivables_allocation a
     WHERE a.invoice_id = ANY(%s) OR a.payment_id = ANY(%s)
    UNION ALL
    SELECT NULL, r.payment_id, NULL, greatest(r.booked_on, r.created_at::date) FROM receivables_reversal r
     WHERE r.payment_id = ANY(%s)
"""


def note(found: Iterable[tuple[date, str, list[Any]]]) -> None:
    """Note what of the books is over, for each day before which it is so and each condition on the company.

    The caller holds the transaction in which it is taken away: between the two nobody reads half of it.
    """
    gone: set[Key] = set()
    for before, home, values in found:
        gone |= outlived(*_read(before, home, values))
    with connection.cursor() as cursor:
        for kind, table in TABLES.items():
            cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} (id bigint PRIMARY KEY) ON COMMIT DROP")
            cursor.execute(f"TRUNCATE {table}")
            ids = [pk for what, pk in gone if what == kind]
            cursor.execute(f"INSERT INTO {table} SELECT unnest(%s::bigint[])", [ids])
            cursor.execute(f"ANALYZE {table}")


def _read(before: date, home: str, values: list[Any]) -> tuple[list[Paper], list[tuple[Key, Key]]]:
    papers: list[Paper] = []
    links: list[tuple[Key, Key]] = []
    for pk, *account, on, stays, corrects in _rows(_INVOICES.format(home=home, held=_HELD), [before, *values]):
        papers.append(Paper(("invoice", pk), tuple(account), on, stays=stays))
        links += [(("invoice", pk), ("invoice", corrects))] if corrects else []
    for pk, *account, on, stays in _rows(_PAYMENTS.format(home=home, held=_HELD), [before, *values]):
        papers.append(Paper(("payment", pk), tuple(account), on, stays=stays))
    invoices, payments = ([pk for what, pk in (paper.key for paper in papers) if what == kind]
                          for kind in ("invoice", "payment"))  # fmt: skip
    entries = _rows(_ENTRIES.format(home=home), [*values, before, invoices, payments, before])
    for pk, *account, on, invoice, payment, corrects, owed in entries:
        papers.append(Paper(("entry", pk), tuple(account), on, int(owed), stays=on >= before))
        links += [(("entry", pk), ("invoice", invoice))] if invoice else []
        links += [(("entry", pk), ("payment", payment))] if payment else []
        links += [(("entry", pk), ("entry", corrects))] if corrects else []
    for invoice, payment, credit, on in _rows(_LINKS, [invoices, payments, payments]):
        ends: list[Key] = [("invoice", pk) for pk in (invoice, credit) if pk] + [("payment", payment)] * bool(payment)
        links += [(end, YOUNGER) for end in ends] if on >= before else list(pairwise(ends))
    return papers, links


def _rows(statement: str, values: list[Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        yield from cursor.fetchall()
