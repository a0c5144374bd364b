"""Files of rates as carriers send them: marks, codes, dates, workbooks, and what is hostile in them."""

import io
import zipfile
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from voice.rating.files.codes import read_codes
from voice.rating.files.columns import find_header, guess, remembered
from voice.rating.files.figures import (
    Figure,
    Wrong,
    days_in,
    marks_in,
    read_amount,
    read_moment,
    read_seconds,
    read_steps,
)
from voice.rating.files.lines import Fault, Line, Plan, Terms, read_lines
from voice.rating.files.tables import Unreadable, read_table

BERLIN = ZoneInfo("Europe/Berlin")


def workbook(*rows, more=(), title="Rates"):
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for name, others in more:
        sheet = book.create_sheet(name)
        for row in others:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(text, columns, **plan):
    facts = {"zone": BERLIN, "currency": "EUR", "decimal": "."} | plan
    rows = read_table(text if isinstance(text, bytes) else text.encode()).rows
    return list(read_lines(rows, Plan(columns, **facts)))


CODE_AND_PRICE = {"prefix": 0, "per_minute": 1}


@pytest.mark.parametrize(
    ("texts", "point", "comma", "either", "clear"),
    [
        (["1.234,56", "0,5"], "", "1.234,56", "", True),
        (["1,234.56"], "1,234.56", "", "", True),
        (["0.0119", "1,234"], "0.0119", "", "1,234", True),
        (["0,012"], "", "0,012", "", True),
        (["0.012", "1.500"], "0.012", "", "1.500", True),
        (["1.234", "12.500"], "", "", "1.234", False),
        (["0.0119", "0,0119"], "0.0119", "0,0119", "", False),
        (["1,234,567.8"], "1,234,567.8", "", "", True),
        (["1,234,567"], "1,234,567", "", "", True),
        (["1'234.5", "€ 0.5"], "1'234.5", "", "", True),
        (["5", "17"], "", "", "", True),
        (["n/a", ""], "", "", "", True),
        ([Figure("1.234")], "", "", "", True),
    ],
)
def test_what_amounts_show_of_their_decimal_mark(texts, point, comma, either, clear):
    shown = marks_in(texts)

    assert (shown.first, shown.second, shown.either, shown.is_clear) == (point, comma, either, clear)


@pytest.mark.parametrize(
    ("text", "mark", "micros"),
    [
        ("0.0119", ".", 11_900),
        ("0,0119", ",", 11_900),
        ("1.234,56", ",", 1_234_560_000),
        ("1,234.56", ".", 1_234_560_000),
        ("1 234,5", ",", 1_234_500_000),
        ("1'234.5", ".", 1_234_500_000),
        ("€ 0.01", ".", 10_000),
        ("0.01 EUR", ".", 10_000),
        ("0.011900000", ".", 11_900),
        (".5", ".", 500_000),
        ("0", ",", 0),
        (Figure("0.0119"), ",", 11_900),
    ],
)
def test_amounts_are_exact(text, mark, micros):
    assert read_amount(text, mark) == micros


@pytest.mark.parametrize(
    ("text", "mark", "words"),
    [
        ("1.234,56", ".", "does not fit"),
        ("1,234.56", ",", "does not fit"),
        ("1.5", ",", "does not fit"),
        ("12,34,5", ".", "not an amount"),
        ("1.19E-02", ".", "spreadsheet"),
        ("0.0000001", ".", "six decimals"),
        ("-0.01", ".", "negative"),
        ("-1", ".", "negative"),
        ("n/a", ".", "not an amount"),
        ("999999", ".", "wrong column"),
        ("१", ".", "not an amount"),
    ],
)
def test_amounts_that_cannot_be_meant_are_refused(text, mark, words):
    with pytest.raises(Wrong, match=words):
        read_amount(text, mark)


