"""Where an invoice's items come from: lines that somebody wrote. Usage and fees of plans bring sources of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from voice.rating.money import UnreadableAmount, read_micros
from voice.receivables.composer import Item
from voice.receivables.tax import Treatment

MOST_LINES = 200
LONGEST = 200


class UnreadableLine(ValueError):
    """A written line that is not `words; amount`."""


@dataclass(frozen=True, slots=True)
class Written:
    """Lines as somebody wrote them; an amount below zero is a credit."""

    lines: Sequence[tuple[str, int]]
    name: str = ""

    def items(self, begins: date, ends: date, treatment: Treatment) -> Iterable[Item]:
        """Yield the lines, each by itself also where two have the same words."""
        for number, (text, micros) in enumerate(self.lines, 1):
            yield Item("credit" if micros < 0 else "fee", str(number), text, micros, treatment)


def read(text: str) -> Written:
    """Return what was written, one line each: `Set-up of the trunk; 250.00`. Raises UnreadableLine."""
    found = []
    for number, line in enumerate((row for row in text.splitlines() if row.strip()), 1):
        words, semicolon, amount = line.rpartition(";")
        try:
            micros = read_micros(amount.strip())
        except UnreadableAmount as error:
            raise UnreadableLine(f"{number}: {error}")
        if not semicolon or not words.strip() or len(words) > LONGEST:
            raise UnreadableLine(f"{number}: write the words, a semicolon and the amount, as in “Set-up; 250.00”.")
        found.append((words.strip(), micros))
    if not 0 < len(found) <= MOST_LINES:
        raise UnreadableLine(f"Write 1 to {MOST_LINES} lines.")
    return Written(found)
