"""What became of a call's charge after it was posted: decisions by hand, ratings again, and the bills that bear them.

Charges, costs and entries are read; nothing here changes what was posted.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.db import contexts
from tenants.models import Msp
from voice.billing.models import Bill
from voice.rating.models import Charge, Cost
from voice.receivables.models import BilledCharge, Invoice
from voice.rerating.models import Adjustment, CostAdjustment, Decision, Proposal

Amounts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Paper:
    """A bill as the reader knows it."""

    pk: int
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """One rating again: by currency, what the call came to before and after, and the bill that has the difference.

    `destination` is the one that the call went to by then, empty where that stayed the same.
    """

    at: datetime
    proposal: int
    before: Amounts
    after: Amounts
    destination: str = ""
    paper: Paper | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CostHistory:
    """What a trunk asked for the call when it was posted, what changed of it, and what it asks now."""

    trunk: int
    changes: list[Change]
    stands: Amounts


@dataclass(frozen=True, slots=True)
class History:
    """A charge from its posting to now: its bill, who or what set its price, each change, what it comes to."""

    paper: Paper | None
    position: int
    decision: Decision | None
    # The rating again that set the price of a call that had been kept aside.
    priced_by: Proposal | None
    changes: list[Change]
    stands: Amounts
    costs: list[CostHistory] = field(default_factory=list)

    @property
    def is_corrected(self) -> bool:
        return bool(self.changes) or any(cost.changes for cost in self.costs)


def history_of(charge: Charge, msp: Msp, *, is_msp: bool, costs: bool = False) -> History:
    """Return what became of a charge, with the bills that its reader may open: a customer knows of no draft.

    Decisions and proposals are the MSP's rows, with names and reasons: whoever shows them to a customer leaves those
    out.
    """
    key = {"tenant_id": charge.tenant_id, "invited": charge.invited}
    billed = BilledCharge.objects.filter(**key, id=charge.id).values_list("line__invoice_id", "line__position").first()
    entries = list(Adjustment.objects.filter(**key, call=charge.id).order_by("made_at", "pk"))
    with contexts.msp(msp):
        decision = Decision.objects.filter(**key, call=charge.id).first()
        # A price that a proposal set bears the moment of its application.
        applied = Proposal.objects.filter(msp=msp, state=Proposal.State.APPLIED, applied_at=charge.rated_at)
        priced_by = None if charge.is_kept_aside else applied.first()
    asked = list(Cost.objects.filter(**key, id=charge.id).order_by("trunk")) if costs else []
    moved = list(CostAdjustment.objects.filter(**key, call=charge.id).order_by("made_at", "pk")) if costs else []

    numbers = {entry.invoice_id for entry in entries} | ({billed[0]} if billed else set())
    papers = _papers({number for number in numbers if number is not None}, is_msp=is_msp)
    reasons = _reasons({entry.proposal_id for entry in (*entries, *moved)}) if is_msp else {}
    changes, stands = _changes(charge, entries, papers, reasons)
    paper = papers.get(billed[0]) if billed else None
    return History(
        paper, billed[1] if billed else 0, decision, priced_by, changes, stands,
        [CostHistory(cost.trunk, *_changes(cost, [each for each in moved if each.trunk == cost.trunk], {}, reasons))
         for cost in asked],
    )  # fmt: skip


def _papers(numbers: Iterable[int], *, is_msp: bool) -> dict[int, Paper]:
    if not numbers:
        return {}
    found: Any = Invoice.objects if is_msp else Bill.objects
    return {row.pk: Paper(row.pk, str(row)) for row in found.filter(pk__in=numbers)}


def _reasons(proposals: Iterable[int]) -> dict[int, str]:
    return dict(Proposal.objects.filter(pk__in=proposals).values_list("pk", "reason")) if proposals else {}


def _changes(
    posted: Charge | Cost, entries: Iterable[Any], papers: dict[int, Paper], reasons: dict[int, str]
) -> tuple[list[Change], Amounts]:
    """Return each rating again that moved what was posted, the first one first, and what it comes to after all."""
    by_proposal: dict[int, list[Any]] = defaultdict(list)
    for entry in entries:
        by_proposal[entry.proposal_id].append(entry)
    stands: Amounts = {posted.currency: posted.micros} if posted.currency else {}
    changes = []
    for proposal, moves in by_proposal.items():
        before, stands = stands, dict(stands)
        for move in moves:
            stands[move.currency] = stands.get(move.currency, 0) + move.micros
        stands = {currency: micros for currency, micros in stands.items() if micros} or {moves[-1].currency: 0}
        destination = next((move.destination for move in moves if move.calls > 0), "")
        paper = papers.get(getattr(moves[0], "invoice_id", None) or 0)
        changes.append(
            Change(moves[0].made_at, proposal, before, stands, destination, paper, reasons.get(proposal, ""))
        )
    return changes, stands