@pytest.mark.parametrize(
    ("text", "country", "codes"),
    [
        ("44", "", ["44"]),
        ("+44", "", ["44"]),
        ("1787, 1939", "", ["1787", "1939"]),
        ("4420-4424", "", ["4420", "4421", "4422", "4423", "4424"]),
        ("4420 – 22; 447", "", ["4420", "4421", "4422", "447"]),
        ("7700-02", "44", ["447700", "447701", "447702"]),
        ("080", "49", ["49080"]),
        ("", "44", ["44"]),
        ("44, 44", "", ["44"]),
        ("*", "", [""]),
        (Figure("4420"), "", ["4420"]),
        ("44.0", "", ["44"]),
    ],
)
def test_codes_come_one_by_one_in_lists_and_in_ranges(text, country, codes):
    assert read_codes(text, country) == codes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no code"),
        (" , ", "no code"),
        ("0044", "leading zeros"),
        ("4.42E+3", "spreadsheet"),
        ("44x", "digits"),
        ("44 20", "digits"),
        ("4424-4420", "range"),
        ("44-49999", "range"),
        ("1000000-9999999", "range"),
        ("1234567890123456", "15 digits"),
        ("４４", "digits"),
        ("UK", "digits"),
    ],
)
def test_codes_that_cannot_be_meant_are_refused(text, words):
    with pytest.raises(Wrong, match=words):
        read_codes(text)


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("2026-12-01", "", datetime(2026, 11, 30, 23, tzinfo=UTC)),
        ("2026-07-01", "", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("01.12.2026", "", datetime(2026, 11, 30, 23, tzinfo=UTC)),
        ("01/12/2026", "dmy", datetime(2026, 11, 30, 23, tzinfo=UTC)),
        ("12/01/2026", "mdy", datetime(2026, 11, 30, 23, tzinfo=UTC)),
        ("1-Dec-26", "", datetime(2026, 11, 30, 23, tzinfo=UTC)),
        ("2026-12-01 06:30", "", datetime(2026, 12, 1, 5, 30, tzinfo=UTC)),
        ("2026-12-01T00:00:00", "", datetime(2026, 11, 30, 23, tzinfo=UTC)),
    ],
)
def test_a_date_is_midnight_in_the_zone_of_the_deck(text, order, moment):
    assert read_moment(text, order, BERLIN) == moment


