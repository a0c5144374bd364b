"""Where an invoice's items come from: lines that somebody wrote. Usage and fees of plans bring sources of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from voice.rating.money import UnreadableAmount, read_micros
from voice.receivables.composer import Item, Taxed
from voice.receivables.tax import TaxClass

MOST_LINES = 200
LONGEST = 200
CLASSES = tuple(TaxClass)


class UnreadableLine(ValueError):
    """A written line that is not `words; amount`, or `words; amount; what it is`."""


@dataclass(frozen=True, slots=True)
class Written:
    """Lines as somebody wrote them: words, amount (below zero is a credit), tax class."""

    lines: Sequence[tuple[str, int, str]]
    name: str = ""

    def items(self, begins: date, ends: date, taxed: Taxed) -> Iterable[Item]:
        """Yield the lines, each by itself also where two have the same words."""
        for number, (text, micros, tax_class) in enumerate(self.lines, 1):
            yield Item("credit" if micros < 0 else "fee", str(number), text, micros, taxed(tax_class))


def read(text: str) -> Written:
    """Return what was written, one line each: `Telephones; 250.00; goods`. Raises UnreadableLine.

    What is not said to be goods or another service is telecommunications.
    """
    found = []
    for number, line in enumerate((row for row in text.splitlines() if row.strip()), 1):
        rest, tax_class = _class_of(line)
        words, semicolon, amount = rest.rpartition(";")
        try:
            micros = read_micros(amount.strip())
        except UnreadableAmount as error:
            raise UnreadableLine(f"{number}: {error}")
        if not semicolon or not words.strip() or len(words) > LONGEST:
            raise UnreadableLine(f"{number}: write the words, a semicolon and the amount, as in “Set-up; 250.00”.")
        found.append((words.strip(), micros, tax_class))
    if not 0 < len(found) <= MOST_LINES:
        raise UnreadableLine(f"Write 1 to {MOST_LINES} lines.")
    return Written(found)


def _class_of(line: str) -> tuple[str, TaxClass]:
    rest, semicolon, last = line.rpartition(";")
    said = last.strip().casefold()
    return (rest, TaxClass(said)) if semicolon and said in CLASSES else (line, TaxClass.TELECOM)
