"""The form by which people take a payment back."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from voice.payments.services.by_hand import KINDS
from voice.rating.money import MICROS, decimals
from voice.receivables.forms import DAY, AmountField
from voice.receivables.models import Payment


class TakeBackForm(forms.Form):
    """How much of a payment went back, or never came, and why."""

    kind = forms.ChoiceField(
        label=_("Why"), widget=forms.RadioSelect, choices=[(kind.value, kind.label) for kind in KINDS],
        help_text=_("What stands on a bank statement that you import is booked there, and not here."),
    )  # fmt: skip
    amount = AmountField(label=_("Amount"))
    on = forms.DateField(label=_("Booked on"), widget=DAY)
    reference = forms.CharField(
        label=_("Reason or reference"), max_length=140, help_text=_("The customer reads it beside its payment.")
    )
    # What was left of the payment when the page was made.
    kept = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, payment: Payment, kept: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        amount = f"{kept / MICROS:.{decimals(payment.currency)}f}"
        self.initial = {"amount": amount, "on": timezone.localdate(), "kept": kept}
        self.fields["amount"].widget.attrs["data-unit"] = payment.currency
