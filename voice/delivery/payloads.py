"""What a message says: made from rows that never change again, so that it says the same whenever it is sent."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from voice.calls.masking import Hidden
from voice.calls.models import Cdr
from voice.delivery.models import Kind, Message
from voice.rating.models import Charge
from voice.receivables import selectors as receivables
from voice.receivables.api import InvoiceSerializer
from voice.receivables.api_entries import BookEntrySerializer, with_amount
from voice.receivables.api_payments import PaymentSerializer
from voice.receivables.models import Entry, Payment, Reversal
from voice.rerating.models import Adjustment, Proposal

CALL = ["id", "direction", "caller", "called", "invited", "answered", "ended", "disposition"]
PRICED = ["outcome", "destination", "seconds", "billed", "micros", "currency"]
MOVED = ["invited", "answered", "direction", "destination", "calls", "seconds", "billed", "micros", "currency"]


def body(message: Message, hidden: Hidden) -> str:
    """Return a message as JSON: type, timestamp and data, as the Standard Webhooks lay it out."""
    told = {"type": message.kind, "timestamp": message.at.isoformat(), "data": data(message, hidden)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=str)


def data(message: Message, hidden: Hidden) -> dict[str, Any]:
    """Return what a message tells, with its number in the feed. `hidden`: whose callers' last digits are cut."""
    found: dict[str, Any] = {"sequence": message.sequence}
    document = message.document or 0
    if message.kind == Kind.CALLS:
        found["calls"] = [call for each in told_calls([message], hidden) for call in each[1]]
    elif message.kind == Kind.ADJUSTMENT:
        found |= _adjustments(message)
    elif message.kind == Kind.PAYMENT:
        found["payment"] = PaymentSerializer(Payment.objects.get(pk=document)).data
    elif message.kind == Kind.REVERSAL:
        found["reversal"] = _reversal(Reversal.objects.select_related("payment").get(pk=document))
    elif message.kind == Kind.ENTRY:
        found["entry"] = BookEntrySerializer(with_amount(Entry.objects.all()).get(pk=document)).data
    elif message.kind in (Kind.INVOICE, Kind.CREDIT_NOTE):
        invoices = receivables.with_settlements(receivables.invoices()).prefetch_related("lines", "taxes")
        invoice = invoices.get(pk=document)
        found["invoice"] = InvoiceSerializer(invoice).data
    return found


def _reversal(reversal: Reversal) -> dict[str, Any]:
    """Return what went back of a payment and why, the payment with it: `amount` is not more than was paid."""
    payment = PaymentSerializer(reversal.payment).data
    told = {name: getattr(reversal, name) for name in ("id", "kind", "amount", "booked_on", "reference")}
    return _all_plain(told) | {
        "customer": reversal.tenant_id,
        "currency": reversal.payment.currency,
        "payment": payment,
    }


def told_calls(messages: Sequence[Message], hidden: Hidden) -> Iterable[tuple[Message, list[dict[str, Any]]]]:
    """Yield messages with their calls, in the order in which they were priced."""
    for message in messages:
        if not message.calls:
            continue
        within = (message.first_invited, message.last_invited)
        charges = Charge.objects.filter(msp_id=message.msp_id, invited__range=within, id__in=message.calls)
        priced = {charge.id: charge for charge in charges}
        records = Cdr.objects.filter(msp_id=message.msp_id, invited__range=within, id__in=message.calls)
        known = {record.id: record for record in records.shown_to(hidden)}
        # What was erased since then is erased: the record's facts are missing, the price is not.
        yield message, [_call(known.get(key), priced[key]) for key in message.calls if key in priced]


def _adjustments(message: Message) -> dict[str, Any]:
    """Return by which proposal calls were priced again, and each entry for the difference under its call's id."""
    number = message.proposal or 0
    proposal = Proposal.objects.filter(pk=number).first()
    entries = Adjustment.objects.filter(
        msp_id=message.msp_id, proposal_id=number, call__in=message.calls,
        invited__range=(message.first_invited, message.last_invited),
    ).order_by("invited", "call", "pk")  # fmt: skip
    told = [
        {"customer": entry.tenant_id, "id": entry.call} | {name: getattr(entry, name) for name in MOVED}
        for entry in entries
    ]
    found = {"id": number, "reason": proposal.reason if proposal else ""}
    applied = proposal.applied_at if proposal else None
    return {"proposal": found | {"applied_at": _plain(applied)}, "adjustments": [_all_plain(each) for each in told]}


def _all_plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in facts.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _call(record: Cdr | None, charge: Charge) -> dict[str, Any]:
    found: dict[str, Any] = {"customer": charge.tenant_id}
    for name in CALL:
        found[name] = getattr(record if record is not None else charge, name, None)
    found |= {name: getattr(charge, name) for name in PRICED}
    return _all_plain(found)
