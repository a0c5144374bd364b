"""The node's own counts: made with the records, told until they are heard, made anew with a new spool."""

import time

from sbc.node.spool import HOUR, HOURS_KEPT, Spool
from sbc.protocol import Hours, decode_from_node, encode


def now() -> int:
    return int(time.time() * 1000)


def test_records_are_counted_by_customer_in_the_hour_in_which_they_are_spooled(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    spool.store([{"kind": "cdr", "tenant": 17}, {"kind": "cdr", "tenant": 18}, {"kind": "orphan_end"}])
    spool.store([{"kind": "cdr", "tenant": 17}, {"kind": "cdr", "tenant": "?"}])

    hours = spool.hours(100)

    assert sorted(hour[1:] for hour in hours) == [(0, 1, 1, 3, 5), (17, 2, 0, 1, 4), (18, 1, 0, 2, 2)]
    assert all(hour[0] % HOUR == 0 and 0 <= now() - hour[0] < 2 * HOUR for hour in hours)
    assert sum(records + orphans for _at, _tenant, records, orphans, _first, _last in hours) == spool.last_sequence


def test_counts_are_told_when_they_grow_and_again_on_a_new_line(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    spool.store([{"kind": "cdr", "tenant": 17}])
    spool.hours_told(spool.hours(100))
    assert spool.hours(100) == []

    before = spool.hours(100)
    spool.store([{"kind": "cdr", "tenant": 17}])
    (grown,) = spool.hours(100)
    # What grew while it was being told is told once more.
    spool.hours_told(before)
    assert spool.hours(100) == [grown]

    spool.hours_told([grown])
    spool.tell_hours_again(now())
    assert spool.hours(100) == [grown]
    spool.hours_told([grown])
    spool.tell_hours_again(now() + (HOURS_KEPT + 2) * HOUR)
    assert spool.hours(100) == []


def test_a_renewed_spool_counts_what_is_in_it(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    spool.store([{"kind": "cdr", "tenant": 17}] * 3)
    spool.acknowledge(1)
    spool.renew()

    assert [hour[1:] for hour in spool.hours(100)] == [(17, 2, 0, 1, 2)]


def test_counts_survive_a_restart_and_fit_the_protocol(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    spool.store([{"kind": "cdr", "tenant": 17}])
    spool.close()
    ((at, tenant, records, orphans, first, last),) = Spool(tmp_path / "spool.sqlite").hours(100)
    item = {"at": at, "tenant": tenant, "records": records, "orphans": orphans, "first": first, "last": last}

    assert decode_from_node(encode(Hours(items=[item]))) == Hours(items=[item])
