from dataclasses import replace

import pytest

from sbc.compiler import (
    CustomerFacts,
    EmergencyFacts,
    MicrosoftName,
    MspFacts,
    NumberFacts,
    RegionFacts,
    TrunkFacts,
    compile_customer,
    compile_msp,
    compile_region,
    for_node,
    price_rows,
    routing_fingerprint,
)
from sbc.rows import Row, UnsafeValue, difference
from voice.rating.cheapest import rank_table
from voice.rating.decks import FOREVER, Deck, Rate
from voice.rating.typical import TypicalCall
from voice.routing.choose import Line, Order

TRUNK = TrunkFacts(12, "sip.carrier.example", 5060, "udp", msp=3, source_addresses=("192.0.2.7",))
OWN = TrunkFacts(
    13, "192.0.2.9", 5061, "tcp", msp=3, owner=17, digest=True, password_version=1, username="acme;x=1", realm="carrier"
)
ACME = CustomerFacts(
    id=17,
    msp=3,
    active=True,
    fqdns=("Acme.sbc.northwind.example",),
    country="DE",
    cps=5,
    channels=30,
    lines=(Line(1, "44", ("g12", "g13")), Line(2, "4420", ("g13",)), Line(3, "")),
    default_caller_id="49301234500",
    numbers=(NumberFacts("49301234500", True), NumberFacts("49301234501", False, "g12")),
    approved_callers=("4989555000",),
    emergency=(EmergencyFacts("112", False, ("g12", "g13")),),
    usable_trunks=(TRUNK, OWN),
    own_trunks=(OWN,),
)


def table(rows: list[Row], name: str) -> dict[str, str]:
    return {row.key: row.value for row in rows if row.table == name}


def test_a_region_names_its_networks_and_microsofts_addresses():
    names = (MicrosoftName("sip.pstnhub.microsoft.com", "127.0.8.1"), MicrosoftName("sip2.pstnhub.microsoft.com"))

    rows = compile_region(RegionFacts(("127.0.9.0/24",), ("127.0.5.0/24",), names, ("127.0.8.0/24",)))

    assert table(rows, "rg") == {
        "allow": "127.0.9.0/24",
        "deny": "127.0.5.0/24",
        "msnets": "127.0.8.0/24",
        "ms1": "h=sip.pstnhub.microsoft.com;a=127.0.8.1;p=5061",
        "ms2": "h=sip2.pstnhub.microsoft.com;a=;p=5061",
    }


def test_an_msp_owns_its_bases_shared_trunks_and_blocks():
    rows = compile_msp(MspFacts(3, ("sbc.northwind.example",), (TRUNK,), ("882",)))

    assert table(rows, "gw") == {"g12": "h=sip.carrier.example;p=5060;t=udp;a=ip;cps=0;cc=0;m=3;o=0;fw=orig;st=1"}
    assert table(rows, "bd") == {"sbc.northwind.example": "3"}
    assert (table(rows, "bl"), table(rows, "ip")) == ({"m3:882": "1", "m3:": "3"}, {"m3:192.0.2.7": "g12"})


def test_a_customer_has_its_names_numbers_trunks_and_routes():
    rows = compile_customer(ACME, generation=43)

    assert table(rows, "fq") == {"acme.sbc.northwind.example": "17"}
    assert table(rows, "tn") == {
        "17": "m=3;st=1;cps=5;cc=30;g=43;ml=4;fq=acme.sbc.northwind.example;def=49301234500;scr=replace;fx=0;co=DE"
    }
    assert table(rows, "dn") == {"49301234500": "t=17;st=1;in=teams", "49301234501": "t=17;st=0;in=g12"}
    assert table(rows, "em") == {"17:112": "x=0;g=g12,g13"}
    assert table(rows, "rt") == {"17.43.00:44": "r=1;g=g12,g13", "17.43.00:": "r=3;b=1"}
    assert table(rows, "ip") == {"17:192.0.2.7": "g12"}
    assert set(table(rows, "gw")) == {"g13"}


