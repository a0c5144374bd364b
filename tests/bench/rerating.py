"""How fast a period is rated again: a million calls read, priced by a deck of 100,000 prefixes, and written down."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from tests.bench.decks import _codes
from tests.bench.figure import Figure, emit, note
from tests.bench.ground import Ground, ground

CALLS, PREFIXES, CHANGED = 1_000_000, 100_000, 20_000
SAMPLE, BY_SQL = 20_000, 20_000
JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
STEPS = ((60, 60), (30, 6), (1, 1))

CDRS = """
INSERT INTO calls_cdr (id, call, tenant_id, msp_id, node_name, sequence, direction, side, call_id, caller, caller_sent,
    called, called_sent, invited, answered, ended, end_unknown, talk_ms, code, reason, released_by, ingress,
    ingress_name, egress, egress_name, attempts, "limit", screening, attestation, user_agent, disposition, received)
SELECT id, id, tenant, %s, 'bench', n, 'out', '', 'bench', '+4930555000', '+4930555000', called, called, invited,
    invited + interval '4 s', invited + interval '4 s' + talked, false, 0, 200, '', 'caller', 'teams', '', 'g1', '',
    '[]', '', '', '', '', 'answered', invited + interval '1 h'
  FROM bench_calls
"""
CHARGES = """
INSERT INTO rating_charge (tenant_id, msp_id, invited, id, answered, direction, destination, prefix, outcome, micros,
    currency, seconds, billed, rated_at)
SELECT tenant, %s, invited, id, invited + interval '4 s', 'out', '', '', 'rated', 1000, 'EUR',
       extract(epoch FROM talked)::int, extract(epoch FROM talked)::int, now() FROM bench_calls WHERE n > %s
"""
# The longest prefix in force for each call, one by one, and the rule of the charge in whole numbers.
LATERAL = """
SELECT c.id, (r.fee + (r.per_minute * billed.s + 30) / 60)::bigint AS micros
  FROM calls_cdr c
  CROSS JOIN LATERAL (
    SELECT array_agg(left(substr(c.called, 2), n)) AS heads FROM generate_series(1, 15) n
  ) p
  CROSS JOIN LATERAL (
    SELECT * FROM rating_deckrate r
     WHERE r.deck_id = %s AND r.prefix = ANY(p.heads) AND r.direction = 'out' AND r.callers = ''
       AND r.begins <= c.answered AND (r.ends IS NULL OR r.ends > c.answered)
     ORDER BY length(r.prefix) DESC LIMIT 1
  ) r
  CROSS JOIN LATERAL (SELECT ceil(extract(epoch FROM c.ended - c.answered))::bigint AS s) talked
  CROSS JOIN LATERAL (
    SELECT CASE WHEN talked.s <= r.minimum THEN r.minimum
                ELSE r.minimum + (talked.s - r.minimum + r.increment - 1) / r.increment * r.increment END AS s
  ) billed
 WHERE c.msp_id = %s AND c.sequence <= %s
