"""How values read, and what an export may not contain."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from portal.ui import values
from portal.ui.columns import Column
from portal.ui.export import csv_lines, harmless


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0, "0 s"), (0.25, "250 ms"), (59, "59 s"), (59.6, "1 min 0 s"), (192, "3 min 12 s"),
     (3600, "1 h 0 min"), (90_061, "1 d 1 h"), (timedelta(minutes=2), "2 min 0 s")],
)  # fmt: skip
def test_a_duration_reads_in_its_two_largest_units(seconds, words):
    assert values.duration(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(0, "0"), (750, "12.5"), (20_100, "335"), (90_000, "1,500")])
def test_what_a_plan_includes_reads_in_minutes(seconds, words):
    assert values.minutes(seconds) == words


@pytest.mark.parametrize(
    ("micros", "currency", "language", "words"),
    [(12_340_000, "EUR", "en", "€12.34"), (12_340_000, "EUR", "de", "12,34\xa0€"), (12_345, "USD", "en", "$0.012345"),
     (None, "EUR", "en", "–"), (-5_000_000, "GBP", "en", "-£5.00"), (1_000_000, "EUR", "en", "€1.00")],
)  # fmt: skip
def test_money_reads_with_its_currency_and_as_many_places_as_it_has(monkeypatch, micros, currency, language, words):
    monkeypatch.setattr(translation, "get_language", lambda: language)
    assert values.money(micros, currency) == words


@pytest.mark.parametrize(
    ("micros", "currency", "words"),
    [(8_564_400, "EUR", "€8.56"), (8_565_000, "EUR", "€8.57"), (-8_565_000, "EUR", "-€8.57"), (0, "EUR", "€0.00"),
     (4_999, "EUR", "€0.004999"), (-1_200, "EUR", "-€0.0012"), (12_499_999, "JPY", "¥12"), (None, "EUR", "–"),
     (1_234_500, "KWD", "KWD1.235")],
)  # fmt: skip
def test_a_sum_reads_to_the_coin_and_never_as_nothing_where_there_is_something(micros, currency, words):
    assert values.total(micros, currency) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [("+4930901820112", "+49 30 901820112"), ("4930901820112", "+49 30 901820112"), ("112", "112"), ("", "–"),
     (None, "–"), ("<b>alice</b>", "<b>alice</b>"), ("anonymous", "anonymous")],
)  # fmt: skip
def test_a_number_reads_in_the_international_format_and_other_text_as_it_is(text, words):
    assert values.phone(text) == words


def test_a_moment_reads_in_the_zone_of_the_reader_with_the_zone_in_the_tooltip():
    with timezone.override("Europe/Berlin"):
        local = values.moment(datetime(2026, 7, 1, 12, 0, tzinfo=UTC))

        assert values.full_moment(local) == "Wed 1 Jul 2026, 14:00:00 CEST (UTC+0200)"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-11-20T00:00", "' or 1=1"])
def test_a_day_that_is_none_filters_nothing(text):
    assert values.day_edge(text, end=False) is None


def test_the_last_day_of_a_filter_is_included_whole():
    with timezone.override("America/New_York"):
        assert values.day_edge("2026-11-20", end=True).isoformat() == "2026-11-21T00:00:00-05:00"


def test_nothing_ends_after_the_last_day():
    assert values.day_edge("9999-12-31", end=True) is None
    assert values.day_edge("9999-12-31", end=False) is not None


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1", "\uff1d1"])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("Acme;=cmd|' /C calc'!A0;x", "Acme;'=cmd|' /C calc'!A0;x"),
        ("Acme; @SUM(A1)", "Acme;' @SUM(A1)"),
        ("Acme\n=1+1", "Acme\n'=1+1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("Acme;-5+cmd", "Acme;'-5+cmd"),
        ("to +4930901820112; +4930901820113", "to +4930901820112; +4930901820113"),
        ("from 3;-12.50;+49309***", "from 3;-12.50;+49309***"),
        ("a;b=c", "a;b=c"),
    ],
)
def test_nor_does_one_that_is_cut_in_two(cell, written):
    """Where the comma is a decimal mark, a spreadsheet cuts our lines at semicolons, whatever our quotes say."""
    assert harmless(cell) == written


@pytest.mark.parametrize("cell", ["+4930901820112", "+49309018***", "-12.50", "-5", "Acme", "", "a=b", "3"])
def test_numbers_and_plain_text_are_exported_as_they_are(cell):
    assert harmless(cell) == cell


def test_an_export_has_a_head_and_a_line_for_each_row():
    columns = [Column("name", "Name"), Column("health", "State", kind="status"), Column("cost", "Cost", kind="money")]
    rows = [{"name": 'Carrier "A"', "health": "up", "cost": 1_500_000, "currency": "USD"}]

    assert list(csv_lines(columns, rows)) == ["Name,State,Cost\r\n", '"Carrier ""A""",Up,$1.50\r\n']