@pytest.mark.parametrize(
    ("refuses", "default", "numbers", "told"),
    [
        (False, "49301", ("301 active", "302 active"), "def=49301;scr=replace"),
        (True, "49302", ("301 active", "302 active"), "def=49302;scr=refuse"),
        (True, "", ("301 inactive", "302 active refuse", "303 active"), "def=49303;scr=refuse"),
        (True, "", ("302 active refuse",), "def=49302;scr=refuse"),
        # Only emergency calls show it.
        (False, "", ("301 active",), "def=49301;scr=refuse"),
        (False, "", ("301 inactive",), "def=;scr=refuse"),
    ],
)
def test_emergency_calls_have_a_number_to_show_wherever_one_is_in_use(refuses, default, numbers, told):
    held = tuple(
        NumberFacts(f"49{digits}", state == "active", "".join(inbound) or "teams")
        for digits, state, *inbound in map(str.split, numbers)
    )
    customer = replace(ACME, numbers=held, default_caller_id=default, refuse_unknown_caller=refuses)

    assert f";{told};" in table(compile_customer(customer, 1), "tn")["17"]


@pytest.mark.parametrize(
    ("default", "numbers", "told"),
    [
        ("", ("331 FR", "491 DE"), {"def": "491", "112": "", "17": "331"}),
        # Help goes by the number to a place: to one in another country only where there is none in this.
        ("331", ("331 FR", "491 DE"), {"def": "331", "112": "491", "17": ""}),
        ("492", ("331 FR", "332 FR", "491 DE", "492 DE"), {"def": "492", "112": "", "17": "331"}),
        ("", ("331 FR refuse", "332 FR", "491 DE refuse", "441 GB"), {"def": "491", "112": "", "17": "332"}),
        ("441", ("441 GB",), {"def": "441", "112": "", "17": ""}),
        ("", (), {"def": "", "112": "", "17": ""}),
    ],
)
def test_help_is_shown_a_number_of_the_country_that_is_asked_for_it(default, numbers, told):
    held = tuple(
        NumberFacts(digits, True, "".join(inbound) or "teams", country)
        for digits, country, *inbound in map(str.split, numbers)
    )
    lists = (EmergencyFacts("112", False, ("g12",), "DE"), EmergencyFacts("17", False, ("g13", "g12"), "FR"))

    rows = compile_customer(replace(ACME, numbers=held, default_caller_id=default, emergency=lists), 1)

    assert f";def={told['def']};" in table(rows, "tn")["17"]
    assert table(rows, "em") == {
        f"17:{dial}": f"x=0;g={gateways}" + (f";n={told[dial]}" if told[dial] else "")
        for dial, gateways in (("112", "g12"), ("17", "g13,g12"))
    }


def test_a_secret_is_a_reference_and_never_the_secret():
    renewed = replace(OWN, password_version=2)
    before, after = (compile_customer(replace(ACME, own_trunks=(trunk,)), 1) for trunk in (OWN, renewed))

    assert table(before, "au") == {"g13.u": "acme;x=1", "g13.p": "secret:trunk:13:1", "g13.r": "carrier"}
    assert difference(before, after).set == (Row("au", "g13.p", "secret:trunk:13:2"),)


def test_the_generation_changes_only_with_the_routing():
    before = compile_customer(ACME, 43)
    relabelled = compile_customer(replace(ACME, cps=9), 44)
    assert table(compile_customer(replace(ACME, longest_call=3600), 43), "tn")["17"].endswith(";co=DE;mx=3600")
    rerouted = compile_customer(replace(ACME, lines=(Line(1, "44", ("g13",)),)), 44)

    assert ";g=43;" in table(before, "tn")["17"]
    assert routing_fingerprint(before) == routing_fingerprint(relabelled)
    assert routing_fingerprint(before) != routing_fingerprint(rerouted)


def test_a_node_takes_the_bases_and_names_of_its_own_region():
    both = replace(ACME, fqdns=("acme.sbc.northwind.example", "acme.sbc2.northwind.example"))
    msp = MspFacts(3, ("sbc.northwind.example", "sbc2.northwind.example"))

    there = for_node(compile_customer(both, 1), {"sbc2.northwind.example"}, nodes=1)

    assert table(there, "fq") == {"acme.sbc2.northwind.example": "17"}
    assert "fq=acme.sbc2.northwind.example;" in table(there, "tn")["17"]
    assert table(for_node(compile_msp(msp), {"sbc2.northwind.example"}, nodes=1), "bd") == {
        "sbc2.northwind.example": "3"
    }
    assert len(there) == len(compile_customer(both, 1)) - 1


