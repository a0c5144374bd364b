"""Lays out a SIP ladder from data; the template draws it, so that no text of a call ever becomes markup."""

from dataclasses import dataclass

LANE, TOP, STEP, EDGE = 190, 56, 40, 96


@dataclass(frozen=True)
class Message:
    """One arrow: who sent it to whom (by their places in the list of parties), what it said, and when."""

    source: int
    target: int
    text: str
    at: str = ""
    tone: str = "calm"


@dataclass(frozen=True)
class Arrow:
    x1: int
    x2: int
    y: int
    middle: int
    label_y: int
    at_y: int
    head: str
    text: str
    at: str
    tone: str


@dataclass(frozen=True)
class Ladder:
    width: int
    height: int
    bottom: int
    lanes: list[tuple[int, str]]
    arrows: list[Arrow]
    words: list[str]


def draw(parties: list[str], messages: list[Message]) -> Ladder:
    """Return the places of lanes and arrows, and the same story as sentences for readers who cannot see it."""
    lanes = [(EDGE + index * LANE, party) for index, party in enumerate(parties)]
    arrows = [arrow(message, TOP + 24 + row * STEP) for row, message in enumerate(messages)]
    height = TOP + 24 + len(messages) * STEP
    words = [f"{m.at} {parties[m.source]} → {parties[m.target]}: {m.text}".strip() for m in messages]
    return Ladder(2 * EDGE + (len(parties) - 1) * LANE, height, height - 8, lanes, arrows, words)


def arrow(message: Message, y: int) -> Arrow:
    """Return one arrow with its head pointing at the lane that received it."""
    x1, x2 = EDGE + message.source * LANE, EDGE + message.target * LANE
    back = 8 if x2 > x1 else -8
    head = f"{x2},{y} {x2 - back},{y - 4} {x2 - back},{y + 4}"
    return Arrow(x1, x2, y, (x1 + x2) // 2, y - 7, y + 4, head, message.text, message.at, message.tone)
