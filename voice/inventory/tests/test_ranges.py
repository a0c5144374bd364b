from hypothesis import given
from hypothesis import strategies as st

from voice.inventory.ranges import folded


def test_neighbours_are_folded():
    numbers = [f"+493012345{n:02}" for n in (0, 1, 2, 5, 7, 8)]

    assert folded(reversed(numbers)) == [
        "+49301234500 – +49301234502 (3)", "+49301234505", "+49301234507 – +49301234508 (2)",
    ]  # fmt: skip
    assert folded([]) == []


@given(st.sets(st.integers(10_000_000, 10_000_300), max_size=60))
def test_folding_loses_and_adds_no_number(digits):
    found = set()
    for each in folded(f"+{n}" for n in digits):
        first, _dash, rest = each.partition(" – ")
        last = rest.partition(" ")[0] or first
        found |= set(range(int(first[1:]), int(last[1:]) + 1))

    assert found == digits
