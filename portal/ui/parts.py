"""The small facts that views hand to components."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

Words = str | Promise


@dataclass(frozen=True)
class Tab:
    label: Words
    url: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Event:
    """One thing that happened, for `{% timeline %}`."""

    at: datetime | int | None
    title: Words
    detail: Words = ""
    tone: str = "calm"
    icon: str = "point"


@dataclass(frozen=True)
class Line:
    """One line of a plan or a change, for `{% diff %}`: sign is +, ~, - or a space."""

    sign: str
    text: Words
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class Step:
    """One step of a task, for `{% steps %}`: state is done, current, waiting, failed or todo.

    `action` is the button that takes the reader to what the step needs of them, at `url`.
    """

    label: Words
    state: str = "todo"
    detail: Words = ""
    checked: datetime | None = None
    check_url: str = ""
    action: Words = ""
    url: str = ""
    facts: list[tuple[Words, Any]] = field(default_factory=list)


def changes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Iterable[Line]:
    """Return the lines that differ between two states of an object."""
    before, after = before or {}, after or {}
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name), after.get(name)
        if old != new:
            sign = "+" if name not in before else "-" if name not in after else "~"
            yield Line(sign, name.replace("_", " "), old, new)
