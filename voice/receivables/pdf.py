"""An invoice on paper, in the MSP's brand and the customer's language: a PDF/A-3 with the e-invoice inside. Pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from voice.receivables import xmp
from voice.receivables.einvoice import LineRow, TaxRow
from voice.receivables.lines_on_paper import write_lines
from voice.receivables.payment_box import write_payment
from voice.receivables.sheet import GREY, INK, LEFT, LINE, RULE, TINT, TOP, WIDTH, Look, Reader, Sheet

__all__ = ["Look", "render"]

ATTACHMENT = "factur-x.xml"
LOGO_HEIGHT, LOGO_WIDTH = 16, 60
ADDRESS_AT, FACTS_AT, FACTS_WIDTH = 45, 122, 68
WHOLE = 1_000_000


def render(
    document: Any,
    lines: Sequence[LineRow],
    taxes: Sequence[TaxRow],
    look: Look,
    *,
    xml: bytes | None = None,
    corrects: tuple[str, date] | None = None,
) -> bytes:
    """Return the document as PDF/A-3b; with `xml` it is a Factur-X invoice of the profile EN 16931."""
    made = datetime.combine(document.issued_on or date(2000, 1, 1), time(), UTC)
    reader = Reader.of(document.buyer)
    title = reader.say("credit_note" if document.is_credit_note else "invoice")
    number = document.number or reader.say("draft")
    sheet = Sheet(document.seller, look, reader, number)
    sheet.set_title(f"{title} {number}")
    sheet.set_author(document.seller["name"])
    sheet.set_creation_date(made)
    sheet.set_xmp_metadata(xmp.packet(f"{title} {number}", document.seller["name"], made, is_facturx=xml is not None))
    sheet.add_page()
    _brand(sheet)
    below = max(_recipient(sheet, document), _facts(sheet, document, number, corrects))
    _title(sheet, document, f"{title} {number}", below + 10)
    write_lines(sheet, document.currency, lines, taxes)
    _totals(sheet, document, taxes)
    _notes(sheet, taxes)
    if not document.is_credit_note:
        write_payment(sheet, document)
    if xml is not None:
        sheet.embed_file(
            bytes=xml, basename=ATTACHMENT, mime_type="text/xml", associated_file_relationship="Alternative",
            modification_date=made, creation_date=made, desc="EN 16931", checksum=True, compress=True,
        )  # fmt: skip
    return bytes(sheet.output())


def _brand(sheet: Sheet) -> None:
    look = sheet.look
    if look.logo:
        width, height = look.size if all(look.size) else (1, 1)
        # As high as its place unless that would make it wider.
        across = min(LOGO_WIDTH, LOGO_HEIGHT * width / height)
        sheet.image(look.logo, x=LEFT, y=TOP - 4, w=across, alt_text=look.name)
    sheet.write_as("B", 15, look.colour)
    sheet.put(LEFT, TOP - 4, WIDTH, look.name, align="R", height=LOGO_HEIGHT)


def _recipient(sheet: Sheet, document: Any) -> float:
    reader, buyer = sheet.reader, document.buyer
    sheet.write_as("", 7, GREY)
    sheet.put(LEFT, ADDRESS_AT, 90, " · ".join([document.seller["name"], *reader.address(document.seller)]), height=4)
    y: float = ADDRESS_AT + 5.5
    sheet.write_as("", 10)
    told = [buyer["name"], *reader.address(buyer)] if buyer else []
    if buyer.get("vat_id"):
        told.append(reader.say("customer_vat_id", id=buyer["vat_id"]))
    for text in told:
        for line in sheet.broken(text, 90):
            sheet.put(LEFT, y, 90, line)
            y += LINE
    return y


def _facts(sheet: Sheet, document: Any, number: str, corrects: tuple[str, date] | None) -> float:
    reader = sheet.reader
    facts = [
        ("number", number),
        ("date", reader.day(document.issued_on)),
        ("period", f"{reader.day(document.begins)} – {reader.day(document.ends - timedelta(days=1))}"),
    ]
    if not document.is_credit_note:
        facts.append(("pay_until", reader.day(document.due_on)))
    if corrects:
        facts.append(("corrects", f"{corrects[0]}, {reader.day(corrects[1])}"))
    if document.buyer.get("buyer_reference"):
        facts.append(("your_reference", document.buyer["buyer_reference"]))
    y: float = ADDRESS_AT + 0.5
    for key, value in facts:
        sheet.write_as("", 7.5, GREY)
        sheet.put(FACTS_AT, y, FACTS_WIDTH, reader.say(key), height=3.4)
        sheet.write_as("", 9.5)
        for line in sheet.broken(value, FACTS_WIDTH):
            sheet.put(FACTS_AT, y + 3.2, FACTS_WIDTH, line, height=4.6)
            y += 4.6
        y += 4
    return y - 3


def _title(sheet: Sheet, document: Any, title: str, y: float) -> None:
    sheet.write_as("B", 18)
    sheet.put(LEFT, y, WIDTH, title, height=9)
    y += 10
    if document.reason:
        sheet.write_as("", 9.5, GREY)
        for line in sheet.broken(document.reason, WIDTH):
            sheet.put(LEFT, y, WIDTH, line)
            y += LINE
    sheet.set_y(y + 3)


def _totals(sheet: Sheet, document: Any, taxes: Sequence[TaxRow]) -> None:
    reader, currency = sheet.reader, document.currency
    rows = [(reader.say("net"), document.net)]
    has_levies = any(each.is_levy for each in taxes)
    letter = ord("A")
    for each in taxes:
        if each.is_levy:
            rows.append((f"{chr(letter)}  {_levy(reader, each, currency)}", each.tax))
            letter += 1
        elif each.category != "O" or (each.note and not has_levies):
            key = "vat_on" if each.category == "S" else "no_vat_on"
            net = reader.money(each.net, currency)
            rows.append((reader.say(key, rate=reader.percent(each.per_million), net=net), each.tax))
    height = 6.0
    if sheet.get_y() + height * (len(rows) + 2) > sheet.bottom:
        sheet.add_page()
        sheet.set_y(TOP)
    y, left = sheet.get_y() + 3, LEFT + 72
    sheet.write_as("", 9.5)
    for name, micros in rows:
        sheet.put(left, y, 68, name, height=height)
        sheet.put(left + 68, y, WIDTH - 140, reader.money(micros, currency), align="R", height=height)
        y += height
    sheet.rule(y + 0.6, sheet.look.colour, 0.5, left)
    sheet.write_as("B", 12.5)
    sheet.put(left, y + 1.6, 58, reader.say("credited" if document.is_credit_note else "total"), height=8)
    sheet.put(left + 58, y + 1.6, WIDTH - 130, reader.money(document.total, currency), align="R", height=8)
    sheet.set_y(y + 14)


def _levy(reader: Reader, each: TaxRow, currency: str) -> str:
    if each.fixed:
        amount = reader.money(each.fixed, currency)
        return reader.say("levy_fixed", name=each.name, n=reader.number(each.units), each=amount)
    net, rate = reader.money(each.net, currency), reader.percent(each.per_million)
    if each.share_per_million < WHOLE:
        share = reader.percent(each.share_per_million)
        return reader.say("levy_share", name=each.name, rate=rate, share=share, net=net)
    return reader.say("levy_rate", name=each.name, rate=rate, net=net)


def _notes(sheet: Sheet, taxes: Sequence[TaxRow]) -> None:
    sheet.write_as("", 9, INK)
    y = sheet.get_y()
    for note in dict.fromkeys(each.note for each in taxes if each.note):
        told = sheet.broken(note, WIDTH - 6)
        height = LINE * len(told) + 3
        if y + height > sheet.bottom:
            sheet.add_page()
            y = TOP
        sheet.set_fill_color(*TINT)
        sheet.set_draw_color(*RULE)
        sheet.rect(LEFT, y, WIDTH, height, style="F")
        for number, line in enumerate(told):
            sheet.put(LEFT + 2, y + 1.5 + LINE * number, WIDTH - 4, line)
        y += height + 2
    sheet.set_y(y + 3)
