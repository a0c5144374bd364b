"""How a document is paid, at its end: account, reference, and the code that a banking app reads."""

from decimal import Decimal
from typing import Any

import segno
from segno import helpers

from voice.rating.money import MICROS
from voice.receivables.references import creditor_reference, grouped
from voice.receivables.sheet import GREY, LEFT, TINT, TOP, WIDTH, Sheet

HEIGHT, CODE = 44, 30
SEPA_CURRENCY = "EUR"
# The European Payments Council's limits for the code.
MOST_CENTS, LONGEST_NAME = 99_999_999_999, 70
QUIET = 4


def write_payment(sheet: Sheet, document: Any) -> None:
    """Write how to pay an invoice, where there is something to pay and an account to pay it to."""
    reader, seller = sheet.reader, document.seller
    y = sheet.get_y()
    if y + HEIGHT > sheet.bottom:
        sheet.add_page()
        y = float(TOP)
    sheet.write_as("", 9.5)
    if document.total <= 0:
        sheet.put(LEFT, y, WIDTH, reader.say("nothing_to_pay"))
        return
    if not seller["iban"]:
        return
    transfer = transfer_of(document)
    sheet.set_fill_color(*TINT)
    sheet.rect(LEFT, y, WIDTH, HEIGHT, style="F", round_corners=True, corner_radius=2)
    sheet.write_as("B", 11, sheet.look.colour)
    sheet.put(LEFT + 4, y + 3, 100, reader.say("how_to_pay"), height=6)
    sheet.write_as("", 9.5)
    total, day = reader.money(document.total, document.currency), reader.day(document.due_on)
    sheet.put(LEFT + 4, y + 9.5, 126, reader.say("please_pay", total=total, day=day))
    facts = [
        ("payee", seller["name"]), ("iban", grouped(seller["iban"])), ("bic", seller["bic"]), ("bank", seller["bank"]),
        ("reference", grouped(creditor_reference(document.number)) or "–"),
    ]  # fmt: skip
    at = y + 16.5
    for key, value in ((key, value) for key, value in facts if value):
        sheet.write_as("", 8.5, GREY)
        sheet.put(LEFT + 4, at, 34, reader.say(key), height=4.8)
        sheet.write_as("B" if key in ("iban", "reference") else "", 9.5)
        sheet.put(LEFT + 38, at, 92, value, height=4.8)
        at += 4.8
    if transfer:
        left = LEFT + WIDTH - CODE - 5
        _draw(sheet, helpers.make_epc_qr(**transfer, encoding="utf-8"), left, y + 4)
        sheet.write_as("", 7, GREY)
        sheet.put(left - 6, y + CODE + 5.5, CODE + 12, reader.say("scan"), align="C", height=4)
    sheet.set_y(y + HEIGHT + 3)


def transfer_of(document: Any) -> dict[str, Any] | None:
    """Return what a transfer in euros says (EPC069-12), or nothing where the invoice is paid in another way."""
    seller, cents = document.seller, document.total * 100 // MICROS
    if document.currency != SEPA_CURRENCY or not 0 < cents <= MOST_CENTS or not document.number:
        return None
    return {
        "name": seller["name"][:LONGEST_NAME], "iban": seller["iban"], "bic": seller["bic"] or None,
        "amount": Decimal(cents) / 100, "reference": creditor_reference(document.number),
    }  # fmt: skip


def _draw(sheet: Sheet, code: segno.QRCode, left: float, top: float) -> None:
    rows = list(code.matrix_iter(scale=1, border=QUIET))
    size = CODE / len(rows)
    sheet.set_fill_color(255, 255, 255)
    sheet.rect(left, top, CODE, CODE, style="F")
    sheet.set_fill_color(0, 0, 0)
    for number, row in enumerate(rows):
        start = None
        # Squares that touch are one box: no hairlines between them.
        for column, is_dark in enumerate((*row, 0)):
            if is_dark and start is None:
                start = column
            elif not is_dark and start is not None:
                box = (left + start * size, top + number * size, (column - start) * size, size * 1.02)
                sheet.rect(*box, style="F")
                start = None
