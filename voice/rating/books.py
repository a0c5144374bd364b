"""The decks by which a batch of calls is priced, as the database has them at that moment; as the role ingest."""

import logging
from collections.abc import Iterable, Sequence
from typing import Self

from voice.carriers.models import Trunk
from voice.rating.loading import LoadedDeck, Tariffs, tariffs_for
from voice.rating.talks import Priced, Talk, bought, sold, trunks_of, unrated

logger = logging.getLogger(__name__)


class Book:
    """The decks by which a batch is priced; one that cannot be read leaves the calls of its owners without a rate."""

    def __init__(self, tenants: Iterable[int], owners: Iterable[int]) -> None:
        """Read the decks of these customers and of those of these trunks that are an MSP's."""
        self.faults = 0
        facts = Trunk.objects.filter(pk__in=owners).values_list("pk", "msp_id", "tenant_id") if owners else ()
        # A customer's own trunk costs the MSP nothing.
        self._msps = {pk: msp for pk, msp, tenant in facts if tenant is None}
        trunks = sorted(self._msps)
        self._single: dict[tuple[str, int], Tariffs] | None = None
        try:
            self._all = tariffs_for(tenants, trunks)
        except ValueError:
            # A deck that makes no sense must not take the others' rates away.
            logger.exception("A deck cannot be read")
            self._single = {("sell", pk): found for pk in tenants if (found := self._read([pk], ()))}
            self._single |= {("buy", pk): found for pk in trunks if (found := self._read((), [pk]))}

    @classmethod
    def of(cls, talks: Sequence[Talk]) -> Self:
        """Read the decks of all customers and trunks that the talks name."""
        return cls(*owners_of(talks))

    def agrees(self, other: "Book") -> bool:
        """Tell whether both would price any call of the same customers and trunks alike, to the rate's id."""
        whole = self._single is None and other._single is None
        return whole and self._msps == other._msps and self._all.agrees(other._all)

    def sell(self, talk: Talk) -> Priced:
        """Return what a talk costs its customer."""
        tariffs = self._all if self._single is None else self._single.get(("sell", talk.tenant))
        at = talk.answered if talk.answered is not None else talk.invited
        return self._sold(talk, tariffs.sell(talk.tenant, at) if tariffs else None)

    def buy(self, talk: Talk, trunk: int, direction: str) -> Priced | None:
        """Return what a talk costs over a trunk, None where the trunk is none of the MSP's."""
        # What a node says of a trunk is not believed: another MSP's prices are nobody's business.
        if self._msps.get(trunk) != talk.msp:
            return None
        tariffs = self._all if self._single is None else self._single.get(("buy", trunk))
        assert talk.answered is not None
        loaded = tariffs.buy(trunk, talk.answered) if tariffs else None
        try:
            return bought(talk, direction, loaded)
        except Exception:
            return self._failed(talk)

    def _sold(self, talk: Talk, loaded: LoadedDeck | None) -> Priced:
        try:
            return sold(talk, loaded)
        except Exception:
            return self._failed(talk)

    def _failed(self, talk: Talk) -> Priced:
        if not self.faults:
            logger.exception("Pricing call %s failed", talk.id)
        self.faults += 1
        return unrated(talk)

    def _read(self, tenants: Iterable[int], trunks: Iterable[int]) -> Tariffs | None:
        try:
            return tariffs_for(tenants, trunks)
        except ValueError:
            self.faults += 1
            return None


def owners_of(talks: Sequence[Talk]) -> tuple[set[int], set[int]]:
    """Return the customers and the trunks that price these talks."""
    return {talk.tenant for talk in talks}, {trunk for talk in talks for trunk, _direction in trunks_of(talk)}
