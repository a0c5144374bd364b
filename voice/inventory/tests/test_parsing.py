import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.inventory.parsing import Fault, Row, Unreadable, parse


def read(text, country="DE", encoding="utf-8"):
    found = list(parse(text.encode(encoding) if isinstance(text, str) else text, country))
    return [each.e164 for each in found if isinstance(each, Row)], [each for each in found if isinstance(each, Fault)]


@pytest.mark.parametrize(
    ("typed", "first", "count"),
    [
        ("+49301234500", "+49301234500", 1),
        ("030 1234500", "+49301234500", 1),
        ("+49301234500-99", "+49301234500", 100),
        ("+49301234500 - 599", "+49301234500", 100),
        ("+49301234500-+49301234509", "+49301234500", 10),
        ("030 1234500 – 09", "+49301234500", 10),
        ("+49301234500..09", "+49301234500", 10),
        ("+49301234500 x100", "+49301234500", 100),
        ("+49 30 1234500 × 3", "+49301234500", 3),
        ("number\n+49301234500", "+49301234500", 1),
        ("first;last\n+49301234500;+49301234504", "+49301234500", 5),
        ("first,count\n+49301234500,7", "+49301234500", 7),
        ('number\n="+49301234500"', "+49301234500", 1),
        ("+1 206-555-0100", "+12065550100", 1),
    ],
)
def test_numbers_are_read_as_people_write_them(typed, first, count):
    numbers, faults = read(typed)

    assert not faults
    assert (numbers[0], len(numbers)) == (first, count)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("\ufeffnumber;country\r\n+49301234500;DE\n+49301234501;DE\r+49301234502;DE", "utf-8"),
        ("number\tland\r\n+49301234500\tDE\r\n+49301234501\t\r\n030 1234502\tDE", "utf-8"),
        ("Rufnummer;Netzbetreiber\n+49301234500;Müller\n+49301234501;\n+49301234502;", "cp1252"),
        ("number,kind\n+49301234500,mobile\n\n+49301234501,\n,\n+49301234502,", "utf-16"),
    ],
)
def test_every_spreadsheets_file_is_read(text, encoding):
    numbers, faults = read(text, encoding=encoding)

    assert not [fault for fault in faults if fault.column != "carrier"]
    assert numbers == ["+49301234500", "+49301234501", "+49301234502"]


@pytest.mark.parametrize(
    ("cell", "column", "words"),
    [
        ("=1+1", "number", "formula"),
        ("=HYPERLINK(A1)", "number", "formula"),
        ("@SUM(A1)", "number", "formula"),
        ("+cmd|'/C calc'!A0", "number", "formula"),
        ("4.93012E+11", "number", "rounded"),
        ("hello", "number", "not a telephone number"),
        ("+4930", "number", "plan of DE"),
        ("+493012345001234567", "number", "digits"),
        ("+1 555 555 5555", "number", "plan of US"),
        ("+49301234599-00", "last", "must end after"),
        ("+49301234500 x99999", "count", "1 to 10,000"),
        ("+49301234500-+49302234500", "last", "1 to 10,000"),
        ('"+49301234500', "", "quotes"),
        ("x" * 10_000, "number", "not a telephone number"),
    ],
)
def test_a_wrong_line_names_its_column_and_the_reason_and_spoils_no_other(cell, column, words):
    numbers, faults = read(f"number\n+49301234501\n{cell}\n+49301234502")

    assert numbers == ["+49301234501", "+49301234502"]
    assert [(fault.row, fault.column) for fault in faults] == [(3, column)]
    assert words in faults[0].words


def test_other_columns_are_checked_too():
    rows = ["number;country;kind;monthly_cost", "+49301234500;XX;;", "+49301234501;;pink;", "+49301234502;;;much"]
    _numbers, faults = read("\n".join([*rows, "+49301234503;DE;toll-free;0,45"]))

    assert [(fault.row, fault.column) for fault in faults] == [(2, "country"), (3, "kind"), (4, "monthly_cost")]
    good = [
        each
        for each in parse("\n".join([*rows, "+49301234503;DE;toll-free;0,45"]).encode(), "DE")
        if isinstance(each, Row)
    ]
    assert (good[0].kind, good[0].monthly_cost) == ("toll_free", 450_000)


def test_a_repeated_number_names_the_line_where_it_was_first():
    numbers, faults = read("+49301234500-09\n+49301234505")

    assert len(numbers) == 10
    assert (faults[0].row, "line 1" in faults[0].words) == (2, True)


def test_kind_and_country_come_from_the_plan():
    rows = [each for each in parse(b"+4915112345678\n+448001111111\n+12065550100", "DE") if isinstance(each, Row)]

    assert [(row.country, row.kind) for row in rows] == [("DE", "mobile"), ("GB", "toll_free"), ("US", "geographic")]


def test_a_file_without_a_number_column_is_refused_as_a_whole():
    with pytest.raises(Unreadable, match="column named number"):
        list(parse(b"kind;carrier\nmobile;A", "DE"))


@given(st.one_of(st.binary(max_size=200), st.text("number;,\t\"'+=-@x*0123456789 \r\n", max_size=120).map(str.encode)))
def test_no_file_breaks_the_reader(content):
    try:
        for each in parse(content, "DE"):
            assert each.e164.startswith("+") if isinstance(each, Row) else each.words
    except Unreadable as error:
        assert str(error)


def test_a_hundred_thousand_rows_are_read_and_row_5317_is_the_only_fault():
    lines = [f"+4930{number:07d}" for number in range(2_000_000, 2_100_000)]
    lines[5316] = '=cmd|"x"'
    found = list(parse("\n".join(lines).encode(), "DE"))

    assert sum(isinstance(each, Row) for each in found) == 99_999
    assert [each.row for each in found if isinstance(each, Fault)] == [5317]
