from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.node.rows import without_generation
from sbc.node.state import Plan, Refused, State, Stopped
from sbc.protocol import Apply, Row, RowKey


def apply(scope: str, version: int, *rows: tuple[str, str, str], **more) -> Apply:
    blank = Apply(
        scope=scope, version=version, nonce="n", needs={}, after={}, base=None, set=[Row(*row) for row in rows],
        delete=[], closing=False, approved=False,
    )  # fmt: skip
    return replace(blank, **more)


def bring(state: State, message: Apply) -> Plan:
    plan = state.plan(message)
    state.commit(plan)
    for released in list(state.plan_release()):
        state.commit(released)
    return plan


def in_force(state: State) -> dict[RowKey, str]:
    return {RowKey(row.table, row.key): row.value for row in state.in_force()}


TN17, DN = ("tn", "17", "m=3;g=1"), ("dn", "4930123", "t=17;in=teams")
TN18, DN18 = ("tn", "18", "m=3;g=1"), ("dn", "4930123", "t=18;in=teams")
G5 = ("gw", "g5", "h=127.0.9.1;m=3;o=0")
KEY = RowKey("dn", "4930123")


def test_a_changed_policy_is_written_before_it_is_switched_and_removed_after():
    state = State()
    bring(state, apply("cust:17", 1, TN17, DN, ("rt", "17.1.00:", "r=0;b=1")))

    plan = bring(state, apply("cust:17", 2, ("tn", "17", "m=3;g=2"), DN, ("rt", "17.2.00:", "r=0;g=g5")))

    assert plan.first == [Row("rt", "17.2.00:", "r=0;g=g5")]
    assert plan.switches == [Row("tn", "17", "m=3;g=2")]
    assert plan.deletes == [RowKey("rt", "17.1.00:")]


def test_a_moved_number_is_not_deleted_by_its_former_owner():
    state = State()
    bring(state, apply("cust:17", 1, TN17, DN))
    bring(state, apply("cust:18", 1, TN18, DN18))

    plan = bring(state, apply("cust:17", 2, TN17))

    assert plan.deletes == []
    assert state.owner(KEY) == "cust:18"
    assert state.value(KEY) == "t=18;in=teams"


def test_a_late_repetition_of_the_former_owner_does_not_take_the_number_back():
    state = State()
    bring(state, apply("cust:17", 1, TN17, DN))
    bring(state, apply("cust:18", 1, TN18, DN18))

    bring(state, apply("cust:17", 2, TN17, ("dn", "4930123", "t=17;in=refuse")))

    assert state.owner(KEY) == "cust:18"


def test_a_row_given_up_by_its_owner_goes_back_to_who_still_wants_it():
    state = State()
    bring(state, apply("cust:17", 1, TN17, DN))
    bring(state, apply("cust:18", 1, TN18, DN18))

    plan = bring(state, apply("cust:18", 2, TN18))

    assert plan.sets == [Row(*DN)]
    assert state.owner(KEY) == "cust:17"


def test_an_outer_scopes_deletion_waits_for_the_customer_that_used_the_row():
    state = State()
    bring(state, apply("msp:3", 1, G5, ("bd", "sbc.example", "3")))
    bring(state, apply("cust:17", 7, TN17))

    plan = bring(state, apply("msp:3", 2, ("bd", "sbc.example", "3"), after={"cust:17": 8}))
    assert plan.deletes == [] and state.versions["msp:3"] == 2
    assert state.value(RowKey("gw", "g5")) is not None

    bring(state, apply("cust:17", 8, TN17))
    assert state.value(RowKey("gw", "g5")) is None


def test_a_row_that_is_wanted_again_no_longer_leaves():
    state = State()
    bring(state, apply("msp:3", 1, G5, ("bd", "sbc.example", "3")))
    bring(state, apply("cust:17", 7, TN17))
    bring(state, apply("msp:3", 2, ("bd", "sbc.example", "3"), after={"cust:17": 8}))

    bring(state, apply("msp:3", 3, G5, base=2))
    bring(state, apply("cust:17", 8, TN17))

    assert state.value(RowKey("gw", "g5")) is not None


