"""From what is to be billed to an invoice: pure, exact until a line, rounded once there (docs/pricing.md §9)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Protocol

from voice.rating.money import parts_of_fee, tax_on, to_minor
from voice.receivables.tax import WHOLE, Levy, Treatment

# What stands in the row of a levy in place of a treatment: its rate and name are the levy's own.
LEVIED = Treatment("S", 0, "")
# How what is sold is taxed, by its tax class; asked of what is on the document alone.
Taxed = Callable[[str], Treatment]


@dataclass(frozen=True, slots=True)
class Item:
    """Something to be billed, in exact micros: the calls of a group, a fee, a credit (negative).

    Items of the same kind, group, words and tax become one line; `basis` is what the line can be explained by.
    """

    kind: str
    group: str
    text: str
    micros: int
    treatment: Treatment
    quantity: int = 1
    seconds: int = 0
    basis: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Line:
    """A printed line: what its items come to exactly, and the same rounded to the coin."""

    kind: str
    group: str
    text: str
    treatment: Treatment
    exact: int = 0
    quantity: int = 0
    seconds: int = 0
    net: int = 0
    # The line of the invoice that a line of a credit note takes back.
    corrects: int | None = None
    bases: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def basis(self) -> dict[str, Any]:
        """What explains the line: that of its only item, or those of all as `parts`."""
        return dict(self.bases[0]) if len(self.bases) == 1 else {"parts": self.bases} if self.bases else {}


@dataclass(frozen=True, slots=True)
class TaxLine:
    """What one treatment makes of the lines under it, or one of several taxes that they bear beside it (`levy`)."""

    treatment: Treatment
    net: int
    tax: int
    levy: Levy | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """An invoice's amounts, in micros that are whole coins."""

    currency: str
    lines: Sequence[Line] = field(default_factory=list)
    taxes: Sequence[TaxLine] = field(default_factory=list)

    @property
    def net(self) -> int:
        return sum(line.net for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(line.tax for line in self.taxes)

    @property
    def total(self) -> int:
        return self.net + self.tax


class LinesSource(Protocol):
    """Where an invoice's items come from; `name` stands in the register, so that no period is billed twice."""

    @property
    def name(self) -> str: ...

    def items(self, begins: date, ends: date, taxed: Taxed) -> Iterable[Item]: ...


def compose(items: Iterable[Item], currency: str) -> Composed:
    """Return the lines, in the order in which they first came, with the totals of each tax and of everything."""
    found: dict[tuple[str, str, str, Treatment], Line] = {}
    for item in items:
        key = (item.kind, item.group, item.text, item.treatment)
        line = found.get(key)
        if line is None:
            line = found[key] = Line(item.kind, item.group, item.text, item.treatment)
        line.exact += item.micros
        line.quantity += item.quantity
        line.seconds += item.seconds
        if item.basis:
            line.bases.append(item.basis)
    for line in found.values():
        line.net = to_minor(line.exact, currency)
    lines = list(found.values())
    return Composed(currency, lines, list(compose_taxes(lines, currency)))


def compose_taxes(lines: Sequence[Line], currency: str) -> Iterator[TaxLine]:
    """Yield what each treatment makes of its lines, then each of the taxes that lines bear beside it."""
    nets: dict[Treatment, int] = {}
    borne: dict[Levy, int] = {}
    for line in lines:
        # Lines that differ in their levies alone are one sum of the treatment.
        treatment = replace(line.treatment, levies=())
        nets[treatment] = nets.get(treatment, 0) + line.net
        for levy in line.treatment.levies:
            borne[levy] = borne.get(levy, 0) + line.net
    for treatment, net in nets.items():
        yield TaxLine(treatment, net, tax_on(net, treatment.per_million, currency))
    for levy, net in borne.items():
        yield TaxLine(LEVIED, net, levied(levy, net, currency), levy)


def levied(levy: Levy, net: int, currency: str) -> int:
    """Return what a tax comes to on the sum of the rounded lines that bear it, rounded once."""
    share = Fraction(net * levy.per_million * levy.share, WHOLE * WHOLE)
    return to_minor(share + levy.fixed * levy.units, currency)


def monthly_fee(
    text: str, fee: int, begins: date, ends: date, treatment: Treatment, currency: str, *, quantity: int = 1
) -> Iterator[Item]:
    """Yield a monthly fee for the days from `begins` up to `ends`: one item a month, a part of it for part of a month.

    `fee` is that of one piece. Each piece's part is rounded as docs/pricing.md §10 says, then multiplied.
    """
    for first, last, month_days in _months(begins, ends):
        before = (first - first.replace(day=1)).days
        days = (last - first).days
        part = parts_of_fee(fee, (before, days), month_days, currency)[1]
        basis = {
            "each": fee, "count": quantity, "days": days, "of": month_days,
            "begins": first.isoformat(), "ends": last.isoformat(),
        }  # fmt: skip
        yield Item("fee", "fees", text, part * quantity, treatment, quantity=quantity, basis=basis)


def _months(begins: date, ends: date) -> Iterator[tuple[date, date, int]]:
    first = begins
    while first < ends:
        start = first.replace(day=1)
        following = (start + timedelta(days=31)).replace(day=1)
        yield first, min(following, ends), (following - start).days
        first = following
