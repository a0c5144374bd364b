"""The e-invoice of EN 16931 in the syntax CII, as Factur-X and ZUGFeRD embed it: pure, over a frozen document."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol

from django.utils.translation import gettext as _
from facturx import generate_xml

from voice.rating.money import MICROS, decimals
from voice.receivables import schemas
from voice.receivables.references import creditor_reference

INVOICE, CREDIT_NOTE = "380", "381"
TRANSFER, SEPA = "30", "58"
PIECE = "C62"
# UNTDID 5305 → the code list VATEX of the reasons why no VAT is due.
REASONS = {"AE": "VATEX-EU-AE", "O": "VATEX-EU-O", "K": "VATEX-EU-IC", "G": "VATEX-EU-G"}
SEPA_CURRENCY = "EUR"
MOST_DECIMALS = 2


class NotPossible(ValueError):
    """EN 16931 has no form for this document; the message says why."""


class TaxRow(Protocol):
    """The tax of one rate, as the register keeps it."""

    category: str
    per_million: int
    name: str
    note: str
    net: int
    tax: int
    # A further tax on lines that a row of another kind counts, as in the United States.
    is_levy: bool
    share_per_million: int
    fixed: int
    units: int


class LineRow(Protocol):
    """A line, as the register keeps it."""

    position: int
    text: str
    quantity: int
    seconds: int
    kind: str
    net: int
    category: str
    per_million: int

    @property
    def levies(self) -> Sequence[int]: ...


class Document(Protocol):
    """What is read of an issued invoice or credit note."""

    number: str
    currency: str
    seller: Any
    buyer: Any
    reason: str
    net: int
    tax: int
    total: int

    @property
    def is_credit_note(self) -> bool: ...


def refuse(document: Document, taxes: Sequence[TaxRow]) -> None:
    """Raise NotPossible where EN 16931 has no form for the document."""
    if decimals(document.currency) > MOST_DECIMALS:
        raise NotPossible(_("An e-invoice has two decimals at most, %(currency)s has more.")
                          % {"currency": document.currency})  # fmt: skip
    seller, outside = document.seller, any(each.category == "O" for each in taxes)
    if seller["country"] == "US":
        raise NotPossible(_("EN 16931 knows VAT and no sales tax."))
    if outside and any(each.category != "O" for each in taxes):
        raise NotPossible(_("Nothing stands beside what is outside the scope of VAT: bill it by itself."))
    if outside and not seller["registration"]:
        raise NotPossible(_("Outside the scope of VAT the seller is named by its company registration: enter it."))
    if not outside and not (seller["vat_id"] or (seller["tax_number"] and seller["registration"])):
        raise NotPossible(_("The seller needs a VAT id, or a tax number and a company registration."))


def xml(
    document: Any, lines: Sequence[LineRow], taxes: Sequence[TaxRow], *, corrects: tuple[str, date] | None = None
) -> bytes:
    """Return the document as CII XML, checked against the official schema; raises NotPossible."""
    refuse(document, taxes)
    facts = facts_of(document, lines, taxes, corrects)
    made: bytes = generate_xml(facts, level="en16931", check_xsd=False, check_schematron=None)
    schemas.check(made, schemas.CII)
    return made


def facts_of(
    document: Any,
    lines: Sequence[LineRow],
    taxes: Sequence[TaxRow],
    corrects: tuple[str, date] | None,
    *,
    tells_account: bool = False,
) -> dict[str, Any]:
    """Return a document by the business terms of EN 16931, whatever the syntax.

    A credit note names no account to pay to, unless `tells_account`: some readers demand one.
    """
    outside = any(each.category == "O" for each in taxes)
    currency = document.currency
    facts: dict[str, Any] = {
        "BT-1": document.number,
        "BT-2": document.issued_on,
        "BT-3": CREDIT_NOTE if document.is_credit_note else INVOICE,
        "BT-5": currency,
        "BT-9": document.due_on,
        "BT-72": document.ends - timedelta(days=1),
        "BT-73": document.begins,
        "BT-74": document.ends - timedelta(days=1),
        "BG-4": _party(document.seller, outside=outside, contact=True),
        "BG-7": _party(document.buyer, outside=outside),
        "BG-25": [_line(line, currency) for line in lines],
        "BG-23": [_tax(each, currency) for each in taxes],
        "BT-106": amount(document.net, currency),
        "BT-109": amount(document.net, currency),
        "BT-110": amount(document.tax, currency),
        "BT-112": amount(document.total, currency),
        "BT-115": amount(document.total, currency),
    }
    if document.buyer.get("buyer_reference"):
        facts["BT-10"] = document.buyer["buyer_reference"]
    if document.reason:
        facts["BG-1"] = [{"BT-22": document.reason}]
    if any(each.category == "K" for each in taxes):
        place = {"name": "name", "addr_l1": "street", "postcode": "postcode", "city": "city", "country_code": "country"}
        facts["BG-13"] = {name: document.buyer[key] for name, key in place.items() if document.buyer[key]}
    if corrects:
        facts["BG-3"] = [{"BT-25": corrects[0], "BT-26": corrects[1]}]
    if document.seller["iban"] and (tells_account or not document.is_credit_note):
        facts |= {
            "BT-81": SEPA if currency == SEPA_CURRENCY else TRANSFER,
            "BT-83": creditor_reference(document.number),
            "BT-84": document.seller["iban"],
            "BT-85": document.seller["name"],
        }
        if document.seller["bic"]:
            facts["BT-86"] = document.seller["bic"]
    return facts


def _party(party: Any, *, outside: bool, contact: bool = False) -> dict[str, Any]:
    found = {
        "name": party["name"],
        "addr_l1": party["street"],
        "postcode": party["postcode"],
        "city": party["city"],
        "country_code": party["country"],
        "legal_identifier": party.get("registration", ""),
        "tax_identifier": party.get("tax_number", ""),
        # BR-O-02: where VAT does not apply, nobody's VAT id may stand in the document.
        "vat_identifier": "" if outside else party["vat_id"],
    }
    if party["email"]:
        found |= {"einvoicing_addr": party["email"], "einvoicing_addr_schemeid": "EM"}
    if contact and (party["email"] or party["phone"]):
        found["contacts"] = [{"name": party["name"], "email": party["email"], "phone": party["phone"]}]
    return {name: value for name, value in found.items() if value}


def _line(line: LineRow, currency: str) -> dict[str, Any]:
    quantity, price = pieces(line, currency)
    found: dict[str, Any] = {
        "BT-126": str(line.position),
        "BT-129": str(quantity),
        "BT-130": PIECE,
        "BT-131": amount(line.net, currency),
        "BT-146": amount(price, currency),
        "BT-151": line.category,
        "BT-153": line.text,
    }
    if line.category != "O":
        found["BT-152"] = percent(line.per_million)
    return found


def _tax(each: TaxRow, currency: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "BT-116": amount(each.net, currency),
        "BT-117": amount(each.tax, currency),
        "BT-118": each.category,
    }
    if each.category != "O":
        found["BT-119"] = percent(each.per_million)
    if each.category != "S":
        found["BT-120"] = each.note
    if each.category in REASONS:
        found["BT-121"] = REASONS[each.category]
    return found


def pieces(line: LineRow, currency: str) -> tuple[int, int]:
    """Return a quantity and a price of one piece, never negative, whose product is the line to the coin.

    A line that cannot be told so is one piece at its own price: calls are not all equally dear.
    """
    coin = MICROS // 10 ** decimals(currency)
    sign = -1 if line.net < 0 else 1
    count = line.quantity if line.kind == "fee" and line.quantity > 0 else 1
    if abs(line.net) % (count * coin):
        count = 1
    return sign * count, abs(line.net) // count


def amount(micros: int, currency: str) -> str:
    """Return micros as digits with the currency's decimals."""
    return f"{Decimal(micros) / MICROS:.{decimals(currency)}f}"


def percent(per_million: int) -> str:
    """Return a rate as digits without zeros at the end: 190,000 per million is 19."""
    return f"{(Decimal(per_million) / 10_000).normalize():f}"
