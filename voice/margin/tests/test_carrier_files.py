"""What a carrier's file says, and what is said of lines that cannot be meant."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from voice.margin.carrier_files import NAMES, NEEDED, Plan, lacking, read_at, read_calls, read_duration, read_number
from voice.margin.matching import Theirs
from voice.rating.files.columns import find_header
from voice.rating.files.figures import Wrong
from voice.rating.files.lines import Fault
from voice.rating.files.tables import read_table

BERLIN = ZoneInfo("Europe/Berlin")


def read(text, decimal=".", dates="dmy", currency="EUR"):
    rows = read_table(text.encode()).rows
    header, columns = find_header(rows, (), NAMES, NEEDED)
    assert not lacking(columns), columns
    return list(read_calls(rows, Plan(columns, BERLIN, currency, decimal, dates, header)))


def ms(*parts):
    return round(datetime(*parts, tzinfo=UTC).timestamp() * 1000)


def test_headings_of_two_languages_are_known():
    [one] = read(
        "Start Time;B-Number;Duration (sec);Cost (EUR);Zone\n2026-10-01 08:15:02;+49 30 1234567;65;0.0054;DE\n"
    )
    assert one == Theirs(2, "49301234567", ms(2026, 10, 1, 6, 15, 2), 65, 5_400, "DE")
    [two] = read("Datum;Uhrzeit;Zielrufnummer;Dauer;Betrag\n01.10.2026;08:15:02;0049301234567;0:01:05;0,0054\n", ",")
    assert two[1:5] == one[1:5]


def test_a_line_that_cannot_be_meant_is_said_so_and_the_sum_at_the_end_is_no_call():
    text = (
        "Start,Called,Duration,Amount,Currency\n"
        "2026-10-01 08:15:02,anonymous,65,0.01,EUR\n"
        "yesterday,49301234567,65,0.01,EUR\n"
        "2026-10-01 08:15:02,49301234567,-4,0.01,EUR\n"
        "2026-10-01 08:15:02,49301234567,4,,EUR\n"
        "2026-10-01 08:15:02,=cmd|'/c calc'!A0,4,0.01,EUR\n"
        "2026-10-01 08:15:02,49301234567,4,0.01,USD\n"
        "2026-10-01 08:15:02,49301234567,4,-0.01,EUR\n"
        ",,,99.90,EUR\n"
    )
    found = read(text)
    assert all(isinstance(each, Fault) for each in found)
    assert [each.column for each in found] == ["called", "at", "seconds", "amount", "called", "currency", "amount"]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-10-01 08:15:02", ms(2026, 10, 1, 6, 15, 2)),
        ("2026-10-01T08:15:02Z", ms(2026, 10, 1, 8, 15, 2)),
        ("2026-10-01T08:15:02+02:00", ms(2026, 10, 1, 6, 15, 2)),
        ("01/10/2026 08:15:02", ms(2026, 10, 1, 6, 15, 2)),
        ("1790842502", 1_790_842_502_000),
        ("1790842502123", 1_790_842_502_123),
        ("2026-10-01", ms(2026, 9, 30, 22)),
    ],
)
def test_times_of_all_writings(text, at):
    assert read_at(text, "dmy", BERLIN) == at


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:30:00-05:00", "0001-01-01T00:30:00+02:00", "9999-12-31 23:59:59", "0001-01-01 00:00:01"]
)
def test_a_time_that_cannot_be_meant_spoils_its_own_line_alone(text):
    with pytest.raises(Wrong, match="between 1990 and 2100"):
        read_at(text, "dmy", BERLIN)


def test_durations_and_numbers():
    assert [read_duration(text) for text in ("65", "65s", "1:05", "0:01:05", "64.2", "0")] == [65, 65, 65, 65, 65, 0]
    assert [read_number(text) for text in ("+49 30/123-45", "0049301234", "49301234")] == [
        "493012345", "49301234", "49301234",
    ]  # fmt: skip
    for wrong in ("", "-3", "1e5", "9999999", "12:61"):
        with pytest.raises(Wrong):
            read_duration(wrong)
    for wrong in ("", "withheld", "12", "4930" * 9):
        with pytest.raises(Wrong):
            read_number(wrong)
