"""Calls of carriers' invoices between the database and memory, a hundred thousand at a time."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from voice.carriers.models import Trunk
from voice.margin.carrier_totals import Held
from voice.margin.judging import Verdict
from voice.margin.matching import Ours
from voice.margin.models import CarrierInvoice
from voice.rating.files.lines import Fault

# A file in another zone has calls of the day before and after.
AROUND = timedelta(days=1)
# Each call as its cost stands today: with what rating again moved, under the destination where it counts now.
_OURS = """
    WITH posted AS (
        SELECT k.tenant_id, k.invited, k.id, k.trunk, k.answered, k.destination, k.currency, 1 AS calls, k.seconds,
               k.billed, k.micros
          FROM public.rating_cost k
         WHERE k.msp_id = %(msp)s AND k.trunk = ANY (%(trunks)s) AND k.invited >= %(begins)s AND k.invited < %(ends)s
        UNION ALL
        SELECT a.tenant_id, a.invited, a.call, a.trunk, a.answered, a.destination, a.currency, a.calls, a.seconds,
               a.billed, a.micros
          FROM public.rerating_costadjustment a
         WHERE a.msp_id = %(msp)s AND a.trunk = ANY (%(trunks)s) AND a.invited >= %(begins)s AND a.invited < %(ends)s
           AND a.answered >= %(begins)s
    ), stands AS (
        SELECT tenant_id, invited, id, answered, destination, currency, sum(seconds)::bigint AS seconds,
               sum(billed)::bigint AS billed, sum(micros)::bigint AS micros
          FROM posted
         GROUP BY tenant_id, invited, id, trunk, answered, destination, currency
        HAVING sum(calls) > 0
    )
    SELECT k.tenant_id, k.id, c.called, (extract(epoch FROM k.answered) * 1000)::bigint, k.seconds, k.billed,
           k.micros, k.currency, k.destination
      FROM stands k
      JOIN public.calls_cdr c ON (c.tenant_id, c.invited, c.id) = (k.tenant_id, k.invited, k.id)
     WHERE c.direction <> 'emergency'
     ORDER BY k.answered, k.id
"""
# With what rating again moved, as the trunk's costs stand today.
_COSTS = """
    SELECT x.destination, x.currency, sum(x.micros)::bigint
      FROM (
        SELECT k.destination, k.currency, k.micros FROM public.rating_cost k
         WHERE k.msp_id = %(msp)s AND k.trunk = ANY (%(trunks)s) AND k.answered >= %(begins)s AND k.answered < %(ends)s
           AND k.invited >= %(since)s AND k.invited < %(ends)s
        UNION ALL
        SELECT a.destination, a.currency, a.micros FROM public.rerating_costadjustment a
         WHERE a.msp_id = %(msp)s AND a.trunk = ANY (%(trunks)s) AND a.answered >= %(begins)s AND a.answered < %(ends)s
      ) x
     GROUP BY 1, 2 ORDER BY 1, 2
"""
_CALL = (
    'msp_id, invoice_id, kind, "row", called, at, destination, seconds, micros, our_seconds, our_micros, difference,'
    " tenant_id, record"
)
_FAULT = 'msp_id, invoice_id, "row", "column", value, words'


class Known(NamedTuple):
    """Whose call one of ours is, and the currency of its cost."""

    tenant: int
    record: UUID
    currency: str


def ours_of(invoice: CarrierInvoice) -> tuple[list[Ours], list[Known]]:
    """Return what the carrier's trunks cost in the period and a day around it; a call's key is its place."""
    trunks, (begins, ends) = _trunks_of(invoice), period_of(invoice)
    ours: list[Ours] = []
    known: list[Known] = []
    with connection.cursor() as cursor:
        cursor.execute(
            _OURS, {"msp": invoice.msp_id, "trunks": trunks, "begins": begins - AROUND, "ends": ends + AROUND}
        )
        for tenant, record, called, at, seconds, billed, micros, currency, destination in cursor.fetchall():
            ours.append(Ours(len(ours), called.lstrip("+"), at, seconds, billed, micros, destination))
            known.append(Known(tenant, record, currency))
    return ours, known


def costs_of(invoice: CarrierInvoice) -> list[tuple[str, str, int]]:
    """Return destination, currency and cost of all calls over the carrier's trunks in the period."""
    begins, ends = period_of(invoice)
    facts: dict[str, Any] = {"msp": invoice.msp_id, "trunks": _trunks_of(invoice), "begins": begins, "ends": ends}
    with connection.cursor() as cursor:
        cursor.execute(_COSTS, facts | {"since": begins - AROUND})
        return [(destination, currency, int(micros)) for destination, currency, micros in cursor.fetchall()]


def _trunks_of(invoice: CarrierInvoice) -> list[int]:
    return list(Trunk.objects.filter(carrier=invoice.carrier_id, msp=invoice.msp_id).values_list("pk", flat=True))


def period_of(invoice: CarrierInvoice) -> tuple[datetime, datetime]:
    """Return the first moment of the invoice's period, and the first one after it, on the file's clock."""
    zone = ZoneInfo(invoice.zone)
    return _midnight(invoice.begins, zone), _midnight(invoice.ends + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def write_calls(invoice: CarrierInvoice, verdicts: Iterable[Verdict], known: Sequence[Known]) -> None:
    """Store what was found, in place of what was; in a transaction."""

    def rows() -> Iterable[Sequence[Any]]:
        for kind, theirs, ours, difference in verdicts:
            owner = known[ours.key] if ours is not None else None
            side = theirs or ours
            assert side is not None
            yield (
                invoice.msp_id, invoice.pk, kind, theirs.row if theirs else None, f"+{side.called}",
                datetime.fromtimestamp(side.at / 1000, UTC),
                (ours.destination if ours else "") or (theirs.destination if theirs else ""),
                theirs.seconds if theirs else None, theirs.micros if theirs else None,
                ours.seconds if ours else None, ours.micros if ours else None, difference,
                owner.tenant if owner else None, owner.record if owner else None,
            )  # fmt: skip

    _replace("margin_carriercall", _CALL, invoice, rows())


def write_destinations(invoice: CarrierInvoice, held: Iterable[Held]) -> None:
    """Store what was found by destination, in place of what was: rows like those of calls, without a number."""
    at = period_of(invoice)[0]
    rows = (
        (invoice.msp_id, invoice.pk, each.kind, each.row, "", at, each.name, None, each.theirs, None, each.ours,
         each.difference, None, None)
        for each in held
    )  # fmt: skip
    _replace("margin_carriercall", _CALL, invoice, rows)


def write_faults(invoice: CarrierInvoice, faults: Iterable[Fault]) -> None:
    """Store what is wrong with the lines of the file, in place of what was; in a transaction."""
    rows = ((invoice.msp_id, invoice.pk, each.row, each.column, each.value, each.words) for each in faults)
    _replace("margin_carrierfault", _FAULT, invoice, rows)


def _replace(table: str, names: str, invoice: CarrierInvoice, rows: Iterable[Sequence[Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM public.{table} WHERE invoice_id = %s", [invoice.pk])  # noqa: S608 constants
        # COPY into a table under row-level security is refused; into a temporary one it is not.
        cursor.execute(f"CREATE TEMP TABLE margin_in (LIKE public.{table}) ON COMMIT DROP")
        cursor.execute("ALTER TABLE margin_in DROP COLUMN id")
        with cursor.copy(f"COPY margin_in ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(f"INSERT INTO public.{table} ({names}) SELECT {names} FROM margin_in")  # noqa: S608 constants
        cursor.execute("DROP TABLE margin_in")