def test_deletions_do_not_wait_for_a_scope_that_is_not_here():
    state = State()
    bring(state, apply("msp:3", 1, G5, ("bd", "sbc.example", "3")))

    plan = bring(state, apply("msp:3", 2, ("bd", "sbc.example", "3"), after={"cust:99": 8}))

    assert plan.deletes == [RowKey("gw", "g5")]


def test_a_delta_needs_its_base():
    state = State()
    bring(state, apply("cust:17", 4, TN17))

    with pytest.raises(Refused, match="version 4 is held"):
        state.plan(apply("cust:17", 6, DN, base=5))


def test_an_address_stands_for_one_trunk_or_several():
    rows = [("ip", "17:127.0.9.1", "g5"), ("ip", "17:127.0.9.2", "g5,g12")]

    assert [row.value for row in State().plan(apply("cust:17", 1, *rows)).sets] == ["g5", "g5,g12"]


@pytest.mark.parametrize(
    "scope, row, says",
    [
        ("cust:17", ("tn", "18", "m=3;g=1"), "belongs to the customer that sends it"),
        ("cust:17", ("dn", "4930123", "t=18"), "belongs to the customer"),
        ("cust:17", ("dn", "+4930123", "t=17"), "digits"),
        ("cust:17", ("rt", "18.1.00:44", "r=1"), "begin with 17."),
        ("cust:1", ("rt", "17.1.00:44", "r=1"), "begin with 1."),
        ("cust:17", ("em", "18:112", "x=0"), "begin with 17:"),
        ("cust:17", ("gw", "g5", "m=3;o=0"), "own trunks only"),
        ("cust:17", ("au", "g5.p", "secret"), "not this scope's"),
        ("cust:17", ("rg", "allow", "0.0.0.0/0"), "no rows in rg"),
        ("cust:17", ("bd", "sbc.example", "3"), "belongs to the MSP"),
        ("cust:17", ("fq", "Acme.sbc.example", "17"), "lower case"),
        ("msp:3", ("gw", "g5", "h=2001:db8::1;m=3;o=0"), "IPv4 only"),
        ("cust:17", ("sc", "17.1", '[{"zone":"Mars/Olympus"}]'), "schedules"),
        ("cust:17", ("sr", "127.0.9.1", "1"), "no table"),
        ("cust:17", ("evil", "x", "1"), "no table"),
        ("msp:3", ("ps", "m3.0.aaaaaa", "1"), "no table"),
        ("msp:3", ("lc", "m4.0.aaaaaa:44", "12"), "begin with m3."),
        ("msp:3", ("pt", "m3.0.aaaaaa", "[]"), "moments"),
        ("cust:17", ("lt", "m3.0", "l=aaaaaa;w=1"), "no rows in lt"),
        ("cust:17", ("fc", "17:49\r\n30", "1"), "control characters"),
        ("cust:17", ("fc", "17:" + "4" * 300, "1"), "longer than"),
        ("msp:3", ("gw", "g5", "m=4;o=0"), "own shared trunks"),
        ("msp:3", ("bl", "m4:4490", "1"), "begin with m3:"),
        ("msp:3", ("tn", "17", "m=3;g=1"), "belongs to the customer"),
        ("region:1", ("rt", "17.1.00:", "r=0"), "no rows in rt"),
        ("region:1", ("gw", "g5", "m=3;o=0"), "no rows in gw"),
    ],
)
def test_a_row_that_is_not_the_scopes_is_refused_by_name(scope, row, says):
    state = State("10.0.0.5".__eq__)

    with pytest.raises(Refused, match=says) as refusal:
        state.plan(apply(scope, 1, row))

    assert refusal.value.row == {"table": row[0], "key": row[1]}
    assert len(state) == 0


