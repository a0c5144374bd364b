"""How a node reads the tables of prices, in Python: what the tests hold against `choose`, call by call."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from voice.rating.cheapest import HEAD, Table, packed
from voice.routing.choose import Line, Order


def code_of(table: Table, rows: Mapping[str, str], called: str, at: int) -> tuple[str, int]:
    """Return the code for a called number at a moment, and the state of the timetable then."""
    moments = table.timetable.moments
    state = moments[max(0, bisect_right([moment for moment, _state in moments], at) - 1)][1]
    code = ""
    if len(called) >= HEAD and called[:HEAD] in rows:
        said = dict(part.split("=") for part in rows[called[:HEAD]].split(";"))
        for length in range(min(int(said["n"]), len(called) - HEAD), 0, -1):
            code = code or said.get(called[HEAD : HEAD + length], "")
        code = code or said["e"]
    for length in range(min(HEAD - 1, len(called)), -1, -1):
        code = code or rows.get(called[:length], "")
    return (code.split(".")[state] if "." in code else code), state


def digits_of(table: Table, trunk: str, code: str, state: int) -> str:
    """Return what the code says of a trunk: its rank or flag, empty where the table says nothing."""
    places = table.places.get(trunk, (0,))
    place = places[state] if len(places) > 1 else places[0]
    return code[(place - 1) * table.width : place * table.width] if place and code else ""


def tried_by_a_node(
    line: Line, own: Sequence[str], called: str, at: int, ranks: Table, losses: Table | None
) -> tuple[str, ...]:
    """Return the trunks that a node would try, in order."""
    trunks = [*(t for t in line.trunks if t in own), *(t for t in line.trunks if t not in own)]
    if line.order is Order.LISTED:
        trunks = list(line.trunks)
    if losses is not None:
        code, state = code_of(losses, packed(losses), called, at)
        trunks = [trunk for trunk in trunks if digits_of(losses, trunk, code, state) != "1"]
    if line.order is Order.LISTED:
        return tuple(trunks)
    code, state = code_of(ranks, packed(ranks), called, at)
    found = {trunk: digits_of(ranks, trunk, code, state) for trunk in trunks if trunk not in own}
    priced = sorted((int(digits), place, trunk) for place, (trunk, digits) in enumerate(found.items())
                    if digits and int(digits) and digits.strip("9"))  # fmt: skip
    unpriced = [trunk for trunk, digits in found.items() if not digits or not int(digits)]
    rest = unpriced if line.order is Order.CHEAPEST else []
    return (*(t for t in trunks if t in own), *(trunk for _rank, _place, trunk in priced), *rest)
