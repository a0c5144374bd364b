"""The reference that a customer writes on a transfer: ISO 11649, made of the invoice's number. Pure."""

import re

LONGEST = 21
_WRITTEN = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}\Z")
_BEGINS = re.compile(r"\bRF(?= ?[0-9]{2})")
_INSIDE = re.compile(r"RF ?[0-9]{2}(?: ?[0-9A-Z]){1,21}")


def creditor_reference(number: str) -> str:
    """Return the structured reference of an invoice, such as RF18539007547034, or nothing where it has no number."""
    core = re.sub(r"[^0-9A-Z]", "", number.upper())[-LONGEST:]
    return f"RF{98 - _remainder(core + 'RF00'):02}{core}" if core else ""


def is_creditor_reference(text: str) -> bool:
    """Tell whether a text is a structured reference whose check digits are right."""
    written = text.replace(" ", "").upper()
    return bool(_WRITTEN.match(written)) and _remainder(written[4:] + written[:4]) == 1


def grouped(reference: str) -> str:
    """Return the reference in groups of four, as it is printed."""
    return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))


def references_in(text: str) -> list[str]:
    """Return the right structured references that stand in a text, in the order in which they stand there."""
    found, text = [], text.upper()
    for begin in _BEGINS.finditer(text):
        match = _INSIDE.match(text, begin.start())
        written = match[0].replace(" ", "") if match else ""
        # Words that follow look like a part of it: the longest that checks is it.
        ends = (written[:end] for end in range(len(written), 4, -1))
        right = next((part for part in ends if is_creditor_reference(part)), None)
        if right:
            found.append(right)
    return found


def _remainder(text: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in text)) % 97
