"""What the MSP's first page of margins costs over ten million calls of one month."""

import datetime as dt
import time
from typing import Any

import psycopg

from tests.bench.figure import Figure, emit, note, percentile
from tests.bench.ground import Ground, ground
from tests.bench.load import ask
from tests.bench.pages import _static_files
from tests.bench.processes import daphne

CALLS, CUSTOMERS, DESTINATIONS, TRUNKS, DAYS = 10_000_000, 400, 60, 4, 28
CLIENTS, SECONDS, WARM_UP = 2, 15.0, 3.0
# Fixed, so that every run has the same calls; a month that is over, so that each page shows all of it.
MONTH = dt.date(2026, 6, 1)
DAY = """
CREATE UNLOGGED TABLE {name} (LIKE {table} INCLUDING CONSTRAINTS);
INSERT INTO {name} (tenant_id, msp_id, invited, id, answered, direction, destination, prefix, outcome, micros, currency,
                    seconds, billed, deck_id, rate_id, rated_at{column})
SELECT 1000 + n % {customers} AS tenant_id, {msp} AS msp_id,
       timestamptz '{day} 00:00+00' + n * interval '{step} milliseconds' AS invited,
       md5(n || '{day}')::uuid AS id,
       timestamptz '{day} 00:00+00' + n * interval '{step} milliseconds' + interval '4 seconds' AS answered,
       'out'::text AS direction, 'Destination ' || (n / {customers} * 7 + n) % {destinations} AS destination,
       '49'::text AS prefix, 'rated'::text AS outcome, ({price} + n % 5000)::bigint AS micros, 'EUR'::text AS currency,
       (20 + n % 400)::int AS seconds, (20 + n % 400)::int AS billed, 1::bigint AS deck_id, n::bigint AS rate_id,
       timestamptz '{day} 00:00+00' AS rated_at{trunk}
  FROM generate_series(1, {calls}) AS n
"""
BASELINE = """
SELECT coalesce(c.tenant_id, k.tenant_id), sum(c.sold), sum(k.bought)
  FROM (SELECT tenant_id, sum(micros) AS sold FROM rating_charge
         WHERE msp_id = %s AND invited >= %s AND invited < %s GROUP BY 1) c
  FULL JOIN (SELECT tenant_id, sum(micros) AS bought FROM rating_cost
         WHERE msp_id = %s AND invited >= %s AND invited < %s GROUP BY 1) k USING (tenant_id)
 GROUP BY 1
"""
# The sums, as `voice.rating.margin_sums` would have written them call by call.
SUMMED = """
INSERT INTO rating_marginsum (tenant_id, msp_id, grain, at, direction, destination, trunk, currency, calls, seconds,
                              earned, cost, unpriced, uncosted)
SELECT tenant_id, msp_id, {grain}, {direction}, {destination}, {trunk}, currency, count(*), sum(seconds), sum(sold),
       sum(bought), 0, 0
  FROM bench_margin GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""


def run() -> list[Figure]:
    """Print the p95 of the page, beside the same sums by a query over charges and costs."""
    with ground() as here:
        return _figures(here)


def _figures(here: Ground) -> list[Figure]:
    from portal.db import contexts
    from tenants.models import Msp

    with contexts.public():
        msp = Msp.objects.get(slug="northwind")
    _fill(here, msp)
    baseline = _baseline(here, msp.pk)
    _static_files(here.redis)
    headers = _desk(msp)
    note(f"margin: {CLIENTS} readers for {SECONDS:.0f} s")
    path = f"/margin/?month={MONTH:%Y-%m}"
    with daphne("portal.asgi:application", here.environment) as port:
        ask(port, path, headers, clients=CLIENTS, seconds=WARM_UP)
        took = ask(port, path, headers, clients=CLIENTS, seconds=SECONDS)
    remark = (
        f"{CUSTOMERS} customers, {DESTINATIONS} destinations, {TRUNKS} trunks, {CLIENTS} readers; {len(took)} pages"
    )
    return [
        emit(
            f"MSP margin page over {CALLS:,} CDRs, p95",
            percentile(took, 0.95) * 1000,
            "ms",
            at_most=200,
            baseline=baseline * 1000,
            remark=remark,
        )
    ]


def _fill(here: Ground, msp: Any) -> None:
    """Store charges and costs a day at a time, each partition indexed once it is full, and their sums."""
    from portal.db.partitions import partition_name

    note(f"margin: {CALLS:,} charges and as many costs")
    began, calls = time.perf_counter(), CALLS // DAYS
    step = 86_000_000 // calls
    _customers(msp)
    trunks = _trunks(msp)
    with psycopg.connect(here.admin(), autocommit=True) as admin:
        admin.execute("SET maintenance_work_mem = '512MB'; SET synchronous_commit = off")
        admin.execute(
            "CREATE UNLOGGED TABLE bench_margin (tenant_id int, msp_id int, at timestamptz, destination text,"
            " trunk bigint, currency text, seconds bigint, sold bigint, bought bigint)"
        )
        for number in range(DAYS):
            day = MONTH + dt.timedelta(days=number)
            facts = {
                "customers": CUSTOMERS,
                "destinations": DESTINATIONS,
                "calls": calls,
                "day": day,
                "step": step,
                "msp": msp.pk,
            }
            names = {table: partition_name(table, day) for table in ("rating_charge", "rating_cost")}
            picked = f", ({trunks})[1 + (n % {CUSTOMERS} + n / {CUSTOMERS * DESTINATIONS} % 2) % {TRUNKS}] AS trunk"
            statement = DAY.format(
                table="rating_charge", name=names["rating_charge"], price=20_000, trunk="", column="", **facts
            )
            admin.execute(statement)
            statement = DAY.format(
                table="rating_cost", name=names["rating_cost"], price=12_000, trunk=picked, column=", trunk", **facts
            )
            admin.execute(statement)
            admin.execute(
                f"INSERT INTO bench_margin SELECT c.tenant_id, c.msp_id, date_trunc('day', c.answered, 'UTC'),"
                f" c.destination, k.trunk, c.currency, c.seconds, c.micros, k.micros FROM {names['rating_charge']} c"
                f" JOIN {names['rating_cost']} k USING (tenant_id, invited, id)"
            )
            for table, name in names.items():
                _attach(admin, table, name, day)
        _sum_up(admin)
        admin.execute("DROP TABLE bench_margin; ANALYZE")
    note(f"margin: filled in {time.perf_counter() - began:.0f} s")


def _customers(msp: Any) -> None:
    from portal.db import contexts
    from tenants.models import Customer
    from voice.margin.models import Target

    with contexts.msp(msp):
        Customer.objects.bulk_create(
            Customer(
                pk=1000 + n,
                msp=msp,
                schema_name=f"c{900_000 + n}",
                name=f"Customer {n}",
                label=f"b{n}",
                country="DE",
                state=Customer.State.ACTIVE,
            )
            for n in range(CUSTOMERS)
        )
        Target.objects.create(msp=msp, per_mille=400)


def _trunks(msp: Any) -> str:
    from portal.db import contexts
    from voice.carriers.models import Trunk

    with contexts.msp(msp):
        made = [Trunk.objects.create(msp=msp, name=f"Bench {n}", host=f"192.0.2.{n + 1}") for n in range(TRUNKS)]
    return f"ARRAY[{', '.join(str(trunk.pk) for trunk in made)}]::bigint[]"


def _attach(admin: "psycopg.Connection[Any]", table: str, name: str, day: dt.date) -> None:
    key = "tenant_id, invited, id" + (", trunk" if table == "rating_cost" else "")
    admin.execute(f"ALTER TABLE {name} ADD PRIMARY KEY ({key})")
    first, last = f"{day} 00:00+00", f"{day + dt.timedelta(days=1)} 00:00+00"
    admin.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{last}')")


def _sum_up(admin: "psycopg.Connection[Any]") -> None:
    month = "'{}', date_trunc('month', at, 'UTC')"
    nowhere = {"direction": "''", "destination": "''", "trunk": "0::bigint"}
    where = {"direction": "'out'", "destination": "destination", "trunk": "trunk"}
    admin.execute(SUMMED.format(grain=month.format("route"), **where))
    admin.execute(SUMMED.format(grain=month.format("month"), **nowhere))
    admin.execute(SUMMED.format(grain="'day', at", **nowhere))


def _baseline(here: Ground, msp: int) -> float:
    """Return the seconds that the customers' sums take by a query over the month's charges and costs."""
    span = [msp, MONTH, MONTH + dt.timedelta(days=31)]
    with psycopg.connect(here.admin(), autocommit=True) as admin:
        admin.execute("SET TIME ZONE 'UTC'")
        took = []
        for _again in range(2):
            began = time.perf_counter()
            rows = admin.execute(BASELINE, [*span, *span]).fetchall()
            took.append(time.perf_counter() - began)
            assert len(rows) == CUSTOMERS, len(rows)
    return min(took)


def _desk(msp: Any) -> dict[str, str]:
    """Return the headers of the MSP's owner at its console."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.utils.crypto import get_random_string

    from portal.db import contexts
    from tenants.middleware import SESSION_HOST
    from tenants.models import Domain, User

    with contexts.public():
        user = User.objects.get(email="nadia@northwind.example")
        host = Domain.objects.filter(msp=msp, kind=Domain.Kind.MSP).values_list("domain", flat=True).first()
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session[SESSION_HOST] = host
        session.save()
    cookie = f"session={session.session_key}; {settings.CSRF_COOKIE_NAME}={get_random_string(32)}"
    return {"Host": str(host), "Cookie": cookie}