@pytest.mark.parametrize(
    "scope, row, says",
    [
        ("cust:17", ("ip", "17:localhost", "g5"), "not an IP address"),
        ("cust:17", ("ip", "17:2001:db8::1", "g5"), "IPv4 only"),
        ("cust:17", ("ip", "17:10.0.0.5", "g5"), "SBC's own"),
        ("cust:17", ("ip", "18:127.0.9.1", "g5"), "begin with 17:"),
        ("msp:3", ("ip", "m3:10.0.0.5", "g5"), "SBC's own"),
        ("cust:17", ("ip", "17:127.0.9.1", "g5;x"), "stands for gateways"),
        ("cust:17", ("ip", "17:127.0.9.1", "g5,"), "stands for gateways"),
        ("cust:17", ("ip", "17:127.0.9.1", "g5,g6,g5"), "stands for gateways"),
        ("cust:17", ("au", "g5.p", "pass\x01word"), "control characters"),
        ("cust:17", ("au", "g5.x", "password"), "g12.u, g12.p or g12.r"),
    ],
)
def test_a_faulty_source_or_account_is_left_out_by_name_and_the_others_are_carried(scope, row, says):
    state = State("10.0.0.5".__eq__)
    own = {"cust:17": ("tn", "17", "m=3;st=0;g=1"), "msp:3": ("bd", "sbc.example", "3")}[scope]

    bring(state, apply(scope, 1, row, own))

    assert in_force(state) == {RowKey(*own[:2]): own[2]}
    [left_out] = state.left_out(scope)
    assert (left_out["table"], left_out["key"]) == row[:2] and says in left_out["reason"]


def test_what_is_left_out_is_told_until_it_is_given_up_or_mended():
    state = State("10.0.0.5".__eq__)
    source, other, bad = ("ip", "17:10.0.0.5", "g5"), ("ip", "17:127.0.9.1", "g5"), ("ip", "17:127.0.9.1", "g5;x")

    def told(version, *rows, **more):
        bring(state, apply("cust:17", version, *rows, **more))
        return [each["key"] for each in state.left_out("cust:17")]

    assert told(1, TN17, source, other) == ["17:10.0.0.5"]
    assert told(2, DN, base=1) == ["17:10.0.0.5"]
    assert told(3, bad, base=2) == ["17:10.0.0.5", "17:127.0.9.1"]
    assert RowKey(*other[:2]) not in in_force(state), "what it said before is wanted no more"
    assert told(4, other, base=3) == ["17:10.0.0.5"]
    assert told(5, base=4, delete=[RowKey("ip", "17:10.0.0.5")]) == []
    assert in_force(state) == {RowKey(*row[:2]): row[2] for row in (TN17, DN, other)}


def test_a_node_that_would_lose_much_waits_for_a_person():
    state = State()
    routes = [("rt", f"17.1.00:{number}", "r=1;g=g5") for number in range(1000, 1400)]
    bring(state, apply("cust:17", 1, TN17, *routes))

    with pytest.raises(Stopped, match="400 of this node's 401 rows"):
        state.plan(apply("cust:17", 2, TN17))

    assert len(bring(state, apply("cust:17", 2, TN17, approved=True)).deletes) == 400


def test_a_new_generation_of_a_large_policy_loses_nothing():
    state = State()
    prefixes = range(1000, 1400)
    bring(state, apply("cust:17", 1, TN17, *[("rt", f"17.1.00:{prefix}", "r=1;g=g5") for prefix in prefixes]))

    plan = bring(state, apply("cust:17", 2, TN17, *[("rt", f"17.2.00:{prefix}", "r=1;g=g6") for prefix in prefixes]))

    assert len(plan.deletes) == 400


def test_a_scope_becomes_empty_only_when_it_is_closing():
    state = State()
    bring(state, apply("cust:17", 1, TN17, DN))

    with pytest.raises(Stopped, match="last row"):
        state.plan(apply("cust:17", 2))

    assert bring(state, apply("cust:17", 2, closing=True)).deletes == [KEY, RowKey("tn", "17")]


def test_the_generation_is_not_part_of_what_a_row_says():
    assert without_generation(RowKey("rt", "17.43.00:44")) == without_generation(RowKey("rt", "17.44.00:44"))
    assert without_generation(RowKey("rt", "17.43.00:44")) != without_generation(RowKey("rt", "17.43.01:44"))
    assert without_generation(RowKey("rt", "17.43.00:44")) != without_generation(RowKey("rt", "18.43.00:44"))
    assert without_generation(RowKey("dn", "17.43")) == RowKey("dn", "17.43")


