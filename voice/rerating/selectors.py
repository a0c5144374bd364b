"""Reads of adjustments, which an invoice has to bear, and of proposals."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _

from tenants.models import Customer
from voice.carriers.models import Trunk
from voice.rating.loading import Spans, spans_of_customers, spans_of_trunks
from voice.rating.models import RateDeck
from voice.rerating.again import Found
from voice.rerating.models import Adjustment, Proposal, Side, What

LINE = ("direction", "destination", "currency")


@dataclass(frozen=True, slots=True)
class AdjustmentSum:
    """Adjustments of one customer in one direction, destination and currency, added up; each figure may be negative."""

    direction: str
    destination: str
    currency: str
    entries: int
    calls: int
    seconds: int
    billed: int
    micros: int


def unbilled(customer_id: int, before: datetime) -> QuerySet[Adjustment]:
    """Return the adjustments that no invoice bears yet, of calls that were answered before a moment."""
    return Adjustment.objects.filter(tenant_id=customer_id, answered__lt=before, invoice_id=None)


def unbilled_sums(customer_id: int, before: datetime) -> list[AdjustmentSum]:
    """Return what `unbilled` comes to by direction, destination and currency, for a preview.

    An invoice is made of what `services.take` returns: entries may be added in between.
    """
    return sums_of(unbilled(customer_id, before))


def sums_of(adjustments: QuerySet[Adjustment]) -> list[AdjustmentSum]:
    """Return adjustments added up by direction, destination and currency, in this order."""
    figures: dict[str, Any] = {name: Sum(name) for name in ("calls", "seconds", "billed", "micros")}
    rows = adjustments.order_by().values(*LINE).annotate(entries=Count("id"), **figures).order_by(*LINE)
    return [AdjustmentSum(**row) for row in rows]


def proposals(msp: Any) -> QuerySet[Proposal]:
    """Return the MSP's proposals with the decks that they name."""
    named = ("sell_deck", "sell_version__deck", "buy_deck", "buy_version__deck")
    return Proposal.objects.filter(msp=msp).select_related("msp", *named)


def customers_of(proposal: Proposal) -> list[str]:
    """Return the names of the customers that a proposal is about; none where it is about all."""
    return list(Customer.objects.filter(pk__in=proposal.customers).order_by("name").values_list("name", flat=True))


def bys_of(proposal: Proposal, *, costs: bool) -> list[tuple[Any, str]]:
    """Return by what each side of a proposal is rated, in words."""
    sides = [(Side.SELL, proposal.sell, proposal.sell_deck, proposal.sell_version)]
    if costs:
        sides.append((Side.BUY, proposal.buy, proposal.buy_deck, proposal.buy_version))
    return [(side.label, _by(deck, version)) for side, asked, deck, version in sides if asked]


def _by(deck: RateDeck | None, version: Any) -> str:
    if deck is None:
        return _("by the deck in force when each call was answered")
    if version is None:
        return _("by the deck %(deck)s") % {"deck": deck.name}
    return _("by the deck %(deck)s as it was in version %(number)d") % {"deck": deck.name, "number": version.number}


def basis_of(proposal: Proposal) -> str:
    """Return what names all that a proposal is rated by: decks with their last change, and who has which of them when.

    Once it is another one, the proposal is out of date.
    """
    fixed = {deck for deck in (proposal.sell_deck_id, proposal.buy_deck_id) if deck is not None}
    spans: list[Any] = []
    if proposal.sell and proposal.sell_deck_id is None:
        mine = proposal.customers or Customer.objects.filter(msp=proposal.msp_id).values_list("pk", flat=True)
        spans += _named("sell", spans_of_customers(mine))
    if proposal.buy and proposal.buy_deck_id is None:
        trunks = proposal.trunks or Trunk.objects.filter(msp=proposal.msp_id).values_list("pk", flat=True)
        spans += _named("buy", spans_of_trunks(trunks))
    decks = fixed.union(deck for _side, _owner, held in spans for _begin, _end, deck in held)
    versions = RateDeck.objects.filter(pk__in=decks).order_by("pk").values_list("pk", "row_version")
    return hashlib.sha256(json.dumps([spans, list(versions)]).encode()).hexdigest()


def _named(side: str, spans: dict[int, Spans]) -> list[tuple[str, int, list[tuple[int, int, int]]]]:
    return [(side, owner, spans[owner].listed()) for owner in sorted(spans)]


def totals_of(found: Found) -> list[dict[str, Any]]:
    """Return what the calls that move came to and should come to, by side and currency."""
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for group, total in found.sums.items():
        if group.what in (What.CHANGED, What.PRICED):
            totals[group.side, group.was[1]][0] += total.was_micros
            totals[group.side, group.now[1]][1] += total.micros
    return [
        {"side": side, "currency": currency, "was_micros": was, "micros": micros}
        for (side, currency), (was, micros) in sorted(totals.items())
        if was or micros
    ]
