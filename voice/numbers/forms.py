"""Forms about numbers: the customer's, and the MSP's when numbers change hands."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.core.fields import format_number, parse_number
from portal.ui.forms import Groups
from tenants.models import Customer, Msp
from tenants.services.customers import OPEN_STATES
from voice.directory import selectors as directory
from voice.directory.models import Place
from voice.numbers import selectors
from voice.numbers.allocation import COOLING_DAYS
from voice.numbers.models import ApprovedCallerId, Number


class NumberForm(Groups, forms.ModelForm):
    """What the customer does with one number."""

    row_version = forms.IntegerField(widget=forms.HiddenInput)
    inbound_trunk = forms.TypedChoiceField(label=_("Trunk"), coerce=int, empty_value=None, required=False)
    groups = [
        (_("What it is for"), ["label", "person"]),
        (_("When somebody calls it"), ["inbound", "inbound_trunk"]),
        (_("In an emergency"), ["place"]),
    ]

    class Meta:
        model = Number
        fields = ["label", "person", "inbound", "place"]
        widgets = {
            "label": forms.TextInput(attrs={"autocomplete": "off"}),
            "inbound": forms.RadioSelect,
        }
        help_texts = {
            "inbound": _("Calls to the number go here once it is active."),
            "place": _("Where help is sent when somebody calls an emergency number with this number."),
        }

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version
        self.fields["inbound_trunk"].choices = [("", _("None")), *selectors.trunk_names(customer).items()]
        self.fields["inbound_trunk"].initial = self.instance.inbound_trunk
        self.fields["place"].queryset = directory.places()
        self.fields["place"].empty_label = _("Not set")
        self.fields["person"].queryset = directory.people()
        self.fields["person"].empty_label = _("Nobody")

    def _post_clean(self) -> None:
        # The service checks the whole number; here only what was typed is copied to it.
        for name in ("label", "person", "inbound", "inbound_trunk", "place", "row_version"):
            if name in self.cleaned_data:
                setattr(self.instance, name, self.cleaned_data[name])


class PlaceForm(forms.Form):
    """One emergency location for many numbers."""

    place = forms.ModelChoiceField(label=_("Emergency location"), queryset=Place.objects.none(), empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = directory.places()


class CallerIdForm(forms.ModelForm):
    """A foreign number that may be shown as caller, with the proof."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    e164 = forms.CharField(label=_("Number"), max_length=40, widget=forms.TextInput(attrs={"inputmode": "tel"}))

    class Meta:
        model = ApprovedCallerId
        fields = ["e164", "note", "evidence"]
        widgets = {"note": forms.TextInput, "evidence": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "note": _("For example “Head office, line of another provider”."),
            "evidence": _("How it is known that you may show it: a contract, a bill, a test call."),
        }

    def __init__(self, *args: Any, country: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country = country
        self.fields["row_version"].initial = self.instance.row_version

    def clean_e164(self) -> str:
        return parse_number(self.cleaned_data["e164"], self.country)

    def _post_clean(self) -> None:
        for name in ("e164", "note", "evidence", "row_version"):
            if self.cleaned_data.get(name) is not None:
                setattr(self.instance, name, self.cleaned_data[name])


class CallerIdPolicyForm(forms.Form):
    """What people see when a call's caller ID is not the customer's."""

    policy = forms.ChoiceField(
        label=_("A call that shows a number which is not yours"),
        choices=Customer.CallerIdPolicy.choices,
        widget=forms.RadioSelect,
    )
    number = forms.ChoiceField(label=_("Default number"), required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["policy"].initial = customer.caller_id_policy
        active = Number.objects.active().in_number_order().values_list("e164", flat=True)[:2000]
        self.fields["number"].choices = [("", _("None")), *((e164, format_number(e164)) for e164 in active)]
        self.fields["number"].initial = customer.default_caller_id
        self.fields["seen"].initial = f"{customer.caller_id_policy},{customer.default_caller_id}"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("policy") == Customer.CallerIdPolicy.REPLACE and not data.get("number"):
            raise ValidationError({"number": _("Choose the number that is shown instead.")})
        return data


class CustomerForm(forms.Form):
    """The customer that numbers go to."""

    customer = forms.ModelChoiceField(label=_("Customer"), queryset=Customer.objects.none(), empty_label=None)

    def __init__(self, *args: Any, msp: Msp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = Customer.objects.filter(msp=msp, state__in=OPEN_STATES).order_by("name")


class ReleaseForm(forms.Form):
    """For how long numbers rest before another customer may get them."""

    cooling_days = forms.IntegerField(
        label=_("Cooling time"),
        min_value=0,
        max_value=365,
        initial=COOLING_DAYS,
        widget=forms.NumberInput(attrs={"data-unit": _("days")}),
        help_text=_("So that callers of the old customer do not reach the next one."),
    )