numbers = st.sampled_from(["491", "492", "493", "494"])
wishes = st.lists(st.tuples(st.sampled_from([17, 18, 19]), st.sets(numbers)), min_size=1, max_size=12)


@given(wishes=wishes, order=st.randoms(use_true_random=False), delta=st.booleans())
def test_whatever_order_changes_come_in_the_node_ends_with_what_is_wanted(wishes, order, delta):
    """Full states, deltas, repetitions and late ones: no scope ever takes a row that another one still wants."""
    versions: dict[int, list[Apply]] = {}
    for customer, digits in wishes:
        made = versions.setdefault(customer, [])
        rows = [("tn", str(customer), "g=1"), *[("dn", each, f"t={customer}") for each in sorted(digits)]]
        made.append(apply(f"cust:{customer}", len(made) + 1, *rows))
    sent = [message for made in versions.values() for message in made]
    order.shuffle(sent)
    state, engine = State(), {}
    for message in [*sent, *sent]:
        held = state.scopes.get(message.scope)
        if held and message.version <= held.version:
            continue
        if held and delta:
            keys = {RowKey(row.table, row.key) for row in message.set}
            message = replace(message, base=held.version, delete=[key for key in held.rows if key not in keys])
        plan = state.plan(message)
        state.commit(plan)
        engine |= {RowKey(row.table, row.key): row.value for row in plan.sets}
        for key in plan.deletes:
            del engine[key]
        assert engine == in_force(state)
        for row in message.set:
            assert RowKey(row.table, row.key) in engine

    wanted = {row.key for made in versions.values() for row in made[-1].set if row.table == "dn"}
    assert {key.key for key in engine if key.table == "dn"} == wanted
    for key in engine:
        assert Row(*key, engine[key]) in versions[int(state.owner(key)[5:])][-1].set


def test_a_price_list_may_take_away_any_number_of_rows_and_adds_none_to_what_may_be_lost():
    state = State()
    routes = [("bl", f"m3:{n}", "1") for n in range(1000, 1250)]
    prices = [("lc", f"m3.0.aaaaaa:{n}", "12") for n in range(3000)]
    bring(state, apply("msp:3", 1, G5, *routes, *prices, ("lt", "m3.0", "l=aaaaaa;w=1")))

    plan = bring(state, apply("msp:3", 2, G5, *routes))
    assert len(plan.deletes) == 3001
    with pytest.raises(Stopped):
        state.plan(apply("msp:3", 3, G5, *prices))


def test_how_numbers_begin_elsewhere_may_change_for_any_number_of_them():
    """Customers who come here take thousands along; whatever else a region says is still not lost unasked."""
    state = State()
    names = [("rg", "allow", "127.0.9.0/24"), *(("rg", f"x{n}", "1") for n in range(250))]
    bring(state, apply("region:1", 1, *names, *(("rg", f"e4930{n}", "1") for n in range(3000))))

    plan = bring(state, apply("region:1", 2, *names, ("rg", "e49", "1")))
    assert len(plan.deletes) == 3000
    with pytest.raises(Stopped):
        state.plan(apply("region:1", 3, ("rg", "e49", "1")))


def test_a_table_of_prices_is_switched_when_all_of_its_rows_are_there():
    state = State()
    bring(state, apply("msp:3", 1, ("lc", "m3.0.aaaaaa:44", "12"), ("lt", "m3.0", "l=aaaaaa;w=1")))

    plan = bring(state, apply("msp:3", 2, ("lc", "m3.0.bbbbbb:44", "123"), ("lt", "m3.0", "l=bbbbbb;w=1")))

    assert (plan.first, plan.switches) == ([Row("lc", "m3.0.bbbbbb:44", "123")], [Row("lt", "m3.0", "l=bbbbbb;w=1")])
    assert plan.deletes == [RowKey("lc", "m3.0.aaaaaa:44")]
