"""Pricing calls as they are stored, in the transaction that stores them, as the role ingest.

A fault here never keeps a call record out: what cannot be priced is stored as unrated, and the caller raises an alarm.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg
from django.conf import settings
from django.db import OperationalError, connection, transaction

from portal.db import contexts
from portal.db.copy_lines import NULL, number, text
from voice.calls.models import Cdr
from voice.calls.stored import Stored
from voice.rating.books import Book, owners_of
from voice.rating.margin_sums import parts_of
from voice.rating.models import Charge, Cost
from voice.rating.talks import Priced, Talk, talk_of_cdr, talks_of_record, trunks_of, unrated
from voice.rating.usage import Sums

logger = logging.getLogger(__name__)

_COLUMNS = "direction, destination, prefix, outcome, micros, currency, seconds, billed, deck_id, rate_id"
_INCOMING = """
CREATE TEMP TABLE rating_incoming (
    tenant_id int, msp_id int, invited bigint, id uuid, answered bigint, direction text, destination text, prefix text,
    outcome text, micros bigint, currency text, seconds int, billed int, deck_id bigint, rate_id bigint, trunk bigint
) ON COMMIT DROP
"""
# Constant SQL.
_KEEP = f"""
INSERT INTO {{table}} (tenant_id, msp_id, invited, id, answered, {_COLUMNS}, rated_at{{trunk}})
SELECT tenant_id, msp_id, to_timestamp(invited / 1000.0), id, to_timestamp(answered / 1000.0), {_COLUMNS}, %s{{trunk}}
FROM rating_incoming WHERE trunk IS {{which}} NULL
"""  # noqa: S608
_KEEP_CHARGES = _KEEP.format(table="rating_charge", trunk="", which="")
_KEEP_COSTS = _KEEP.format(table="rating_cost", trunk=", trunk", which="NOT")


class Ahead:
    """New calls and what they cost, worked out before the transaction that stores them, which asks what still holds."""

    def __init__(self, calls: Iterable[Stored] = ()) -> None:
        self.talks = [talk for each in calls for talk in talks_of_record(each)] if settings.LIVE_RATING else []
        self.owners = owners_of(self.talks)
        self._book: Book | None = None
        self._batch: Batch | None = None

    def price(self, at: datetime) -> None:
        """Price the calls by what holds now; what goes wrong is left to the transaction."""
        if self.talks:
            try:
                self._book, self._batch = self._priced(Book(*self.owners), at)
            except Exception:
                logger.debug("Pricing ahead failed", exc_info=True)

    def prices(self, at: datetime) -> tuple[Book, "Batch"]:
        """Return the decks by which the calls are priced in this transaction, and their charges, costs and sums."""
        book, batch = Book(*self.owners), self._batch
        if self._book is None or batch is None or not self._book.agrees(book):
            return self._priced(book, at)
        batch.at = at
        return self._book, batch

    def _priced(self, book: Book, at: datetime) -> tuple[Book, "Batch"]:
        batch = Batch(at)
        batch.price(self.talks, book)
        return book, batch


def rate(new: Ahead, late: Sequence[Cdr], *, at: datetime) -> int:
    """Price calls that were just stored, and those whose end came late; return how many could not be looked at."""
    if not settings.LIVE_RATING or not (new.talks or late):
        return 0
    ends = [talk_of_cdr(cdr) for cdr in late]
    try:
        with transaction.atomic():
            book, batch = new.prices(at)
            late_book = Book.of(ends)
            batch.keep()
            batch.price_again(ends, late_book)
            batch.keep()
            batch.sums.write()
            return book.faults + late_book.faults
    except Exception as error:
        if _is_deadlock(error):
            # The node sends the batch once more: that is better than charges that nobody set.
            raise
        logger.exception("Pricing %s calls failed", len(new.talks) + len(ends))
    _leave_unrated(new.talks, at)
    return len(new.talks) + len(ends)


def rate_again(calls: Sequence[Cdr], *, at: datetime) -> int:
    """Price stored calls that were kept aside by what holds now; return how many charges and costs that changed.

    Nothing that was posted changes: the database refuses it, too.
    """
    talks = [talk_of_cdr(cdr) for cdr in calls if cdr.answered is not None]
    with contexts.ingest(), transaction.atomic():
        batch = Batch(at)
        batch.price_again(talks, Book.of(talks))
        batch.keep()
        batch.sums.write()
    return batch.changed


class Prices(Protocol):
    """Who says what a talk costs its customer, and what over a trunk."""

    def sell(self, talk: Talk) -> Priced: ...
    def buy(self, talk: Talk, trunk: int, direction: str) -> Priced | None: ...


class Batch:
    """Charges, costs and sums of one transaction."""

    def __init__(self, at: datetime) -> None:
        self.at, self.sums = at, Sums()
        self._lines: list[str] = []
        self.changed = 0

    def price(self, talks: Iterable[Talk], book: Book) -> None:
        """Price talks of which nothing is stored yet."""
        for talk in talks:
            charge = book.sell(talk)
            costs: dict[int, Priced] = {}
            self._charge(talk, charge)
            for trunk, direction in trunks_of(talk):
                cost = book.buy(talk, trunk, direction)
                if cost is not None:
                    self._cost(talk, trunk, cost)
                    costs[trunk] = cost
            if talk.answered is not None:
                self.sums.margins.add(talk, parts_of(talk, charge, costs))

    def price_again(self, talks: Sequence[Talk], book: Prices) -> None:
        """Price talks that were stored before: what was kept aside changes, what was posted stays as it is."""
        if not talks:
            return
        charges, costs = _known(Charge, talks), _known(Cost, talks)
        for talk in talks:
            priced, known = book.sell(talk), charges.get((talk.id, None))
            was = {trunk: costs[talk.id, trunk] for trunk, _direction in trunks_of(talk) if (talk.id, trunk) in costs}
            charge: Charge | Priced | None = known
            now: dict[int, Cost | Priced] = dict(was)
            if known is None:
                self._charge(talk, priced)
                charge = priced
            elif self._replace(known, priced):
                self._count_again(talk, known, priced, None)
                charge = priced
            for trunk, direction in trunks_of(talk):
                cost, before = book.buy(talk, trunk, direction), was.get(trunk)
                if cost is not None and before is None:
                    self._cost(talk, trunk, cost)
                    now[trunk] = cost
                elif cost is not None and before is not None and self._replace(before, cost):
                    self._count_again(talk, before, cost, trunk)
                    now[trunk] = cost
            if talk.answered is not None:
                self.sums.margins.add(talk, parts_of(talk, known, was), -1)
                self.sums.margins.add(talk, parts_of(talk, charge, now))

    def keep(self) -> None:
        """Write the charges and costs noted so far; the sums follow last, so that locks are held for a moment only."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        # COPY into a table under row-level security is refused; into a temporary one it is not.
        with connection.cursor() as cursor:
            cursor.execute(_INCOMING)
            with cursor.copy("COPY rating_incoming FROM STDIN") as copy:
                copy.write("".join(lines))
            cursor.execute(_KEEP_CHARGES, [self.at])
            cursor.execute(_KEEP_COSTS, [self.at])
            cursor.execute("DROP TABLE rating_incoming")

    def leave_unrated(self, talks: Iterable[Talk]) -> None:
        """Note talks that nobody could price, so that they are found and priced again."""
        for talk in talks:
            charge = unrated(talk)
            self._charge(talk, charge)
            if talk.answered is not None:
                self.sums.margins.add(talk, parts_of(talk, charge, {}))

    def _charge(self, talk: Talk, priced: Priced) -> None:
        if talk.answered is not None:
            self._lines.append(_line(talk, priced, NULL))
        if talk.counts:
            moment = talk.invited if talk.answered is None else talk.answered
            figures = (1, int(talk.answered is not None), priced.seconds, priced.billed, priced.micros)
            where = (talk.direction, priced.destination, priced.currency)
            self.sums.sold(talk.tenant, talk.msp, moment, *where, figures)

    def _cost(self, talk: Talk, trunk: int, priced: Priced) -> None:
        assert talk.answered is not None
        self._lines.append(_line(talk, priced, str(trunk)))
        where = (talk.direction, priced.destination, priced.currency, trunk)
        figures = (1, 1, priced.seconds, priced.billed, priced.micros)
        self.sums.bought(talk.tenant, talk.msp, talk.answered, *where, figures)

    def _replace(self, known: Charge | Cost, priced: Priced) -> bool:
        """Put a new price in the place of a row that was kept aside; tell whether that changed anything."""
        if not known.is_kept_aside or (priced.outcome.value, priced.deck) == (known.outcome, known.deck_id):
            return False
        # Whoever else looks at the same call in this moment: one of us finds it as it was.
        rows = type(known)._default_manager.filter(pk=known.pk, outcome=known.outcome)
        done = rows.update(
            destination=priced.destination, prefix=priced.prefix, outcome=priced.outcome.value, micros=priced.micros,
            currency=priced.currency, seconds=priced.seconds, billed=priced.billed, deck_id=priced.deck,
            rate_id=priced.rate, rated_at=self.at,
        )  # fmt: skip
        self.changed += done
        return bool(done)

    def _count_again(self, talk: Talk, known: Charge | Cost, priced: Priced, trunk: int | None) -> None:
        """Count a call under what it turned out to be, and no longer under what it was kept aside as."""
        assert talk.answered is not None
        if trunk is None and not talk.counts:
            return
        before = (-1, -1, -known.seconds, -known.billed, -known.micros)
        after = (1, 1, priced.seconds, priced.billed, priced.micros)
        for destination, currency, figures in (
            (known.destination, known.currency, before),
            (priced.destination, priced.currency, after),
        ):
            head = (talk.tenant, talk.msp, talk.answered, talk.direction, destination, currency)
            if trunk is None:
                self.sums.sold(*head, figures)
            else:
                self.sums.bought(*head, trunk, figures)


