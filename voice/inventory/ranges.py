"""Many numbers as few words: neighbours are folded to a range."""

from collections.abc import Iterable, Iterator


def folded(e164s: Iterable[str]) -> list[str]:
    """Return the numbers with neighbours folded, such as `+49301234500 – +49301234599 (100)`."""
    return [
        first if first == last else f"{first} – {last} ({int(last[1:]) - int(first[1:]) + 1})"
        for first, last in _runs(sorted(set(e164s), key=lambda e164: (len(e164), e164)))
    ]


def _runs(ordered: list[str]) -> Iterator[tuple[str, str]]:
    first = last = ""
    for e164 in ordered:
        if last and len(e164) == len(last) and int(e164[1:]) == int(last[1:]) + 1:
            last = e164
            continue
        if first:
            yield first, last
        first = last = e164
    if first:
        yield first, last
