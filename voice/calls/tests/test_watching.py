"""What a dashboard finds in the database when it is opened."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from portal.db import contexts
from tenants.models import Customer
from voice.calls.rollups import Tally
from voice.calls.watching import Watch, board_for

pytestmark = pytest.mark.django_db
HOUR = datetime(2026, 11, 2, 14, 0, tzinfo=UTC)


def fail(customer: Customer, at: datetime, code: int) -> None:
    record = {
        "call": str(uuid.uuid4()), "invited": int(at.timestamp() * 1000), "ringing": None, "answered": None,
        "code": code, "attempts": [], "ingress": "", "egress": "",
    }  # fmt: skip
    tally = Tally()
    tally.add(customer.pk, customer.msp_id, record, "failed", 0)
    with contexts.ingest():
        tally.write()


@pytest.mark.parametrize("minute", [0, 1, 29, 59])
def test_why_calls_failed_in_the_last_hour_is_known_at_any_minute(
    acme: Customer, globex: Customer, minute: int
) -> None:
    now = HOUR + timedelta(minutes=minute, seconds=40)
    for ago, code in ((0, 486), (5, 486), (59, 503), (60, 404), (75, 404)):
        fail(acme, now - timedelta(minutes=ago), code)
    fail(globex, now - timedelta(minutes=5), 486)

    for watch, busy in ((Watch(acme.msp_id, acme.pk), 2), (Watch(acme.msp_id), 3)):
        board = board_for(watch, now)
        shown = board.snapshot(int(now.timestamp() * 1000))["failures"]
        assert {each["code"]: each["count"] for each in shown} == {486: busy, 503: 1}
        later = board.delta(int((now + timedelta(minutes=30)).timestamp() * 1000))["failures"]
        assert {each["code"]: each["count"] for each in later} == {486: busy}
