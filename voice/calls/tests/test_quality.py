"""The figures of a day, from its counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.db import contexts
from tenants.models import Customer, Msp, User
from voice.calls import quality, rollups
from voice.calls.models import Grain, LiveCall, Rollup

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 11, 19, tzinfo=UTC)


def count(customer: Customer, grain: str, at: datetime, **facts: Any) -> Rollup:
    with contexts.ingest():
        row = Rollup(tenant=customer, msp=customer.msp, grain=grain, at=at, **facts)
        row.save()
    return row


def test_each_figure_is_what_the_page_says(acme: Customer) -> None:
    facts = {
        "attempts": 200,
        "answered": 120,
        "effective": 190,
        "talk_ms": 120 * 90_000,
        "pdd_ms": 250_000,
        "pdd_calls": 125,
    }
    row = Rollup(tenant=acme, **facts, cps95=1250)

    found = (quality.asr(row), quality.ner(row), quality.acd(row), quality.pdd(row), quality.cps(row))
    assert found == (0.6, 0.95, 90.0, 2.0, 1.25)
    assert [quality.has_few(Rollup(attempts=calls)) for calls in (0, 99, 100)] == [True, True, False]
    empty = Rollup()
    assert {quality.asr(empty), quality.ner(empty), quality.acd(empty), quality.pdd(empty), quality.cps(empty)} == {
        None
    }


def test_the_busier_minutes_of_a_day_decide_its_calls_a_second(acme: Customer) -> None:
    for minute in range(100):
        count(acme, Grain.MINUTE, DAY + timedelta(minutes=minute), attempts=60 if minute < 96 else 600)
    count(acme, Grain.MINUTE, DAY - timedelta(minutes=1), attempts=6000)
    # A peak was noted, but no call began: no minute of new calls.
    count(acme, Grain.MINUTE, DAY + timedelta(hours=5), attempts=0, peak=9)
    count(acme, Grain.DAY, DAY, attempts=8160)

    rollups.note_busy_minutes(DAY + timedelta(hours=7))

    with contexts.customer(acme):
        assert Rollup.objects.get(grain=Grain.DAY).cps95 == 1000


def test_trunks_have_peaks_of_their_own(acme: Customer) -> None:
    with contexts.ingest():
        for number, trunk in enumerate(("g1", "g1", "g2", "teams", "")):
            LiveCall(
                call=f"00000000-0000-4000-8000-00000000000{number}", tenant=acme, msp=acme.msp, node_name="n",
                direction="out", caller="", called="", trunk=trunk, state="start", started=DAY, updated=DAY,
            ).save()  # fmt: skip

    rollups.note_concurrency()
    rollups.note_concurrency()

    with contexts.customer(acme):
        peaks = dict(Rollup.objects.filter(grain=Grain.DAY).values_list("trunk", "peak"))
    assert peaks == {"": 5, "g1": 2, "g2": 1}


def test_the_page_greys_what_is_chance_and_the_api_says_the_same(
    acme: Customer, globex: Customer, northwind: Msp, client_of: Any, alice: User, nadia: User
) -> None:
    count(acme, Grain.DAY, DAY, attempts=200, answered=100, effective=190)
    count(acme, Grain.DAY, DAY, trunk="g77", attempts=20, answered=1)
    count(globex, Grain.DAY, DAY, attempts=50, answered=40, effective=45)

    own, desk = client_of(alice, acme), client_of(nadia, northwind)
    page = own.get("/calls/quality/").content.decode()
    assert "50 %" in page and "95 %" in page and "answer-seizure ratio" in page
    assert 'class="few"' not in page and "g77" not in page
    each = own.get("/calls/quality/?by=trunk").content.decode()
    assert 'class="few"' in each and "few calls" in each and "g77" in each
    both = desk.get("/calls/quality/").content.decode()
    assert "Globex" in both and 'class="few"' in both

    results = own.get("/api/v1/call-quality/").json()["results"]
    assert {(row["trunk"], row["asr"], row["few"]) for row in results} == {("", 0.5, False), ("g77", 0.05, True)}
    assert len(desk.get("/api/v1/call-quality/").json()["results"]) == 3


@pytest.mark.parametrize(("ringing", "effective"), [(2_000, 1), (None, 0)])
def test_a_call_that_its_caller_gave_up_tells_of_the_network_only_where_it_rang(
    ringing: int | None, effective: int
) -> None:
    record = {
        "invited": 1_000, "answered": None, "ringing": ringing, "code": 487, "attempts": [{"trunk": "g1"}],
        "ingress": "teams", "egress": "g1",
    }  # fmt: skip
    tally = rollups.Tally()

    tally.add(1, 2, record, "cancelled", 0)

    assert {(trunk, sums[2]) for (_tenant, _msp, _at, trunk), sums in tally.counts.items()} == {
        ("", effective),
        ("g1", effective),
    }
