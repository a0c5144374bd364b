"""What a customer's rows name of its MSP's, and when a change has to wait for it."""

import pytest

from sbc.naming import named, waits_for
from sbc.rows import Row

TN = Row("tn", "17", "m=3;st=1;g=1")
ROUTE = Row("rt", "17.1.00:44", "r=7;g=g1,g2")


@pytest.mark.parametrize(
    ("row", "names"),
    [
        (ROUTE, {("gw", "g1"), ("gw", "g2")}),
        (Row("rt", "17.1.00:49", "r=7;b=1"), set()),
        (Row("rt", "17.1.00:49", "r=7;o=c;n=1;g=g9,g1"), {("gw", "g9"), ("gw", "g1"), ("lt", "m3.0")}),
        (Row("em", "17:112", "x=0;g=g4"), {("gw", "g4")}),
        (Row("ip", "17:127.0.9.1", "g1,g5"), {("gw", "g1"), ("gw", "g5")}),
        (Row("dn", "4930", "t=17;st=1;in=g6"), {("gw", "g6")}),
        (Row("fq", "acme.sbc.example", "17"), {("bd", "sbc.example")}),
        (Row("tn", "17", "m=3;st=1;lp=8"), {("lt", "m3.8")}),
        (Row("fc", "17:4930", "1"), set()),
    ],
)
def test_rows_name_trunks_base_domains_and_tables_of_prices(row, names):
    of = {TN, row} if row.table != "tn" else {row}

    assert {key for key in named(of) if key[1] not in ("", "teams")} == names


@pytest.mark.parametrize(
    ("brought", "held", "waits"),
    [
        ({"g2": "h=1"}, {}, True),
        ({"g2": "h=1"}, {"g2": "h=2"}, True),
        ({"g2": "h=1"}, {"g2": "h=1"}, False),
        ({"g7": "h=1"}, {}, False),  # nobody names it
        ({"g1": "h=1"}, {"g1": "h=2"}, False),  # named by what runs, too
        ({}, {}, False),  # nor would the outer version bring it
    ],
)
def test_a_change_waits_for_what_it_newly_names(brought, held, waits):
    rows = [{("gw", key): value for key, value in each.items()} for each in (brought, held)]

    assert waits_for([TN, ROUTE], [TN, Row("rt", "17.1.00:44", "r=7;g=g1")], *rows) is waits
