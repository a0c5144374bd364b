"""Trunks in the order in which they are tried, as numbered choices: set without a mouse, and by keyboard."""

from collections.abc import Iterable, Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from voice.carriers.models import Trunk

LABELS = (_("First trunk"), _("If it fails"), _("Then"), _("And then"))


def order_fields(trunks: Iterable[Trunk], chosen: Sequence[int]) -> dict[str, forms.TypedChoiceField]:
    """Return the fields by name: four, or one more than are chosen already: a program may have chosen any number."""
    choices = [("", _("None")), *((trunk.pk, trunk.name) for trunk in trunks)]
    count = max(len(LABELS), len(chosen) + 1)
    return {
        f"trunk_{place}": forms.TypedChoiceField(
            label=LABELS[min(place, len(LABELS) - 1)],
            choices=choices,
            coerce=int,
            empty_value=None,
            required=False,
            initial=chosen[place] if place < len(chosen) else None,
        )
        for place in range(count)
    }
