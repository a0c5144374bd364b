"""The period of a statement."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from voice.receivables.forms import DAY


class PeriodForm(forms.Form):
    """From which day to which, in which currency; without any, this year so far."""

    begins = forms.DateField(label=_("From"), widget=DAY)
    last = forms.DateField(label=_("Until"), widget=DAY)
    currency = forms.ChoiceField(label=_("Currency"))

    def __init__(self, *args: Any, currencies: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.fields["currency"].choices = [(each, each) for each in currencies]  # type: ignore[attr-defined]
        self.initial = {"begins": today.replace(month=1, day=1), "last": today, "currency": (currencies or [""])[0]}

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("begins") and found.get("last") and found["last"] < found["begins"]:
            raise ValidationError({"last": _now("The period ends before it begins.")})
        return found

    @property
    def period(self) -> tuple[str, date, date]:
        """Return currency, first and last day: those asked for, or this year's."""
        given = self.cleaned_data if self.is_bound else self.initial
        return given["currency"], given["begins"], given["last"]
