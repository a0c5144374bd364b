import pytest
from django.core.exceptions import ValidationError

from voice.routing.patterns import normalise, prefix


@pytest.mark.parametrize(
    ("typed", "shown", "digits"),
    [
        ("+44*", "+44*", "44"),
        (" +1-555-* ", "+1555*", "1555"),
        ("0044 20*", "+4420*", "4420"),
        ("+49 (30) 123456", "+4930123456*", "4930123456"),
        ("*", "*", ""),
    ],
)
def test_a_pattern_has_one_shape(typed, shown, digits):
    assert (normalise(typed), prefix(shown)) == (shown, digits)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "44*",
        "+",
        "+0*",
        "+4a*",
        "^\\+44.*$",
        "+44**",
        "+*",
        "+" + "4" * 16,
        "+" + "1" * 10_000,
        "+４４*",
        "+44;x=1",
        "++44*",
    ],
)
def test_anything_else_is_refused_in_words(typed):
    with pytest.raises(ValidationError):
        normalise(typed)