@pytest.mark.parametrize("text", ["31.02.2026", "soon", "2026-13-01", "1.1.0001", "2026-12-01 25:00", "46357"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(Wrong):
        read_moment(text, "", BERLIN)


def test_the_order_of_day_and_month_is_shown_by_the_column_or_asked():
    assert days_in(["01/02/2026", "13/02/2026"]).first == "13/02/2026"
    assert days_in(["01/02/2026", "02/13/2026"]).second == "02/13/2026"
    assert not days_in(["01/02/2026"]).is_clear
    assert days_in(["2026-01-02", "03/03/2026", "1.2.2026"]).is_clear


def test_steps_and_seconds():
    assert [read_steps(text) for text in ("60/1", "30+6", "1:1", "60", "0/60/60")] == [
        (60, 1), (30, 6), (1, 1), (60, 60), (60, 60),
    ]  # fmt: skip
    assert read_seconds("30 s") == read_seconds("30.0") == 30
    for text in ("", "1.5", "-1", "99999999999"):
        with pytest.raises(Wrong):
            read_seconds(text)
    with pytest.raises(Wrong):
        read_steps("60/0")


def test_headings_are_recognised_in_the_words_of_carriers():
    english = ["Destination", "Dial Codes", "Rate (EUR/min)", "Billing Increment", "Effective Date"]
    german = ["Ziel", "Vorwahl", "Preis pro Minute in EUR", "Verbindungsgebühr", "Gültig ab"]

    assert guess(english) == {"destination": 0, "prefix": 1, "per_minute": 2, "steps": 3, "begins": 4}
    assert guess(german) == {"destination": 0, "prefix": 1, "per_minute": 2, "fee": 3, "begins": 4}
    assert guess(["Country Code", "Area Code", "Price", "Evening", "Evening fee"], ["evening"]) == {
        "country_code": 0, "prefix": 1, "per_minute": 2, "band:evening": 3, "fee:evening": 4,
    }  # fmt: skip
    assert guess(["Country code", "Price"]) == {"prefix": 0, "per_minute": 1}


def test_the_heading_may_stand_below_a_title():
    rows = read_table(b"Carrier A price list;;\n;;\nvalid from 2026-12-01;;\nCode;Name;Rate\n44;UK;0,01\n").rows

    assert find_header(rows) == (2, {"prefix": 0, "destination": 1, "per_minute": 2})
    assert find_header(rows[3:]) == (-1, {})


def test_columns_are_remembered_by_their_headings_wherever_they_stand():
    known = {"prefix": "Breakout Nr.", "per_minute": "Net EUR"}

    assert remembered(["net (eur)", "x", "BREAKOUT NR"], {"prefix": "Breakout Nr.", "per_minute": "net"}) == {
        "prefix": 2, "per_minute": 0,
    }  # fmt: skip
    assert remembered(["Breakout Nr."], known) == {"prefix": 0}


@pytest.mark.parametrize(
    "content",
    [
        b"44;0,01\n49;0,02\n1,787;0,03",
        "44;0,01\r\n49;0,02\r1,787;0,03\r".encode("utf-16"),
        "\ufeff44;0,01\n49;0,02\n1,787;0,03".encode(),
        b"44\t0,01\n49\t0,02\n1,787\t0,03",
    ],
)
def test_cells_are_found_whatever_program_wrote_the_file(content):
    assert [cells for _number, cells in read_table(content).rows] == [["44", "0,01"], ["49", "0,02"], ["1,787", "0,03"]]


def test_a_stray_quote_spoils_its_own_line_only():
    found = read('44,0.01\n"49,0.02\n"1787,1939",0.03', CODE_AND_PRICE)

    assert isinstance(found[1], Fault) and "quotes" in found[1].words and found[1].row == 2
    assert [each.key[1] for each in found if isinstance(each, Line)] == ["44", "1787", "1939"]


def test_a_row_becomes_a_rate_with_everything_that_it_says():
    columns = dict(zip(
        ("prefix", "destination", "per_minute", "fee", "steps", "grace", "minimum_charge", "maximum_charge", "callers",
         "begins", "ends", "blocked", "currency", "direction"), range(14), strict=True,
    ))  # fmt: skip
    (line,) = read("447;UK mobile;0.18;0.01;30/6;2;0.05;9;49;2026-12-01;2027-01-01;no;eur;outbound", columns)

    assert line == Line(
        1, ("out", "447", "49"), Terms("UK mobile", 180_000, 10_000, 30, 6, 2, 50_000, 9_000_000, False),
        datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ("44;;;;", "per_minute", "free of charge has 0"),
        ("=1+1;0.01;;;", "prefix", "formula"),
        ("44;=SUM(A1);;;", "per_minute", "formula"),
        ("44;0.01;USD;;", "currency", "deck is in EUR"),
        ("44;0.01;;2026-12-01;2026-12-01", "ends", "ends before it begins"),
        ("44;0.01\0;;;", "per_minute", "no text"),
        (";0.01;;;", "prefix", "no code"),
    ],
)
def test_a_row_that_cannot_be_meant_says_why(cells, column, words):
    columns = {"prefix": 0, "per_minute": 1, "currency": 2, "begins": 3, "ends": 4}
    (fault,) = read(cells, columns)

    assert (fault.row, fault.column) == (1, column) and words in fault.words and "\0" not in fault.value


def test_a_code_with_two_prices_is_refused_and_one_that_stands_twice_is_not():
    found = read("44;0.01\n44;0.01\n49;0.02\n43;0.03\n49;0.05", CODE_AND_PRICE)

    assert [each.key[1] for each in found if isinstance(each, Line)] == ["44", "49", "43"]
    (fault,) = (each for each in found if isinstance(each, Fault))
    assert (fault.row, fault.codes) == (5, ("49",)) and "line 3" in fault.words


def test_increments_are_understood_in_one_column_or_in_two():
    columns = {**CODE_AND_PRICE, "increment": 2, "minimum": 3}
    found = read("44;0.01;60/6;\n49;0.01;6;30\n43;0.01;;", columns, minimum=1, increment=1)

    assert [(each.terms.minimum, each.terms.increment) for each in found] == [(60, 6), (30, 6), (1, 1)]


def test_a_blocked_code_needs_no_price_and_a_rate_of_nothing_is_a_rate():
    found = read("881;;yes\n44800;0;no", {**CODE_AND_PRICE, "blocked": 2})

    assert [(each.terms.per_minute, each.terms.blocked) for each in found] == [(0, True), (0, False)]


def test_a_band_without_a_fee_of_its_own_has_the_ordinary_one():
    columns = {**CODE_AND_PRICE, "fee": 2, "band:evening": 3, "fee:evening": 4, "band:weekend": 5}
    (first, second) = read("49;0.06;0.01;0.02;;\n43;0.06;0.01;0.02;0;0.03", columns)

    assert first.terms.bands == (("evening", 20_000, 10_000),)
    assert second.terms.bands == (("evening", 20_000, 0), ("weekend", 30_000, 10_000))


def test_a_workbook_is_read_with_its_numbers_as_numbers():
    content = workbook(
        ["Code", "Rate", "Effective"], [4420, 0.1 + 0.2, datetime(2026, 12, 1)], ["1787, 1939", "0,03", None],
        more=[("Cover", [["Price list"]])],
    )  # fmt: skip
    table = read_table(content)

    assert (table.sheet, table.sheets) == ("Rates", ["Rates", "Cover"])
    assert table.rows[1] == (2, ["4420", "0.3", "2026-12-01"])
    assert isinstance(table.rows[1][1][1], Figure) and not isinstance(table.rows[2][1][1], Figure)
    assert read_table(content, "Cover").rows == [(1, ["Price list"])]


def test_formulas_of_a_workbook_are_not_believed():
    rows = read_table(workbook(["Code", "Rate"], [44, "=0.01*2"])).rows
    (fault,) = read_lines(rows, Plan({"prefix": 0, "per_minute": 1}, BERLIN, "EUR", ".", header=0))

    assert "formula" in fault.words


STRINGS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"


def bomb(part, megabytes, kind=""):
    """Return a workbook with one more part, of this size and kind."""
    book = zipfile.ZipFile(io.BytesIO(workbook(["Code", "Rate"], [44, 1])))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as parts:
        for name in book.namelist():
            text = book.read(name).decode()
            if name == "[Content_Types].xml" and kind:
                text = text.replace("</Types>", f'<Override PartName="/{part}" ContentType="{kind}"/></Types>')
            parts.writestr(name, text)
        parts.writestr(part, bytes(megabytes * 1024 * 1024))
    return stream.getvalue()


def laughing():
    book = zipfile.ZipFile(io.BytesIO(workbook(["Code", "Rate"], ["lol", 1])))
    entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as parts:
        for name in book.namelist():
            text = book.read(name).decode()
            if "sheet1" in name:
                text = f"{entities}]>{text.split('?>', 1)[-1]}".replace("lol", "&j;")
            parts.writestr(name, text)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n\t\n ", "empty"),
        (b"x" * (20 * 1024 * 1024 + 1), "20 MB"),
        (b"PK\x03\x04 and nothing more", "damaged"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, "XLSX"),
        (workbook(["a"])[:-200], "damaged"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(content, words):
    with pytest.raises(Unreadable, match=words):
        read_table(content)


def test_bombs_are_refused_before_they_go_off():
    for part, megabytes, kind in (
        ("xl/worksheets/sheet9.xml", 401, ""),
        ("xl/sharedStrings.xml", 65, STRINGS),
        ("xl/worksheets/texts.xml", 65, STRINGS),
    ):
        with pytest.raises(Unreadable, match="too large when it is unpacked"):
            read_table(bomb(part, megabytes, kind))
    with pytest.raises(Unreadable, match="damaged"):
        read_table(laughing())


def test_a_cell_far_away_makes_no_row_wide():
    book = Workbook()
    book.active["A1"], book.active["XFD2"], book.active["A900000"] = "Code", "far", "low"
    stream = io.BytesIO()
    book.save(stream)

    assert read_table(stream.getvalue()).rows == [(1, ["Code"]), (900_000, ["low"])]
