"""Forms of exchange rates."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tenants.forms.codes import CurrencySelect
from voice.currencies.models import ExchangeRate
from voice.rating.money import UnreadableAmount, read_micros


class RateField(forms.CharField):
    """A rate as digits with one decimal point, in thousand-millionths afterwards."""

    def clean(self, value: Any) -> Any:
        """Return nanos."""
        text = super().clean(value)
        if not text:
            return None
        try:
            found = read_micros(text.strip()) * 1000
        except UnreadableAmount as error:
            raise ValidationError(str(error))
        if found <= 0:
            raise ValidationError(_("A rate is more than nothing."))
        return found


class RateForm(forms.ModelForm):
    """A rate that somebody enters by hand."""

    nanos = RateField(label=_("Rate"), widget=forms.TextInput(attrs={"inputmode": "decimal"}), max_length=20)

    class Meta:
        model = ExchangeRate
        fields = ["day", "base", "nanos", "quote", "source"]
        widgets = {
            **dict.fromkeys(("base", "quote"), CurrencySelect),
            "source": forms.TextInput,
            "day": forms.DateInput(attrs={"type": "date"}),
        }

    def _post_clean(self) -> None:
        # The service checks and stores.
        for name, value in self.cleaned_data.items():
            setattr(self.instance, name, value.strip().upper() if name in ("base", "quote") else value)


class ImportForm(forms.Form):
    """The bank's file, or nothing, which asks the bank for it."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".xml"}),
        help_text=_("eurofxref-daily.xml or eurofxref-hist-90d.xml. Without a file the bank is asked for the newest."),
    )