def _line(talk: Talk, priced: Priced, trunk: str) -> str:
    """Return a row as COPY reads it."""
    return (
        f"{talk.tenant}\t{talk.msp}\t{talk.invited}\t{talk.id}\t{talk.answered}\t{talk.direction}\t"
        f"{text(priced.destination)}\t{text(priced.prefix)}\t{priced.outcome}\t{priced.micros}\t{priced.currency}\t"
        f"{priced.seconds}\t{priced.billed}\t{number(priced.deck)}\t{number(priced.rate)}\t{trunk}\n"
    )


def _known(model: Any, talks: Sequence[Talk]) -> dict[tuple[Any, int | None], Any]:
    """Return the charges or costs of talks, by id and trunk."""
    ms = {talk.invited for talk in talks}
    first, last = (datetime.fromtimestamp(edge / 1000, tz=UTC) for edge in (min(ms) - 1, max(ms) + 1))
    rows = model.objects.filter(
        tenant_id__in={talk.tenant for talk in talks}, invited__range=(first, last), id__in=[talk.id for talk in talks]
    )
    return {(str(row.id), getattr(row, "trunk", None)): row for row in rows}


def _leave_unrated(talks: Sequence[Talk], at: datetime) -> None:
    try:
        with transaction.atomic():
            batch = Batch(at)
            batch.leave_unrated(talks)
            batch.keep()
            batch.sums.write()
    except Exception:
        # Answered calls without a charge are found by the check of the invoice run.
        logger.exception("Not even noted as unrated: %s calls", len(talks))


def _is_deadlock(error: BaseException) -> bool:
    return isinstance(error, OperationalError) and isinstance(error.__cause__, psycopg.errors.DeadlockDetected)
