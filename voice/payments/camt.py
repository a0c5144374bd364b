"""Reads bank statements in ISO 20022 camt.053: what is wrong in a file is refused in words. Pure."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse
from django.utils.translation import gettext as _

from voice.rating.money import MICROS, UnreadableAmount, read_micros

LARGEST = 10 * 1024 * 1024
MOST_ENTRIES = 20_000
LONGEST_TEXT = 500
_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.([0-9]{2})\}Document\Z")
VERSIONS = frozenset(f"{number:02}" for number in range(2, 14))
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)


class UnreadableStatement(ValueError):
    """A file that is no statement that we can book, with the reason in words."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One booked entry, or one transaction of a batch that the bank booked as one; money out is below zero."""

    key: str
    booked_on: date
    amount: int
    payer: str = ""
    payer_iban: str = ""
    structured: str = ""
    text: str = ""
    end_to_end: str = ""
    return_reason: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of one account whose entries lead from the opening to the closing balance."""

    name: str
    iban: str
    currency: str
    begins: date
    ends: date
    opening: int
    closing: int
    movements: tuple[Movement, ...]


def glance(content: bytes) -> None:
    """Raise UnreadableStatement where the beginning of a file tells already that it is no statement."""
    if len(content) > LARGEST:
        raise UnreadableStatement(_("The file is larger than %(n)d MB.") % {"n": LARGEST >> 20})
    _demand_format(_parsed(lambda: next(iterparse(BytesIO(content), ("start",), forbid_dtd=True))[1]))


def read(content: bytes) -> list[Statement]:
    """Return the statements of a file; raises UnreadableStatement."""
    glance(content)
    root = _parsed(lambda: fromstring(content, forbid_dtd=True))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    statements = [_statement(element) for element in root.findall("BkToCstmrStmt/Stmt")]
    if not statements:
        raise UnreadableStatement(_("There is no statement in the file."))
    return statements


def _parsed(parse: Callable[[], Element]) -> Element:
    try:
        return parse()
    except DefusedXmlException:
        raise UnreadableStatement(_("The file declares entities or a document type. No bank's statement does."))
    except (ParseError, ValueError, LookupError, StopIteration):
        raise UnreadableStatement(_("The file is not XML, or it is damaged."))


def _demand_format(root: Element) -> None:
    found = _NAMESPACE.match(root.tag)
    if found is None or found[1] not in VERSIONS:
        raise UnreadableStatement(
            _("This is not a statement in the format camt.053.001.02 to .13. Ask your bank for “CAMT.053”.")
        )


def _statement(element: Element) -> Statement:
    name, iban = _text(element, "Id"), _text(element, "Acct/Id/IBAN").replace(" ", "").upper()
    if not name or not iban:
        raise UnreadableStatement(_("A statement has no number, or its account has no IBAN."))
    balances = {code: found for balance in element.findall("Bal") for code, found in [_balance(balance, name)]}
    first = next((balances[code] for code in OPENING if code in balances), None)
    last = next((balances[code] for code in CLOSING if code in balances), None)
    if first is None or last is None:
        raise UnreadableStatement(_("Statement %(name)s lacks its opening or its closing balance.") % {"name": name})
    currency = first[2]
    entries = element.findall("Ntry")
    if len(entries) > MOST_ENTRIES:
        raise UnreadableStatement(_("Statement %(name)s has more than %(n)d entries.")
                                  % {"name": name, "n": MOST_ENTRIES})  # fmt: skip
    moves = [move for entry in entries for move in _movements(entry, name, currency)]
    apart = first[0] + sum(move.amount for move in moves) - last[0]
    if apart or last[2] != currency:
        raise UnreadableStatement(
            _("The entries of statement %(name)s do not lead to its closing balance: %(apart)s %(currency)s apart.")
            % {"name": name, "apart": _coins(apart), "currency": currency}
        )
    return Statement(name, iban, currency, first[1], last[1], first[0], last[0], tuple(_numbered(moves, iban)))


def _balance(element: Element, name: str) -> tuple[str, tuple[int, date, str]]:
    amount, currency = _amount(element.find("Amt"), name)
    sign = _sign(element, name)
    return _text(element, "Tp/CdOrPrtry/Cd"), (sign * amount, _day(element, "Dt", name), currency)


def _movements(entry: Element, name: str, currency: str) -> Iterator[Movement]:
    if (_text(entry, "Sts/Cd") or _text(entry, "Sts")) not in ("BOOK", ""):
        return
    total, in_currency = _amount(entry.find("Amt"), name)
    if in_currency != currency:
        raise UnreadableStatement(_("Statement %(name)s has an entry in %(currency)s, its account is in %(own)s.")
                                  % {"name": name, "currency": in_currency, "own": currency})  # fmt: skip
    sign, day = _sign(entry, name), _day(entry, "BookgDt", name)
    details = entry.findall("NtryDtls/TxDtls")
    amounts = [_own_amount(each, currency, name) for each in details]
    known = [amount for amount in amounts if amount is not None]
    # A batch is taken apart where the bank says what each of its transactions is.
    if len(details) > 1 and len(known) == len(details) and sum(known) == total:
        for detail, amount in zip(details, known, strict=True):
            yield _movement(entry, detail, day, sign * amount, is_in=sign > 0)
    elif total:
        yield _movement(entry, details[0] if len(details) == 1 else None, day, sign * total, is_in=sign > 0)


def _movement(entry: Element, detail: Element | None, day: date, amount: int, *, is_in: bool) -> Movement:
    text = _text(entry, "AddtlNtryInf")
    facts = {"key": _text(entry, "AcctSvcrRef"), "text": text}
    if detail is not None:
        party, account = ("Dbtr", "DbtrAcct") if is_in else ("Cdtr", "CdtrAcct")
        written = " ".join(each.text or "" for each in detail.findall("RmtInf/Ustrd")).strip()
        end_to_end = _text(detail, "Refs/EndToEndId")
        facts = {
            "key": _text(detail, "Refs/AcctSvcrRef") or facts["key"],
            "payer": _text(detail, f"RltdPties/{party}/Nm") or _text(detail, f"RltdPties/{party}/Pty/Nm"),
            "payer_iban": _text(detail, f"RltdPties/{account}/Id/IBAN").replace(" ", "").upper(),
            "structured": _text(detail, "RmtInf/Strd/CdtrRefInf/Ref").replace(" ", "").upper(),
            "text": written or _text(detail, "AddtlTxInf") or text,
            "end_to_end": "" if end_to_end == "NOTPROVIDED" else end_to_end,
            "return_reason": _text(detail, "RtrInf/Rsn/Cd") or _text(detail, "RtrInf/Rsn/Prtry"),
        }
    return Movement(booked_on=day, amount=amount, **{each: value[:LONGEST_TEXT] for each, value in facts.items()})


def _numbered(moves: list[Movement], iban: str) -> Iterator[Movement]:
    # Two movements that are the same in every word are two: the first, and the second of its kind on that day.
    seen: dict[str, int] = {}
    for move in moves:
        facts = (
            iban, move.key, move.booked_on, move.amount, move.payer, move.payer_iban, move.structured, move.text,
            move.end_to_end, move.return_reason,
        )  # fmt: skip
        told = "\0".join(map(str, facts))
        seen[told] = seen.get(told, 0) + 1
        yield replace(move, key=hashlib.sha256(f"{told}\0{seen[told]}".encode()).hexdigest())


def _own_amount(detail: Element, currency: str, name: str) -> int | None:
    found = detail.find("Amt")
    if found is None:
        found = detail.find("AmtDtls/TxAmt/Amt")
    if found is None:
        return None
    amount, in_currency = _amount(found, name)
    return amount if in_currency == currency else None


def _amount(element: Element | None, name: str) -> tuple[int, str]:
    try:
        written = (element.text or "").strip() if element is not None else ""
        micros = read_micros(written)
    except UnreadableAmount:
        micros = -1
    currency = element.get("Ccy", "") if element is not None else ""
    if micros < 0 or not re.fullmatch(r"[A-Z]{3}", currency):
        raise UnreadableStatement(_("Statement %(name)s has an amount that cannot be read.") % {"name": name})
    return micros, currency


def _sign(element: Element, name: str) -> int:
    sign = {"CRDT": 1, "DBIT": -1}.get(_text(element, "CdtDbtInd"))
    if sign is None:
        raise UnreadableStatement(_("Statement %(name)s does not say of an amount whether it came in or went out.")
                                  % {"name": name})  # fmt: skip
    return sign


def _day(element: Element, path: str, name: str) -> date:
    written = _text(element, f"{path}/Dt") or _text(element, f"{path}/DtTm")
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        raise UnreadableStatement(_("Statement %(name)s has a date that cannot be read.") % {"name": name})


def _text(element: Element, path: str) -> str:
    return " ".join((element.findtext(path) or "").replace("\0", "").split())


def _coins(micros: int) -> str:
    return f"{micros / MICROS:.2f}"
