"""Erasing what has outlived its time, and proving it: rows are counted before and after, and what a hold keeps."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.db import contexts
from portal.db.customers import customer_schemas
from portal.db.partitions import drop_before
from sbc.services import old_books
from sbc.services.retained import HOLDINGS, Holding
from sbc.services.retained.holding import column
from tenants.models import Customer, DataClass, Erasure, ErasureLine, RetentionRule
from voice.receivables.models import LegalEntity

BATCH = 5_000
# Waiting for a lock on calls would keep calls from being stored.
PATIENCE = "2s"
# Names this work among the locks of the database: two runs at a time would count each other's rows.
TURN = 0x5742_0E5A


@dataclass(frozen=True)
class Due:
    """What of a holding is over in one country; `country` empty stands for all without a rule of their own."""

    holding: Holding
    country: str
    days: int
    before: datetime
    those: tuple[int, ...]  # customers or companies of the country, or, where it is empty, those that it is not about
    # The holding itself, or as it stands in each customer's schema.
    parts: tuple[Holding, ...]

    @property
    def condition(self) -> tuple[str, list[Any]]:
        """Return what holds for the rows that are over, with its values."""
        home, values = self.at_home(self.holding.home)
        return f"{self.holding.age} < %s AND ({self.holding.where}) AND {home}", [self.before, *values]

    def at_home(self, home: str) -> tuple[str, list[Any]]:
        """Return what holds for rows of this country, where `home` is the customer or company that they are of."""
        if not home:
            return "true", []
        if self.country:
            return f"{home} = ANY(%s)", [list(self.those)]
        return f"({home} IS NULL OR {home} <> ALL(%s))", [list(self.those)]

    @property
    def held(self) -> str:
        """Return what holds for the rows that a legal hold keeps."""
        if not self.holding.tenant:
            return "false"
        call = f"OR h.call = t.{self.holding.call}" if self.holding.call else ""
        return (
            "EXISTS (SELECT FROM tenants_legalhold h WHERE h.released_at IS NULL"
            f" AND h.tenant_id = {column(self.holding.tenant)} AND (h.call IS NULL {call}))"
        )


Told = Callable[[int, int, str], None]
# By MSP: how many rows are over, and how many of them a hold keeps.
Counts = dict[int | None, tuple[int, int]]


class Running(Exception):
    """Another erasure runs at this moment."""


def erase_if_due(*, at: datetime, by: Actor) -> Erasure | None:
    """Erase once in each month; where the month's run failed, the next day tries again."""
    month = at.date().replace(day=1)
    with contexts.owner():
        done = Erasure.objects.filter(month=month, error="", finished_at__isnull=False).exists()
    return None if done else erase(at=at, by=by, month=month)


def erase(*, at: datetime, by: Actor, month: date | None = None, told: Told | None = None) -> Erasure:
    """Erase everything whose time is over at this moment, and store what was found, taken away and left.

    Raises Running while another erasure is at work.
    """
    with contexts.owner(), _turn():
        # Nobody else is at work: what has no end was killed.
        Erasure.objects.filter(finished_at=None, error="").update(error="It was stopped.")
        run = Erasure(month=month, asked_by=by.email, started_at=at)
        run.save(force_insert=True)
        try:
            lines = _erase(run, at, told)
        except Exception as error:
            Erasure.objects.filter(pk=run.pk).update(error=f"{type(error).__name__}: {error}"[:500])
            raise
        run.finished_at = _clock()
        Erasure.objects.filter(pk=run.pk).update(finished_at=run.finished_at)
        _write_down(run, lines, by)
    return run


def due_at(at: datetime) -> list[Due]:
    """Return what is over at this moment, holding by holding and country by country."""
    rules: dict[str, dict[str, int]] = {}
    for rule in RetentionRule.objects.order_by("data_class", "country"):
        rules.setdefault(rule.data_class, {})[rule.country] = rule.days
    customers = _by_country(Customer.objects.order_by("pk").values_list("pk", "country"))
    # Who declares in the one-stop shop keeps its records ten years wherever it is: the rule of all countries.
    companies = _by_country(LegalEntity.objects.filter(is_in_oss=False).order_by("pk").values_list("pk", "country"))
    places = _places()
    found = []
    for holding in HOLDINGS:
        parts = tuple(holding.at_home(*place) for place in places) if holding.in_schemas else (holding,)
        days = rules.get(holding.data_class, {})
        homes = companies if holding.data_class.is_of_company else customers
        own = {country for country in days if country and holding.home}
        elsewhere = tuple(pk for country in sorted(own) for pk in homes.get(country, []))
        for country in sorted(own | ({""} & days.keys())):
            those = tuple(homes.get(country, [])) if country else elsewhere
            before = at - timedelta(days=days[country])
            if holding.data_class.runs_from_year_end:
                before = before.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
            found.append(Due(holding, country, days[country], before, those, parts))
    return found


