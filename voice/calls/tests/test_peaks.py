"""The most calls at the same time, from their records."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.models import Customer
from voice.calls import peaks
from voice.calls.models import Cdr, Rollup
from voice.calls.tests.make import cdr

pytestmark = pytest.mark.django_db
HOUR = datetime(2026, 11, 19, 10, tzinfo=UTC)


def call(customer: Customer, begins: float, ends: float | None, **facts: Any) -> Cdr:
    """Return a call of a customer from one second of the hour to another."""
    invited = HOUR + timedelta(seconds=begins)
    ended = None if ends is None else HOUR + timedelta(seconds=ends)
    return cdr(customer, invited, ended=ended, **facts)


def tried(trunk: str, sent: float, ended: float | None) -> dict[str, Any]:
    """Return an attempt over a trunk, in seconds of the hour."""
    start = int(HOUR.timestamp())
    return {"trunk": trunk, "sent": int((start + sent) * 1000),
            "ended": None if ended is None else int((start + ended) * 1000), "code": 200, "reason": ""}  # fmt: skip


def store(*calls: Cdr) -> None:
    ensure_days("calls_cdr", {each.invited.date() for each in calls})
    with contexts.ingest():
        Cdr.objects.bulk_create(calls)


def found(customer: Customer, trunk: str = "") -> dict[tuple[str, int], int]:
    with contexts.customer(customer):
        rows = Rollup.objects.filter(trunk=trunk).values_list("grain", "at", "peak")
        return {(grain, int((at - HOUR) / timedelta(minutes=1))): peak for grain, at, peak in rows}


def test_calls_of_seconds_between_two_looks_count(acme: Customer, globex: Customer) -> None:
    store(call(acme, 61, 64), call(acme, 62, 66), call(acme, 63, 63.5), call(acme, 66, 69), call(globex, 62, 63))

    peaks.note_peaks(HOUR)
    peaks.note_peaks(HOUR)

    assert found(acme) == {("minute", 1): 3, ("hour", 0): 3, ("day", -600): 3}
    assert found(globex) == {("minute", 1): 1, ("hour", 0): 1, ("day", -600): 1}


def test_a_call_is_one_in_every_minute_that_it_lasts_and_one_that_follows_it_is_not_beside_it(acme: Customer) -> None:
    store(
        call(acme, -7200, 60),  # began before the hour, ends as its second minute begins
        call(acme, 60, 180),
        call(acme, 3590, 3700),  # goes on in the next hour
        call(acme, 100, 100, answered=None),  # refused at once
        call(acme, 3500, None, end_unknown=True, last_seen=HOUR + timedelta(seconds=3595)),
    )

    peaks.note_peaks(HOUR)

    minutes = {at: peak for (grain, at), peak in found(acme).items() if grain == "minute"}
    assert minutes == {0: 1, 1: 1, 2: 1, 58: 1, 59: 2}
    assert found(acme)["hour", 0] == 2


def test_a_trunk_has_a_call_while_it_is_tried_there(acme: Customer) -> None:
    failed_over = [tried("g1", 0, 5), tried("g2", 5, 50)]
    store(
        call(acme, 0, 50, egress="g2", attempts=failed_over),
        call(acme, 6, 40, egress="g1", attempts=[tried("g1", 6, 40)]),
        call(acme, 10, 20, direction="in", ingress="g1", egress="teams"),
    )

    peaks.note_peaks(HOUR)

    assert (found(acme)["hour", 0], found(acme, "g1")["hour", 0], found(acme, "g2")["hour", 0]) == (3, 2, 1)


def test_two_ends_of_a_call_inside_a_customer_are_one_call_and_a_peak_never_falls(acme: Customer) -> None:
    first = call(acme, 0, 60, direction="internal", side="caller", egress="")
    store(first, call(acme, 0, 60, direction="internal", side="called", egress="", call=first.call))
    with contexts.ingest():
        Rollup.objects.create(tenant=acme, msp=acme.msp, grain="hour", at=HOUR, trunk="", peak=7)

    peaks.note_recent_peaks(HOUR + timedelta(hours=1, minutes=15))

    assert found(acme) == {("minute", 0): 1, ("hour", 0): 7, ("day", -600): 1}
