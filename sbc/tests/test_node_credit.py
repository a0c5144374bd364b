"""What the node makes of a customer's money: how long calls can go on, what ended calls took, what Kamailio is told."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.node.applier import Applier
from sbc.node.credit import Price, lasts, longest_calls, read, refusal
from sbc.node.engines.memory import MemoryEngine
from sbc.node.follow import Metered
from sbc.node.meter import Meter
from sbc.node.records import Answered, Facts
from sbc.node.snapshot import Snapshot
from sbc.node.spool import Spool
from sbc.protocol import Credit, Row
from voice.rating.decks import Rate
from voice.rating.prepaid import longest_call

EURO = 1_000_000
DAY = 86_400
DEAR = Price(60 * EURO, 0, 1, 1, 0, None)
FREE = Price(0, 0, 1, 1, 0, None)

prices = st.builds(
    Price, st.integers(0, 3 * EURO), st.integers(0, EURO), st.integers(1, 60), st.integers(1, 60),
    st.integers(0, EURO), st.none(),
)  # fmt: skip


@given(prices, st.integers(-EURO, 50 * EURO))
def test_one_call_alone_may_last_as_long_as_the_document_says(price: Price, left: int) -> None:
    rate = Rate(
        id=0, prefix="", destination="", per_minute=price.per_minute, fee=price.fee, minimum=price.minimum,
        increment=price.increment, minimum_charge=price.least,
    )  # fmt: skip
    said = longest_call(rate, left, 1)

    found = longest_calls(left, [], [price], DAY)

    assert found == ("x" if said is None or said >= DAY else str(said))


@given(st.lists(st.tuples(prices, st.integers(0, 4000)), max_size=6), st.integers(-EURO, 50 * EURO))
def test_calls_go_on_for_exactly_as_long_as_what_is_left_pays_for(running: list[tuple[Price, int]], left: int) -> None:
    def cost(seconds: int) -> int:
        return sum(price.sixtieths(lasted + seconds) for price, lasted in running)

    found = lasts(left, running, DAY)

    if found is None:
        assert cost(DAY) <= left * 60
    else:
        assert cost(found + 1) > left * 60
        assert found == 0 or cost(found) <= left * 60


def value(left: int, counted: int = 0) -> str:
    return f"l={left};q={counted};o=1;i=0;n=0;c=x.60;p=0:0:1:1:0:-.{60 * EURO}:0:1:1:0:-"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("18", value(5)), ("17", "l=5"), ("17", value(5).replace("o=1", "o=2")), ("17", value(5).replace("x.60", "60")),
        ("17:4420", "1"), ("17:x", "1"), ("17:44", "one"), ("17", value(5).replace(":-", "", 1)),
    ],
)  # fmt: skip
def test_a_row_that_makes_no_sense_is_refused(key: str, text: str) -> None:
    assert refusal("17", Row("cr", key, text))
    assert refusal("17", Row("cr", "17", value(5))) is refusal("17", Row("cr", "17:447", "0")) is None


def test_the_longest_prefix_names_the_class_and_emergency_has_none() -> None:
    credit = read(value(5))

    assert credit.price_of("out", "+447700900123", {"447": "0", "4": "1"}) is None
    assert credit.price_of("out", "+442071234567", {"447": "0"}) == DEAR
    assert credit.price_of("in", "+4930111", {}) is credit.price_of("emergency", "112", {}) is None


class Calls:
    """What the follower would tell of calls."""

    def __init__(self) -> None:
        self.running: list[Answered] = []
        self.ended: list[Metered] = []

    def metered(self, customers: Any) -> tuple[list[Answered], list[Metered]]:
        ended, self.ended = self.ended, []
        return self.running, ended


class Desk:
    """A meter with everything that it looks at, at a time that a test sets."""

    def __init__(self, path: Path) -> None:
        self.engine, self.spool, self.calls, self.now = MemoryEngine(), Spool(path / "spool"), Calls(), 1000.0
        self.applier = Applier(self.engine, Snapshot(path / "snapshot"), lambda receipt: None)
        self.version = 0
        self.start()

    def start(self) -> None:
        calls: Any = self.calls
        self.meter = Meter(self.engine, self.applier, calls, self.spool, clock=lambda: self.now)

    async def money(self, left: int, counted: int = 0, rows: tuple[Row, ...] = ()) -> None:
        self.version += 1
        known = Credit(
            tenant=17, version=self.version, nonce="n", base=None, delete=[],
            set=[Row("cr", "17", value(left, counted)), *rows],
        )  # fmt: skip
        await self.applier.apply(known.as_apply())
        await self.meter.tick()

    def call(self, name: str, called: str = "+44207", direction: str = "out", seconds_ago: int = 0) -> None:
        facts = Facts(tenant=17, direction=direction, called=called)
        at = int((self.now - seconds_ago) * 1000)
        self.calls.running.append(Answered(name, at, at, 200, facts, f"1.{name}"))

    def may_last(self) -> str:
        return self.engine.tables["cp"]["17"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_all_running_calls_end_together_when_nothing_is_left(desk: Desk) -> None:
    for name in "abc":
        desk.call(name, seconds_ago=10)
    desk.call("help", "112", "emergency", seconds_ago=9000)
    desk.call("free", "+4930", "in")

    await desk.money(90 * EURO)

    assert desk.engine.deadlines == dict.fromkeys("abc", (20, "customer_spend"))
    assert desk.may_last() == "c=x.15"  # a fourth call would end all four that soon

    await desk.money(-5 * EURO)
    assert desk.engine.deadlines == dict.fromkeys("abc", (1, "customer_spend"))
    assert desk.may_last() == "c=x.0"

    await desk.money(10**6 * EURO)
    assert desk.engine.deadlines == dict.fromkeys("abc", (43190, ""))


async def test_what_ended_calls_took_is_known_before_the_portal_has_counted_it_and_never_twice(desk: Desk) -> None:
    await desk.money(100 * EURO, counted=7)
    desk.calls.ended = [
        Metered(17, 7, "+44207", "out", 10),
        Metered(17, 8, "+44207", "out", 30),
        Metered(17, 9, "112", "emergency", 99),
    ]
    await desk.meter.tick()
    assert desk.may_last() == "c=x.70"

    # The node process is started anew while the portal is away; then the portal has counted all.
    desk.start()
    await desk.meter.tick()
    assert desk.may_last() == "c=x.70"
    await desk.money(70 * EURO, counted=9)
    assert desk.may_last() == "c=x.70"

    # A spool that counts anew begins at 1 again: what was noted under the old numbers is the portal's to know.
    desk.calls.ended = [Metered(17, 10, "+44207", "out", 10)]
    await desk.meter.tick()
    assert desk.may_last() == "c=x.60"
    desk.spool.renew()
    await desk.meter.tick()
    assert desk.may_last() == "c=x.70"


async def test_kamailio_is_told_what_changed_and_no_more(desk: Desk) -> None:
    desk.call("a")
    await desk.money(1000 * EURO)
    desk.engine.tables["cp"].clear()
    desk.engine.deadlines.clear()

    for _second in range(20):
        desk.now += 1
        await desk.meter.tick()
    assert not desk.engine.deadlines and not desk.engine.tables["cp"]

    desk.meter.forget()  # it was started anew
    await desk.meter.tick()
    assert desk.engine.deadlines == {"a": (980, "customer_spend")}
    assert desk.may_last() == "c=x.490"


async def test_a_credit_that_is_lifted_gives_calls_their_length_back(desk: Desk) -> None:
    desk.call("a")
    await desk.money(50 * EURO)
    assert desk.engine.deadlines == {"a": (50, "customer_spend")}

    gone = Credit(tenant=17, version=9, nonce="n", base=None, set=[], delete=[])
    await desk.applier.apply(gone.as_apply())
    await desk.meter.tick()

    assert desk.engine.deadlines == {"a": (43_200, "")}
    assert not desk.engine.tables["cp"] and not desk.engine.tables["cr"]


async def test_a_customer_that_leaves_takes_its_credit_along(desk: Desk) -> None:
    await desk.money(5 * EURO)

    await desk.applier.forget_credit("cust:17")

    assert not desk.engine.tables["cr"] and not desk.applier.state.versions
