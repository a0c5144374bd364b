"""A carrier's invoice without calls: its amounts by destination, or one total, held against sums of costs. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from voice.margin.judging import KINDS, OURS, PRICE, SAME, THEIRS
from voice.rating.files.columns import UMLAUTS, find_header, plain
from voice.rating.files.figures import COMMA, POINT, Evidence, marks_in
from voice.rating.files.lines import Fault
from voice.rating.files.tables import Figure, Row
from voice.rating.money import UnreadableAmount, read_micros

NAMES = {
    heading: name
    for name, headings in {
        "destination": (
            "destination", "destination name", "description", "country", "zone", "ziel", "land", "area", "name",
            "route", "bezeichnung", "beschreibung", "text", "position",
        ),
        "amount": (
            "amount", "cost", "charge", "total", "net", "net amount", "total cost", "total charge", "sum", "betrag",
            "summe", "netto", "kosten", "price", "preis", "gesamt",
        ),
    }.items()
    for heading in headings
}  # fmt: skip
NEEDED = ("destination", "amount")
TOTALS = {"total", "sum", "grand total", "subtotal", "summe", "gesamt", "gesamtsumme", "net total", "total net", "net"}
MOST_LINES = 5_000
LONGEST_NAME = 200
# No bill of a carrier is higher: an amount beyond it is another column.
MOST = 1_000_000_000_000_000
_SPACES = re.compile(r"[\s'’]")


class Asked(NamedTuple):
    """What the carrier asks for one destination, or for everything where it has no name."""

    row: int
    name: str
    micros: int


class Held(NamedTuple):
    """One destination of either side, or of both; `row` and amounts are None where a side has none."""

    kind: str
    name: str
    row: int | None
    theirs: int | None
    ours: int | None
    difference: int


def typed_rows(text: str) -> list[Row]:
    """Return what somebody typed as rows: `Germany, mobile; 120.50`, or an amount alone."""
    found: list[Row] = []
    for number, line in enumerate(text.splitlines(), 1):
        name, mark, amount = line.rpartition(";")
        if line.strip():
            found.append((number, [name.strip(), amount.strip()] if mark else [amount.strip()]))
    return found


def amounts_of(rows: Sequence[Row]) -> Evidence:
    """Return what the amounts show of their decimal mark."""
    header, columns = _columns(rows)
    return marks_in(_cell(cells, columns["amount"]) for _number, cells in rows[header + 1 :] if cells)


def read_totals(rows: Sequence[Row], decimal: str) -> tuple[list[Asked], list[Fault]]:
    """Return what is asked by destination, and what is wrong with lines that say nothing.

    Without headings, a line is the destination first and the amount last. A line that only adds the others up is left
    out; where nothing else is there, it is what is compared.
    """
    header, columns = _columns(rows)
    found: list[Asked] = []
    faults: list[Fault] = []
    sums: list[Asked] = []
    for number, cells in rows[header + 1 :]:
        name = _cell(cells or [], columns["destination"])[:LONGEST_NAME]
        text = _cell(cells or [], columns["amount"])
        if cells is None or "\0" in name or name[:1] in ("=", "@"):
            faults.append(Fault(number, "destination", name[:80].replace("\0", ""), _("This line cannot be read.")))
            continue
        if len(cells) == 1:
            name = ""
        try:
            asked = Asked(number, name, _amount(text, decimal))
        except UnreadableAmount:
            faults.append(Fault(number, "amount", text[:80].replace("\0", ""), _("This is not an amount.")))
            continue
        (sums if not name or plain(name) in TOTALS else found).append(asked)
    return found or [each._replace(name="") for each in sums[-1:]], faults


def compare(asked: Iterable[Asked], ours: Mapping[str, int], unit: int) -> list[Held]:
    """Return each destination with both amounts, the largest difference first.

    Names agree whatever their case and signs; amounts that differ by less than the smallest coin agree.
    """
    lines = list(asked)
    if [each.name for each in lines] == [""]:
        return [_held("", lines[0].row, lines[0].micros, sum(ours.values()), unit)]
    theirs: dict[str, Asked] = {}
    for each in lines:
        key = _key(each.name)
        known = theirs.get(key)
        theirs[key] = known._replace(micros=known.micros + each.micros) if known else each
    mine: dict[str, tuple[str, int]] = {}
    for name, micros in ours.items():
        key = _key(name)
        mine[key] = (mine.get(key, (name, 0))[0], mine.get(key, (name, 0))[1] + micros)
    found = []
    for key in theirs.keys() | mine.keys():
        line, own = theirs.get(key), mine.get(key)
        name = own[0] if own else line.name if line else ""
        counted = own[1] if own else None
        if line is None and not counted:
            continue
        found.append(_held(name, line.row if line else None, line.micros if line else None, counted, unit))
    return sorted(found, key=lambda each: (-abs(each.difference), each.name))


def summary_of(held: Iterable[Held]) -> dict[str, dict[str, list[int]]]:
    """Return destinations and money by kind, in the shape in which calls are summed up."""
    kinds = {kind: [0, 0, 0, 0] for kind in KINDS}
    for each in held:
        for place, figure in enumerate((1, each.theirs or 0, each.ours or 0, each.difference)):
            kinds[each.kind][place] += figure
    return {"kinds": kinds}


def _held(name: str, row: int | None, theirs: int | None, ours: int | None, unit: int) -> Held:
    difference = (theirs or 0) - (ours or 0)
    if theirs is None or ours is None:
        kind = OURS if theirs is None else THEIRS
    else:
        kind = SAME if abs(difference) < unit else PRICE
    return Held(kind, name, row, theirs, ours, difference)


def _columns(rows: Sequence[Row]) -> tuple[int, dict[str, int]]:
    header, columns = find_header(rows, (), NAMES, NEEDED)
    return header, columns or {"destination": 0, "amount": -1}


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place] if -len(cells) <= place < len(cells) else ""


def _key(name: str) -> str:
    # Brackets tell destinations apart: nothing that is a letter or a digit is left out.
    return re.sub(r"[^\w]+", " ", name.casefold().translate(UMLAUTS)).strip()


def _amount(text: str, decimal: str) -> int:
    bare = text if isinstance(text, Figure) else _SPACES.sub("", text)
    if not isinstance(text, Figure):
        bare = bare.replace(COMMA if decimal == POINT else POINT, "").replace(COMMA, POINT)
    micros = read_micros(bare)
    if abs(micros) > MOST:
        raise UnreadableAmount(text)
    return micros
