"""Deciding what calls cost that no rule could price: one, or all that a list shows; each is billed next time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import audit, jobs
from portal.db import contexts
from tenants.models import Msp
from voice.calls.models import Cdr
from voice.rating.books import Book
from voice.rating.live import Batch
from voice.rating.models import Charge, Cost
from voice.rating.money import UnknownCurrency, decimals
from voice.rating.pricing import Outcome
from voice.rating.talks import Priced, Talk, milliseconds, seconds_of, talk_of_cdr
from voice.rerating.models import Decision

BATCH = 500
MOST = 100_000
DEAREST = 10_000_000_000
Kind = Decision.Kind


@dataclass(frozen=True)
class Verdict:
    """What is decided, and why; `micros` and `currency` are those of a price set by hand."""

    kind: str
    reason: str
    micros: int = 0
    currency: str = ""

    def check(self) -> None:
        """Raise ValidationError unless it can be meant."""
        wrong: dict[str, Any] = {}
        if not self.reason.strip():
            wrong["reason"] = _("Say why: the reason stays with the call.")
        if self.kind not in Kind.values:
            wrong["kind"] = _("Choose what is decided.")
        if self.kind == Kind.PRICE:
            if not 0 <= self.micros <= DEAREST:
                wrong["price"] = _("Enter a price from 0 to 10,000 for each call.")
            try:
                decimals(self.currency)
            except UnknownCurrency:
                wrong["currency"] = _("Use a currency code of three letters, for example EUR.")
        if wrong:
            raise ValidationError(wrong)


def decide(
    msp: Msp, waiting: QuerySet[Charge], verdict: Verdict, *, by: Any, told: jobs.Progress | None = None
) -> dict[str, int]:
    """Decide on calls of an MSP that wait for a price; return how many were looked at and how many are decided now.

    A call that has a price keeps it. One that cannot be decided so (never seen after its answer, no rate) waits on.
    """
    verdict.check()
    with contexts.msp(msp):
        keys = list(waiting.order_by("invited").values_list("invited", "id")[:MOST])
    decided = 0
    for first in range(0, len(keys), BATCH):
        decided += _decide(msp, keys[first : first + BATCH], verdict, audit.as_actor(by).email)
        if told is not None:
            told(min(first + BATCH, len(keys)), len(keys), _("Deciding"))
    with contexts.msp(msp):
        audit.record(
            by, "charges.decided", None, msp_id=msp.pk, reason=verdict.reason, kind=verdict.kind, calls=len(keys),
            decided=decided, micros=verdict.micros, currency=verdict.currency,
        )  # fmt: skip
    return {"calls": len(keys), "decided": decided}


def _decide(msp: Msp, keys: Sequence[tuple[datetime, UUID]], verdict: Verdict, who: str) -> int:
    with contexts.msp(msp):
        span = (keys[0][0], keys[-1][0] + timedelta(microseconds=1))
        found = list(Cdr.objects.filter(msp=msp, invited__range=span, id__in=[key for _invited, key in keys]))
    seen = {str(cdr.id): milliseconds(cdr.last_seen) for cdr in found}
    talks = [talk_of_cdr(cdr) for cdr in found if cdr.answered is not None]
    at = now()
    with contexts.ingest(), transaction.atomic():
        batch = _Decided(at)
        batch.price_again(talks, _Words(verdict, seen, talks))
        Decision.objects.bulk_create(
            Decision(
                msp=msp, tenant_id=known.tenant_id, invited=known.invited, call=known.id, kind=verdict.kind,
                was=known.outcome, micros=priced.micros, currency=priced.currency, reason=verdict.reason.strip(),
                made_by=who, made_at=at,
            )
            for known, priced in batch.decided
        )  # fmt: skip
        batch.keep()
        batch.sums.write()
    return len(batch.decided)


class _Decided(Batch):
    """A batch that remembers which charges it set."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.decided: list[tuple[Charge, Priced]] = []

    def _replace(self, known: Charge | Cost, priced: Priced) -> bool:
        if priced.outcome.is_kept_aside or not super()._replace(known, priced):
            return False
        assert isinstance(known, Charge)
        self.decided.append((known, priced))
        return True


class _Words:
    """Prices calls by a person's word instead of a deck's; what carriers ask is nobody's to decide."""

    def __init__(self, verdict: Verdict, seen: Mapping[str, int | None], talks: Sequence[Talk]) -> None:
        self.verdict, self._seen = verdict, seen
        self._book = Book.of(talks)

    def sell(self, talk: Talk) -> Priced:
        """Return what was decided of a call, still kept aside where that is not possible."""
        by_deck = self._book.sell(talk)
        if not by_deck.outcome.is_kept_aside:
            # A rate has come since: nothing is left to decide.
            return Priced(Outcome.UNRATED, *by_deck[1:])
        if self.verdict.kind == Kind.LAST_SEEN:
            last = self._seen.get(talk.id)
            wanted = by_deck.outcome is Outcome.NO_END and last is not None
            return self._book.sell(talk._replace(ended=last)) if wanted else by_deck
        seconds, destination, prefix = seconds_of(talk), by_deck.destination, by_deck.prefix
        if self.verdict.kind == Kind.PRICE:
            amount, currency = self.verdict.micros, self.verdict.currency
            return Priced(Outcome.RATED, amount, currency, seconds, seconds, destination, prefix, None, None)
        return Priced(Outcome.FREE, 0, by_deck.currency, seconds, 0, destination, prefix, None, None)

    def buy(self, talk: Talk, trunk: int, direction: str) -> Priced | None:
        """Return nothing: costs stay as they are."""
        return None
