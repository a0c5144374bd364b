"""The lines of a document on paper, over as many pages as they need, with what is carried from one to the next."""

from collections.abc import Sequence

from voice.receivables.einvoice import LineRow, TaxRow, pieces
from voice.receivables.sheet import GREY, LEFT, TOP, WIDTH, Sheet

# Where each column begins, and how wide it is: what, quantity, each, tax, amount.
COLUMNS = ((0, 86), (86, 18), (104, 24), (128, 16), (144, 26))
HEIGHT, SMALL, PADDING = 4.8, 4.0, 1.3


def write_lines(sheet: Sheet, currency: str, lines: Sequence[LineRow], taxes: Sequence[TaxRow]) -> None:
    """Write the lines from where the sheet stands, each whole on one page."""
    say, reader = sheet.reader.say, sheet.reader
    has_levies = any(each.is_levy for each in taxes)
    _head(sheet, has_levies=has_levies)
    carried = 0
    for line in lines:
        sheet.write_as("", 9.5)
        told = sheet.broken(line.text, COLUMNS[0][1])
        small = _calls(sheet, line) if line.kind == "usage" else ""
        height = HEIGHT * len(told) + (SMALL if small else 0) + 2 * PADDING
        # The sum to carry has its own line at the end of a page.
        if sheet.get_y() + height + HEIGHT + 2 * PADDING > sheet.bottom:
            page = sheet.page_no()
            _sum(sheet, say("carried"), reader.money(carried, currency))
            sheet.add_page()
            sheet.set_y(TOP)
            _head(sheet, has_levies=has_levies)
            _sum(sheet, say("brought", page=page), reader.money(carried, currency))
        _line(sheet, currency, line, told, small)
        carried += line.net


def _head(sheet: Sheet, *, has_levies: bool) -> None:
    y = sheet.get_y()
    sheet.write_as("B", 8.5, sheet.look.colour)
    for (left, width), key in zip(
        COLUMNS, ("what", "quantity", "each", "tax" if has_levies else "vat", "amount"), strict=True
    ):
        sheet.put(LEFT + left, y, width, sheet.reader.say(key), align="R" if left else "L")
    sheet.rule(y + 5.8, sheet.look.colour, 0.5)
    sheet.set_y(y + 6.2)


def _line(sheet: Sheet, currency: str, line: LineRow, told: list[str], small: str) -> None:
    reader, top = sheet.reader, sheet.get_y() + PADDING
    count, price = pieces(line, currency)
    cells = (reader.number(count), reader.money(price, currency), _tax(sheet, line), reader.money(line.net, currency))
    sheet.write_as("", 9.5)
    for number, text in enumerate(told):
        sheet.put(LEFT, top + HEIGHT * number, COLUMNS[0][1], text, height=HEIGHT)
    for (left, width), text in zip(COLUMNS[1:], cells, strict=True):
        sheet.put(LEFT + left, top, width, text, align="R", height=HEIGHT)
    y = top + HEIGHT * len(told)
    if small:
        sheet.write_as("", 8, GREY)
        sheet.put(LEFT, y, COLUMNS[0][1], small, height=SMALL)
        y += SMALL
    sheet.rule(y + PADDING)
    sheet.set_y(y + PADDING)


def _tax(sheet: Sheet, line: LineRow) -> str:
    if line.levies:
        return " ".join(chr(ord("A") + position - 1) for position in sorted(line.levies))
    return "–" if line.category == "O" else sheet.reader.percent(line.per_million)


def _calls(sheet: Sheet, line: LineRow) -> str:
    reader, time = sheet.reader, sheet.reader.duration(line.seconds)
    if line.quantity == 1:
        return reader.say("calls_one", time=time)
    return reader.say("calls", n=reader.number(line.quantity), time=time)


def _sum(sheet: Sheet, words: str, amount: str) -> None:
    y = sheet.get_y() + PADDING
    sheet.write_as("B", 9, GREY)
    sheet.put(LEFT, y, WIDTH - 40, words, height=HEIGHT)
    sheet.put(LEFT + WIDTH - 40, y, 40, amount, align="R", height=HEIGHT)
    sheet.set_y(y + HEIGHT + PADDING)
    sheet.rule(sheet.get_y())
