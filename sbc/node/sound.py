"""How a call sounded, as the line of its end tells it.

rtpengine judges each side's sound by what the other side reports of it (RTCP): MOS from 1 to 5, jitter in milliseconds,
loss in percent. The round trip, in microseconds, goes there and back over both sides.
"""

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

MEASURES = ("mos", "jitter", "loss")
WHOLE = (*MEASURES, "roundtrip")
SIDES = {"from_teams": "t", "from_trunk": "c"}  # and what the names of its figures begin with


def heard(said: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the figures of a line: on average, and of what each side sent."""
    sides = {side: _figures(said, MEASURES, letter) for side, letter in SIDES.items()}
    # Of a side that nobody judged the other figures are an earlier call's.
    judged = {side: figures for side, figures in sides.items() if "mos" in figures}
    if not judged:
        # Written by a Kamailio that has run since before the sides were told apart.
        whole = _figures(said, WHOLE)
        return whole if "mos" in whole else None
    media: dict[str, Any] = _figures(said, ("roundtrip",))
    for name in MEASURES:
        if found := [figures[name] for figures in judged.values() if name in figures]:
            media[name] = round(fmean(found), 1)
    return media | judged


def of_call(media: dict[str, Any] | None, ingress: str, egress: str) -> dict[str, Any] | None:
    """Return a call's figures; where both ends are Teams, or both a trunk's, nobody told them apart."""
    if media is None or (ingress == "teams") != (egress == "teams"):
        return media
    return {name: figure for name, figure in media.items() if name in WHOLE}


def _figures(said: Mapping[str, str], names: Iterable[str], letter: str = "") -> dict[str, float]:
    return {name: float(said[letter + name]) for name in names if _is_figure(said.get(letter + name, ""))}


def _is_figure(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