"""


def run() -> list[Figure]:
    """Print calls rated again a second, beside SQL, and whether three ways come to the same total."""
    with ground() as here:
        return _figures(here)


def _figures(here: Ground) -> list[Figure]:
    from portal.db import contexts
    from tenants.models import Customer, Msp
    from voice.calls.models import Cdr
    from voice.rating import live
    from voice.rating.loading import forget_decks
    from voice.rerating import tables
    from voice.rerating.again import By, Run
    from voice.rerating.models import Side
    from voice.rerating.reading import Scope

    with contexts.public():
        msp = Msp.objects.get(slug="northwind")
        customers = list(Customer.objects.filter(msp=msp))
    note(f"rerating: a deck of {PREFIXES:,} prefixes, {CHANGED:,} of them with another price from the middle of June")
    deck, codes = _deck(msp, customers)
    note(f"rerating: {CALLS:,} calls in June, all but {SAMPLE:,} with a charge")
    _calls(msp, customers, codes)

    with contexts.msp(msp):
        sample = list(Cdr.objects.filter(msp=msp, sequence__lte=SAMPLE))
    begun = time.perf_counter()
    live.rate_again(sample, at=datetime.now(UTC))
    note(f"rerating: live rating of {SAMPLE:,} calls took {time.perf_counter() - begun:.1f} s")

    note("rerating: rating again, the deck being read first")
    tables.make(1)
    forget_decks()
    begun = time.perf_counter()
    again = Run(1, msp, Scope(msp.pk, JUNE, JULY), {Side.SELL.value: By()})
    again.rate_all(lambda _done, _total: None)
    rate = again.found.calls / (time.perf_counter() - begun)
    assert again.found.calls == CALLS, again.found.calls

    # Policies hold the owner of the tables back, too: only the superuser reads rates, charges and lines together.
    with psycopg.connect(here.admin(), autocommit=True) as admin, admin.cursor() as cursor:
        note(f"rerating: baseline, {BY_SQL:,} calls by LATERAL, written to a table")
        begun = time.perf_counter()
        cursor.execute(f"CREATE TEMP TABLE by_sql AS {LATERAL}", [deck.pk, msp.pk, BY_SQL])
        baseline = cursor.rowcount / (time.perf_counter() - begun)
        ids = "(SELECT id FROM calls_cdr WHERE msp_id = %s AND sequence <= %s)"
        totals = []
        for table in ("rating_charge", "rerating_line", "by_sql"):
            cursor.execute(f"SELECT sum(micros)::bigint, count(*) FROM {table} WHERE id IN {ids}", [msp.pk, SAMPLE])
            totals.append(cursor.fetchone() or (0, 0))
    tables.drop(1)
    assert {count for _total, count in totals} == {SAMPLE}, totals
    sums = [int(total) for total, _count in totals]
    return [
        emit(
            "1,000,000 calls rated again by a deck of 100,000 prefixes, read and written",
            rate,
            "CDRs/s",
            at_least=250_000,
            baseline=baseline,
            remark=f"reading the deck included; SQL on {BY_SQL:,} calls",
        ),
        emit(
            "the same total by live rating, rating again and SQL",
            (max(sums) - min(sums)) / max(sums),
            "apart",
            at_most=1e-6,
            remark=f"{SAMPLE:,} calls, {sums[0] / 1e6:.6f} EUR",
        ),
    ]


def _deck(msp: Any, customers: list[Any]) -> tuple[Any, list[str]]:
    from portal.core.audit import Actor
    from portal.db import contexts
    from voice.rating import services
    from voice.rating.files.lines import Line, Terms
    from voice.rating.models import RateDeck

    by, chance = Actor.system("bench"), random.Random(1889)
    codes = _codes(chance, PREFIXES)

    def lines(which: list[str]) -> list[Any]:
        return [
            Line(
                0, ("out", code, ""),
                Terms(f"to {code[:3]}", chance.randrange(2_000, 400_000, 100), chance.choice((0, 0, 50_000)),
                      *chance.choice(STEPS)),
                None, None,
            )
            for code in which
        ]  # fmt: skip

    with contexts.msp(msp):
        deck = services.save_deck(RateDeck(msp=msp, name="Bench", kind="sell", currency="EUR"), by=by)
        services.put_rates(deck, lines(codes), at=JUNE - timedelta(days=90), by=by, full=True)
        services.put_rates(deck, lines(chance.sample(codes, CHANGED)), at=JUNE + timedelta(days=14), by=by)
        for customer in customers:
            services.assign_customer(customer, deck, begins=JUNE - timedelta(days=90), by=by)
    return deck, codes


def _calls(msp: Any, customers: list[Any], codes: list[str]) -> None:
    from django.db import connection

    from portal.db import contexts
    from portal.db.partitions import ensure_days

    chance = random.Random(1891)
    days = [JUNE.date() + timedelta(days=day) for day in range(30)]
    for table in ("calls_cdr", "rating_charge", "rating_cost"):
        ensure_days(table, days)
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bench_calls (n int, id uuid, tenant int, called text, invited timestamptz,"
                       " talked interval)")  # fmt: skip
        with cursor.copy("COPY bench_calls FROM STDIN") as copy:
            for number in range(1, CALLS + 1):
                called = f"+{chance.choice(codes)}{chance.randrange(10**7):07}"[:16]
                moment = JUNE + timedelta(milliseconds=chance.randrange(30 * 86_400_000 - 10_000))
                key = f"{chance.getrandbits(128):032x}"
                tenant = chance.choice(customers).pk
                copy.write(f"{number}\t{key}\t{tenant}\t{called}\t{moment.isoformat()}\t{chance.randrange(1, 900)} s\n")
        cursor.execute(CDRS, [msp.pk])
        cursor.execute(CHARGES, [msp.pk, SAMPLE])
        cursor.execute(
            """INSERT INTO rating_usage (tenant_id, msp_id, grain, at, direction, destination, currency, calls,
               answered, seconds, billed, micros) SELECT tenant, %s, 'hour', date_trunc('hour', invited), 'out', '',
               'EUR', count(*), count(*), 0, 0, 0 FROM bench_calls GROUP BY 1, 4""",
            [msp.pk],
        )
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE calls_cdr, rating_charge, rating_deckrate")
