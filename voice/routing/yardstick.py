"""By which call an MSP's trunks are compared today, and by which exchange rates in one currency."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone

from portal.db import contexts
from portal.db.contexts import MspLike
from voice.currencies.conversion import AT_MOST_DAYS, Conversion
from voice.currencies.selectors import rates_on
from voice.rating.ranking import typical_seconds
from voice.rating.typical import TypicalCall


@dataclass(frozen=True)
class Yardstick:
    """A typical call, the stored exchange rates by which sums of other currencies become its own, and those without."""

    call: TypicalCall
    conversions: Sequence[Conversion]
    missing: Sequence[str] = ()

    @property
    def holds_until(self) -> datetime | None:
        """Return when the oldest of the rates is too old to convert by, if none comes; None where none is needed."""
        days = [each.day for each in self.conversions if each.day is not None]
        if not days:
            return None
        return timezone.make_aware(datetime.combine(min(days) + timedelta(days=AT_MOST_DAYS + 1), time()))


def yardstick(msp: MspLike, currency: str, others: Iterable[str]) -> Yardstick:
    """Return how costs in other currencies are compared in this one today."""
    with contexts.msp(msp):
        seconds = typical_seconds(msp.pk)
        conversions = rates_on(others, currency, timezone.localdate())
    call = TypicalCall(seconds, currency, {each.source: each.exact(1) for each in conversions})
    return Yardstick(call, conversions, sorted(each for each in others if currency and not call.compares(each)))
