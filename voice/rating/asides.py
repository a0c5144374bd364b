"""Calls that have no price yet: what lacks, counted, and the decision to price them again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import phonenumbers
from babel import Locale
from django.db.models import Count, Max, QuerySet
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import audit, jobs
from portal.core.models import Job
from portal.db import contexts
from tenants.models import Msp
from voice.calls.models import Cdr
from voice.carriers.models import Trunk
from voice.rating import live
from voice.rating.models import Charge, Cost, PricedOutcome, RateDeck
from voice.rating.models.charges import ASIDE

BATCH = 500
MOST_AT_ONCE = 100_000
MOST_GROUPS = 20


@dataclass(frozen=True)
class Lack:
    """Calls that lack a price for the same reason; `owner` is the deck that has none, or the trunk without a deck."""

    outcome: str
    direction: str
    prefix: str
    where: str
    deck: int | None
    owner: str
    calls: int
    last: Any

    @property
    def reason(self) -> str:
        """The reason as people read it; a customer or trunk without any deck has its own."""
        if self.outcome == PricedOutcome.UNRATED and self.deck is None:
            return _("No deck")
        return str(PricedOutcome(self.outcome).label)


def charges_aside(msp: Msp) -> QuerySet[Charge]:
    """Return the charges of an MSP's customers that wait for a price."""
    return Charge.objects.filter(msp=msp, outcome__in=ASIDE)


def lacking_charges(msp: Msp) -> list[Lack]:
    """Return what customers' calls lack, the most frequent first."""
    return list(_lacks(charges_aside(msp).values("outcome", "direction", "prefix", "deck_id"), msp))


def lacking_costs(msp: Msp) -> list[Lack]:
    """Return what the calls over trunks lack, the most frequent first."""
    costs = Cost.objects.filter(msp=msp, outcome__in=ASIDE)
    return list(_lacks(costs.values("outcome", "direction", "prefix", "deck_id", "trunk"), msp))


def price_again(msp: Msp, *, by: Any, told: jobs.Progress | None = None) -> dict[str, int]:
    """Price every call of an MSP that waits for a price by the rates that hold now, as of its answer.

    What was priced stays as it was. Return how many calls were looked at and how many rows changed.
    """
    calls = changed = 0
    with contexts.msp(msp):
        waiting = sorted({*_keys(Charge, msp), *_keys(Cost, msp)})[:MOST_AT_ONCE]
    for first in range(0, len(waiting), BATCH):
        chunk = waiting[first : first + BATCH]
        with contexts.msp(msp):
            span = (chunk[0][0], chunk[-1][0] + timedelta(microseconds=1))
            found = list(Cdr.objects.filter(msp=msp, invited__range=span, id__in=[key for _invited, key in chunk]))
        changed += live.rate_again(found, at=now())
        calls += len(found)
        if told is not None:
            told(first + len(chunk), len(waiting), _("Pricing the calls again"))
    with contexts.msp(msp):
        audit.record(by, "charges.priced_again", None, msp_id=msp.pk, calls=calls, changed=changed)
    return {"calls": calls, "changed": changed}


@jobs.kind("rating.again")
def price_again_job(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Price an MSP's waiting calls again, in the background."""
    assert job.msp_id is not None
    return dict(price_again(Msp.objects.get(pk=job.msp_id), by=jobs.actor_of(job), told=progress))


def where_of(prefix: str) -> str:
    """Return the country that numbers with these first digits lead to, nothing where they lead to several or none."""
    return _country(prefix, translation.get_language() or "en")


@lru_cache(maxsize=2048)
def _country(prefix: str, language: str) -> str:
    for length in (1, 2, 3):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(prefix[:length]) if prefix[:length] else 0)
        if regions:
            name = Locale.parse(translation.to_locale(language)).territories.get(regions[0], "")
            return str(name) if len(regions) == 1 or regions[0] in ("GB", "RU", "IT", "NO", "FI", "AU", "MA") else ""
    return ""


def _keys(model: Any, msp: Msp) -> list[tuple[Any, UUID]]:
    rows = model.objects.filter(msp=msp, outcome__in=ASIDE).order_by("invited")
    return list(rows.values_list("invited", "id")[:MOST_AT_ONCE])


def _lacks(rows: Any, msp: Msp) -> Iterator[Lack]:
    found = list(rows.annotate(calls=Count("id"), last=Max("invited")).order_by("-calls", "prefix")[:MOST_GROUPS])
    decks = dict(RateDeck.objects.filter(msp=msp).values_list("pk", "name"))
    trunks = dict(
        Trunk.objects.filter(pk__in=[row["trunk"] for row in found if "trunk" in row]).values_list("pk", "name")
    )
    for row in found:
        trunk = trunks.get(row.get("trunk"), "")
        deck = decks.get(row["deck_id"], "")
        owner = " · ".join(name for name in (trunk, deck) if name)
        yield Lack(
            row["outcome"], row["direction"], row["prefix"], where_of(row["prefix"]), row["deck_id"], owner,
            row["calls"], row["last"],
        )  # fmt: skip
