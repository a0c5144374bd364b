"""Receipts and statements on paper, in the MSP's brand and the customer's language. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from voice.languages import Table, phrase
from voice.payments.statements import Statement
from voice.receivables import xmp
from voice.receivables.sheet import GREY, INK, LEFT, LINE, TOP, WIDTH, Look, Reader, Sheet

ADDRESS_AT, TABLE_AT, LOGO_HEIGHT, LOGO_WIDTH = 46, 92, 14, 60
WORDS: Table = {
    "receipt": {"en": "Receipt", "de": "Zahlungsbestätigung", "fr": "Reçu"},
    "thanks": {
        "en": "Thank you. We received your payment of %(amount)s on %(day)s.",
        "de": "Vielen Dank. Wir haben Ihre Zahlung von %(amount)s am %(day)s erhalten.",
        "fr": "Merci. Nous avons reçu votre paiement de %(amount)s le %(day)s.",
    },
    "by_card": {"en": "Paid by card: %(card)s", "de": "Mit Karte bezahlt: %(card)s", "fr": "Payé par carte : %(card)s"},
    "reference": {"en": "Reference: %(text)s", "de": "Verwendungszweck: %(text)s", "fr": "Référence : %(text)s"},
    "paid_invoice": {"en": "Invoice %(number)s", "de": "Rechnung %(number)s", "fr": "Facture %(number)s"},
    "ahead": {"en": "Kept on your account", "de": "Guthaben auf Ihrem Konto", "fr": "Conservé sur votre compte"},
    "went_back": {"en": "Went back", "de": "Zurückgezahlt", "fr": "Remboursé"},
    "statement": {"en": "Statement of account", "de": "Kontoauszug", "fr": "Relevé de compte"},
    "opening": {"en": "Opening balance", "de": "Anfangssaldo", "fr": "Solde initial"},
    "closing": {"en": "Closing balance", "de": "Endsaldo", "fr": "Solde final"},
    "day": {"en": "Day", "de": "Tag", "fr": "Jour"},
    "what": {"en": "What", "de": "Vorgang", "fr": "Opération"},
    "amount": {"en": "Amount", "de": "Betrag", "fr": "Montant"},
    "balance": {"en": "Balance", "de": "Saldo", "fr": "Solde"},
}
STATEMENT_COLUMNS = ((LEFT, 26, "L"), (LEFT + 26, 84, "L"), (LEFT + 110, 30, "R"), (LEFT + 140, 30, "R"))


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment and what became of it: rows of words and amounts that add up to it."""

    amount: int
    currency: str
    received_on: date
    reference: str
    paid: Sequence[tuple[str, int]]
    ahead: int
    back: int
    card: str = ""


def receipt(facts: Receipt, seller: Mapping[str, Any], buyer: Mapping[str, Any], look: Look) -> bytes:
    """Return the receipt as PDF/A."""
    reader = Reader.of(buyer)
    sheet = headed(seller, buyer, look, reader, _say(reader, "receipt"), facts.received_on)
    amount = reader.money(facts.amount, facts.currency)
    y: float = TABLE_AT
    by_card = [_say(reader, "by_card", card=facts.card)] if facts.card else []
    for text in (
        _say(reader, "thanks", amount=amount, day=reader.day(facts.received_on)),
        *by_card,
        _say(reader, "reference", text=facts.reference),
    ):
        for line in sheet.broken(text, WIDTH):
            sheet.put(LEFT, y, WIDTH, line)
            y += LINE
        y += 1.5
    rows = [(_say(reader, "paid_invoice", number=number), micros) for number, micros in facts.paid]
    rows += [
        (_say(reader, name), micros) for name, micros in (("ahead", facts.ahead), ("went_back", facts.back)) if micros
    ]
    y += 3
    for words, micros in rows:
        sheet.rule(y)
        sheet.put(LEFT, y + 1, 120, words)
        sheet.put(LEFT + 120, y + 1, 50, reader.money(micros, facts.currency), align="R")
        y += LINE + 2
    return bytes(sheet.output())


def statement(facts: Statement, seller: Mapping[str, Any], buyer: Mapping[str, Any], look: Look) -> bytes:
    """Return the statement of account as PDF/A, over as many pages as it takes."""
    reader = Reader.of(buyer)
    sheet = headed(seller, buyer, look, reader, _say(reader, "statement"), facts.last)
    sheet.put(LEFT, TABLE_AT - 6, WIDTH, f"{reader.day(facts.begins)} – {reader.day(facts.last)}, {facts.currency}")
    y = _row(sheet, TABLE_AT, [_say(reader, name) for name in ("day", "what", "amount", "balance")], "B")
    y = _row(sheet, y, ["", _say(reader, "opening"), "", reader.money(facts.opening, facts.currency)])
    for move in facts.movements:
        if y > sheet.bottom - 12:
            sheet.add_page()
            y = TOP + 6
        amounts = [reader.money(micros, facts.currency) for micros in (move.amount, move.balance)]
        y = _row(sheet, y, [reader.day(move.entry.booked_on), move.words, *amounts])
    _row(sheet, y, ["", _say(reader, "closing"), "", reader.money(facts.closing, facts.currency)], "B")
    return bytes(sheet.output())


def headed(
    seller: Mapping[str, Any], buyer: Mapping[str, Any], look: Look, reader: Reader, title: str, day: date
) -> Sheet:
    """Return a page with the brand, both addresses and a title: what comes below begins at TABLE_AT."""
    made = datetime.combine(day, time(), UTC)
    sheet = Sheet(seller, look, reader, title)
    sheet.set_title(title)
    sheet.set_author(str(seller["name"]))
    sheet.set_creation_date(made)
    sheet.set_xmp_metadata(xmp.packet(title, str(seller["name"]), made, is_facturx=False))
    sheet.add_page()
    if look.logo:
        width, height = look.size if all(look.size) else (1, 1)
        across = min(LOGO_WIDTH, LOGO_HEIGHT * width / height)
        sheet.image(look.logo, x=LEFT, y=TOP - 4, w=across, alt_text=look.name)
    sheet.write_as("B", 15, look.colour)
    sheet.put(LEFT, TOP - 4, WIDTH, look.name, align="R", height=LOGO_HEIGHT)
    sheet.write_as("", 7, GREY)
    sheet.put(LEFT, ADDRESS_AT, 90, " · ".join([str(seller["name"]), *reader.address(seller)]), height=4)
    sheet.write_as("", 10)
    for number, text in enumerate([buyer["name"], *reader.address(buyer)]):
        sheet.put(LEFT, ADDRESS_AT + 5.5 + number * LINE, 90, text)
    sheet.write_as("B", 16)
    sheet.put(LEFT, TABLE_AT - 14, WIDTH, title, height=8)
    sheet.write_as("", 9, INK)
    return sheet


def _row(sheet: Sheet, y: float, cells: Sequence[str], style: str = "") -> float:
    sheet.write_as(style, 9, INK)
    lines = sheet.broken(cells[1], STATEMENT_COLUMNS[1][1])
    for number, line in enumerate(lines):
        sheet.put(STATEMENT_COLUMNS[1][0], y + 1 + number * LINE, STATEMENT_COLUMNS[1][1], line)
    for at, cell in enumerate(cells):
        left, width, align = STATEMENT_COLUMNS[at]
        if at != 1:
            sheet.put(left, y + 1, width, cell, align=align)
    below = y + 2 + LINE * len(lines)
    sheet.rule(below)
    return below


def _say(reader: Reader, key: str, **values: object) -> str:
    return phrase(WORDS, reader.language, key, **values)
