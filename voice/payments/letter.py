"""The letter of a reminder on paper, and the words that go around it in its mail, in the customer's language. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from voice.languages import Table, phrase
from voice.payments import paper
from voice.receivables.sheet import GREY, INK, LEFT, LINE, WIDTH, Look, Reader

WORDS: Table = {
    "file": {"en": "Reminder", "de": "Mahnung", "fr": "Rappel"},
    "number": {"en": "Invoice", "de": "Rechnung", "fr": "Facture"},
    "due": {"en": "Due on", "de": "Fällig am", "fr": "Échéance"},
    "left": {"en": "Open", "de": "Offen", "fr": "Reste dû"},
    "line": {
        "en": "%(number)s, due on %(due)s: %(left)s",
        "de": "%(number)s, fällig am %(due)s: %(left)s",
        "fr": "%(number)s, échéance le %(due)s : %(left)s",
    },
    "fee": {"en": "Reminder fee", "de": "Mahngebühr", "fr": "Frais de rappel"},
    "interest": {"en": "Interest", "de": "Verzugszinsen", "fr": "Intérêts de retard"},
    "total": {"en": "To be paid", "de": "Zu zahlen", "fr": "À payer"},
    "stopped": {
        "en": "Until it is paid, ordinary calls are stopped. Emergency calls always pass.",
        "de": "Bis zur Zahlung sind gewöhnliche Gespräche gesperrt. Notrufe gehen immer durch.",
        "fr": "Jusqu’au paiement, les appels ordinaires sont suspendus. Les appels d’urgence passent toujours.",
    },
    "transfer": {
        "en": "By transfer to %(payee)s, IBAN %(iban)s, with the number of the invoice.",
        "de": "Per Überweisung an %(payee)s, IBAN %(iban)s, unter Angabe der Rechnungsnummer.",
        "fr": "Par virement à %(payee)s, IBAN %(iban)s, avec le numéro de la facture.",
    },
    "pay": {"en": "Pay now", "de": "Jetzt bezahlen", "fr": "Payer maintenant"},
    "attached": {
        "en": "This letter and the invoices are attached.",
        "de": "Dieses Schreiben und die Rechnungen liegen bei.",
        "fr": "Cette lettre et les factures sont jointes.",
    },
    "ignore": {
        "en": "You paid meanwhile? Then ignore this.",
        "de": "Sie haben inzwischen bezahlt? Dann ist dieses Schreiben gegenstandslos.",
        "fr": "Vous avez payé entre-temps ? Ne tenez pas compte de ce message.",
    },
}
COLUMNS = ((LEFT, 80, "L"), (LEFT + 80, 45, "L"), (LEFT + 125, 45, "R"))


@dataclass(frozen=True, slots=True)
class Letter:
    """What a reminder says: the MSP's own title and words, each open invoice, what the reminder costs."""

    title: str
    words: str
    day: date
    currency: str
    lines: Sequence[tuple[str, date | None, int]]
    fee: int
    interest: int
    total: int
    is_suspended: bool


def say(reader: Reader, key: str, **values: object) -> str:
    """Return a phrase in the reader's language."""
    return phrase(WORDS, reader.language, key, **values)


def told(facts: Letter, reader: Reader) -> dict[str, Any]:
    """Return what the mail says beside the MSP's own words."""
    return {
        "lines": [
            say(reader, "line", number=number, due=reader.day(due), left=reader.money(left, facts.currency))
            for number, due, left in facts.lines
        ],
        "sums": [f"{name}: {amount}" for name, amount in _sums(facts, reader)],
        "stopped": say(reader, "stopped") if facts.is_suspended else "",
        "pay": say(reader, "pay"), "attached": say(reader, "attached"), "ignore": say(reader, "ignore"),
    }  # fmt: skip


def pdf(facts: Letter, seller: Mapping[str, Any], buyer: Mapping[str, Any], look: Look) -> bytes:
    """Return the letter as PDF/A."""
    reader = Reader.of(buyer)
    sheet = paper.headed(seller, buyer, look, reader, facts.title, facts.day)
    sheet.put(LEFT, paper.TABLE_AT - 6, WIDTH, reader.day(facts.day))
    y: float = paper.TABLE_AT + 2
    for line in sheet.broken(facts.words, WIDTH):
        sheet.put(LEFT, y, WIDTH, line)
        y += LINE
    y += 4
    y = _row(sheet, y, [say(reader, name) for name in ("number", "due", "left")], "B")
    for number, due, left in facts.lines:
        y = _row(sheet, y, [number, reader.day(due), reader.money(left, facts.currency)])
        if y > sheet.bottom - 45:
            sheet.add_page()
            y = paper.TOP + 6
    *costs, total = _sums(facts, reader)
    for name, amount in costs:
        y = _row(sheet, y, [name, "", amount])
    y = _row(sheet, y, [total[0], "", total[1]], "B") + 4
    notes = [say(reader, "stopped")] if facts.is_suspended else []
    if seller.get("iban"):
        notes.append(say(reader, "transfer", payee=seller["name"], iban=seller["iban"]))
    sheet.write_as("", 9, INK)
    for text in notes:
        for line in sheet.broken(text, WIDTH):
            sheet.put(LEFT, y, WIDTH, line)
            y += LINE
        y += 1.5
    sheet.write_as("", 9, GREY)
    sheet.put(LEFT, y, WIDTH, say(reader, "ignore"))
    return bytes(sheet.output())


def _sums(facts: Letter, reader: Reader) -> list[tuple[str, str]]:
    rows = (("fee", facts.fee), ("interest", facts.interest), ("total", facts.total))
    return [
        (say(reader, name), reader.money(micros, facts.currency)) for name, micros in rows if micros or name == "total"
    ]


def _row(sheet: Any, y: float, cells: Sequence[str], style: str = "") -> float:
    sheet.write_as(style, 9, INK)
    for (left, width, align), cell in zip(COLUMNS, cells, strict=True):
        sheet.put(left, y + 1, width, cell, align=align)
    sheet.rule(y + 2 + LINE)
    return y + 2 + LINE