def test_several_nodes_share_a_limit_and_no_limit_stays_none():
    rows = [Row("tn", "17", "m=3;st=1;cps=5;cc=30;g=1;fq=;def="), Row("gw", "g12", "h=a;cps=1;cc=0;m=3;o=0")]

    shares = for_node(rows, frozenset(), nodes=2)

    assert [row.value for row in shares] == ["m=3;st=1;cps=2;cc=15;g=1;fq=;def=", "h=a;cps=1;cc=0;m=3;o=0"]


def test_a_closing_customer_has_no_rows():
    assert compile_customer(replace(ACME, closing=True), 43) == []


def test_an_address_stands_for_all_trunks_there_the_older_first():
    tcp = replace(TRUNK, id=11, transport="tcp", enabled=False)
    own = replace(OWN, source_addresses=("192.0.2.7", "192.0.2.9"))
    other = replace(OWN, id=14, source_addresses=("192.0.2.9",))
    customer = replace(ACME, usable_trunks=(own, TRUNK, tcp, other), own_trunks=(own, other))

    assert table(compile_msp(MspFacts(3, (), (TRUNK, tcp))), "ip") == {"m3:192.0.2.7": "g11,g12"}
    # One that its owner has put out of use may come back without another word of the customer's.
    assert table(compile_customer(customer, 1), "ip") == {"17:192.0.2.7": "g11,g12,g13", "17:192.0.2.9": "g13,g14"}


@pytest.mark.parametrize("host", ["a;st=1", "a b", "a\nb", "a=b", "a\x00"])
def test_nothing_that_the_sbc_could_misread_leaves_the_compiler(host):
    with pytest.raises(UnsafeValue):
        compile_msp(MspFacts(3, (), (replace(TRUNK, host=host),)))


def test_a_difference_leads_from_one_set_of_rows_to_the_other():
    old = [Row("dn", "1", "a"), Row("dn", "2", "a")]
    new = [Row("dn", "2", "b"), Row("dn", "3", "c")]

    delta = difference(old, new)

    assert (set(delta.set), delta.delete) == ({Row("dn", "2", "b"), Row("dn", "3", "c")}, (("dn", "1"),))


def test_a_line_by_price_puts_own_trunks_first_and_its_customer_names_the_deck_that_protects_it():
    own = TrunkFacts(9, "127.0.9.9", 5060, "udp", 3, owner=17)
    line = Line(5, "44", ("g1", "g9", "g2"), order=Order.CHEAPEST)
    customer = replace(ACME, lines=(line, replace(line, id=6, prefix="1", order=Order.LISTED)), own_trunks=(own,))

    rows = {(row.table, row.key): row.value for row in compile_customer(replace(customer, protected=4), 43)}

    assert rows["rt", "17.43.00:44"] == "r=5;o=c;n=1;g=g9,g1,g2"
    assert rows["rt", "17.43.00:1"] == "r=6;g=g1,g9,g2"
    assert rows["tn", "17"].endswith(";lp=4")
    assert "lp=" not in next(row.value for row in compile_customer(customer, 43) if row.table == "tn")


def test_a_table_of_prices_is_the_msps_and_has_a_timetable_only_where_prices_change():
    spans = {"g1": [(0, FOREVER, 1)], "g2": [(0, 2_000, 2), (2_000, FOREVER, 1)]}
    decks = {1: Deck("EUR", [Rate(1, "44", "", 30)]), 2: Deck("EUR", [Rate(2, "44", "", 20), Rate(3, "44207", "", 40)])}
    table = rank_table(spans, decks, TypicalCall(180, "EUR"), 1_000, 9_000)

    rows = {
        (row.table, row.key): row.value for row in compile_msp(MspFacts(3, (), prices=tuple(price_rows(3, {0: table}))))
    }

    layout = table.layout
    assert rows == {
        ("lt", "m3.0"): f"l={layout};w=1",
        ("pt", f"m3.0.{layout}"): "[[1000,0],[2000,1]]",
        ("lc", f"m3.0.{layout}:g1"): "1",
        ("lc", f"m3.0.{layout}:g2"): "2.1",
        ("lc", f"m3.0.{layout}:44"): "21",
        ("lc", f"m3.0.{layout}:4420"): "e=21;n=1;7=12",
    }