def _by_country(pairs: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for pk, country in pairs:
        found.setdefault(country, []).append(pk)
    return found


def _places() -> list[tuple[str, int, int]]:
    """Return the schemas of customers that there are, each with its customer and MSP."""
    schemas = customer_schemas()
    return list(Customer.objects.filter(schema_name__in=schemas).order_by("pk").values_list("schema_name", "pk", "msp"))


def _erase(run: Erasure, at: datetime, told: Told | None) -> list[ErasureLine]:
    due = due_at(at)
    by_day = [each for each in due if each.holding.by_day]
    whole = [_counted(each) for each in by_day]
    _drop_days(by_day)
    lines: list[ErasureLine] = []

    def take(each: Due) -> None:
        if told is not None:
            told(due.index(each), len(due), str(each.holding.data_class.label))
        # What belongs to something else is over once that is gone: it is counted when its turn has come.
        before = whole[by_day.index(each)] if each in by_day else _counted(each)
        _delete(each)
        lines.extend(_proof(run, each, before, _counted(each)))

    books = [each for each in due if each.holding.data_class == DataClass.BOOKS]
    for each in due:
        if each not in books:
            take(each)
    # All of the books or nothing: half of what is settled together would move a balance.
    with transaction.atomic():
        _keep_holds()
        note_old_books(books)
        for each in books:
            take(each)
    ErasureLine.objects.bulk_create(lines)
    return lines


def note_old_books(books: list[Due]) -> None:
    """Find what of the books is over in each country; it is known until the transaction ends."""
    ledgers = [each for each in books if each.holding.table == "receivables_entry"]
    old_books.note((each.before.date(), *each.at_home("entity_id")) for each in ledgers)


def _proof(run: Erasure, due: Due, before: Counts, after: Counts) -> Iterator[ErasureLine]:
    for msp in sorted(before.keys() | after.keys(), key=lambda pk: pk or 0) or [None]:
        (rows, _held), (left, held) = before.get(msp, (0, 0)), after.get(msp, (0, 0))
        yield ErasureLine(
            erasure=run, data_class=due.holding.data_class, table=due.holding.table, country=due.country, msp_id=msp,
            days=due.days, before=due.before, rows_before=rows, rows_removed=max(0, rows - left), rows_held=held,
            rows_after=left,
        )  # fmt: skip


def _counted(due: Due) -> Counts:
    """Return by MSP how many rows are over, and how many of them a hold keeps."""
    found: Counts = {}
    with connection.cursor() as cursor:
        for part in (replace(due, holding=holding) for holding in due.parts):
            condition, values = part.condition
            msp = column(part.holding.msp) or "NULL::bigint"
            cursor.execute(
                f"SELECT {msp}, count(*), count(*) FILTER (WHERE {part.held}) FROM {part.holding.table} t"  # noqa: S608
                f" WHERE {condition} GROUP BY 1",
                values,
            )
            for pk, rows, held in cursor.fetchall():
                found[pk] = (found.get(pk, (0, 0))[0] + rows, found.get(pk, (0, 0))[1] + held)
    return found


def _drop_days(due: list[Due]) -> None:
    """Drop the partitions of days that are over for everybody and of which no hold keeps a row."""
    for table in {each.holding.table for each in due}:
        those = [each for each in due if each.holding.table == table]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            _keep_holds()
            until = min(each.before for each in those)
            for each in those:
                condition, values = each.condition
                cursor.execute(
                    f"SELECT min({each.holding.age}) FROM {table} t WHERE {condition} AND {each.held}",  # noqa: S608
                    values,
                )
                (oldest,) = cursor.fetchone()
                until = min(until, oldest or until)
            drop_before(table, until.date())


def _keep_holds() -> None:
    """Let whoever places a hold wait until the transaction's rows are gone or kept."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE tenants_legalhold IN SHARE MODE")


def _delete(due: Due) -> None:
    for holding in due.parts:
        _delete_there(replace(due, holding=holding))


def _delete_there(due: Due) -> None:
    condition, values = due.condition
    statement = f"""
        WITH gone AS MATERIALIZED (
            SELECT t.tableoid AS part, t.ctid AS row FROM {due.holding.table} t
             WHERE {condition} AND NOT {due.held} LIMIT {BATCH})
        DELETE FROM {due.holding.table} t USING gone WHERE t.tableoid = gone.part AND t.ctid = gone.row
    """  # noqa: S608  names of ours
    with connection.cursor() as cursor:
        while True:
            # A batch at a time: nobody who stores calls waits for long.
            with transaction.atomic():
                # What is never taken away by anybody else knows the erasure by this (portal/db/rls.py).
                cursor.execute("SELECT set_config('app.erasing', 'on', true)")
                cursor.execute(statement, values)
                taken = cursor.rowcount
            if taken < BATCH:
                return


def _write_down(run: Erasure, lines: list[ErasureLine], by: Actor) -> None:
    by_msp: dict[int | None, dict[str, int]] = {None: {}}
    for line in lines:
        for msp in {None, line.msp_id}:
            sums = by_msp.setdefault(msp, {})
            sums[line.data_class] = sums.get(line.data_class, 0) + line.rows_removed
    for msp, sums in by_msp.items():
        removed = {name: count for name, count in sums.items() if count}
        audit.record(by, "erasure.done", run, msp_id=msp, removed=removed)


@contextmanager
def _turn() -> Iterator[None]:
    """Hold the database's lock for erasures, or raise Running."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [TURN])
        if not cursor.fetchone()[0]:
            raise Running(_("An erasure is at work already."))
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [TURN])


def _clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (at,) = cursor.fetchone()
    assert isinstance(at, datetime)
    return at
