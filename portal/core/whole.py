"""Whole numbers that come from outside, as text."""

# The most digits of which every number is one that the database can hold.
MOST_DIGITS = 18


def whole(text: str) -> int | None:
    """Return the whole number that a text is, None where it is none, or one that no row can have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
