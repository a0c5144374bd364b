"""Forms of the MSP's pages about calls and their prices."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.core.fields import parse_number
from tenants.models import Customer
from voice.rating.models import LossPolicy
from voice.rating.typical import TYPICAL_SECONDS


class LossPolicyForm(forms.Form):
    """What becomes of calls below cost, where a customer may follow the MSP, and of all: by which call that is told."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, stored: LossPolicy | None, for_customer: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = list(LossPolicy.Mode.choices)
        if for_customer:
            choices.insert(0, ("", _("As for everybody")))
        self.fields["mode"] = forms.ChoiceField(
            label=_("Calls below cost"), widget=forms.RadioSelect, required=False, choices=choices
        )
        self.fields["mode"].initial = stored.mode if stored else "" if for_customer else LossPolicy.Mode.REPORT
        self.fields["seen"].initial = stored.row_version if stored else 0
        self.fields["mode"].help_text = _(
            "A call is below cost where a typical call costs more over a trunk than the customer pays for it. Where no "
            "trunk of the line is left, the call is refused; the customer reads “not offered”. Emergency calls, calls "
            "inside and a customer's own trunks are never touched."
        )
        if not for_customer:
            said = stored.typical_seconds if stored else None
            self.fields["typical_seconds"] = forms.IntegerField(
                label=_("A typical call lasts"),
                min_value=1,
                max_value=7200,
                initial=said or TYPICAL_SECONDS,
                widget=forms.NumberInput(attrs={"data-unit": _("seconds"), "min": 1, "max": 7200}),
                help_text=_(
                    "180 seconds are three minutes. A trunk with a low price a minute can be dear all the same: by its "
                    "connection fee, or where it bills whole minutes. So it is always what a call of this length costs "
                    "that is compared, for calls below cost and for lines that go to the cheapest trunk first."
                ),
            )


class CostForm(forms.Form):
    """A call of a customer to price."""

    number = forms.CharField(label=_("Number to call"), max_length=40)
    caller = forms.CharField(
        label=_("Calling from"),
        max_length=40,
        required=False,
        help_text=_("Empty is the customer's default caller ID."),
    )
    at = forms.DateTimeField(
        label=_("At"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, msp: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        customers = Customer.objects.filter(msp=msp, state__in=["active", "suspended"]).order_by("name")
        self.fields["customer"] = forms.ModelChoiceField(customers, label=_("Customer"))
        self.order_fields(["customer", "number", "caller", "at"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        customer = data.get("customer")
        for name in ("number", "caller"):
            typed = data.get(name, "").strip()
            if customer is not None and typed:
                try:
                    # An emergency number is none in international form, and is tried as it is dialled.
                    data[name] = (
                        typed if typed.isdecimal() and len(typed) < 5 else parse_number(typed, customer.country)
                    )
                except forms.ValidationError as error:
                    self.add_error(name, error)
        return data
