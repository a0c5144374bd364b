"""A customer's facts and limits, and why staff act for one."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.forms.codes import country_options
from tenants.models import Customer, Msp
from tenants.zones import zone_choices


class EverybodyForm(forms.ModelForm[Msp]):
    """What holds for customers that have no value of their own."""

    class Meta:
        model = Msp
        fields = ["longest_call_minutes"]
        widgets = {"longest_call_minutes": forms.NumberInput(attrs={"data-unit": _("minutes"), "min": 1, "max": 720})}
        labels = {"longest_call_minutes": _("Longest call")}
        help_texts = {
            "longest_call_minutes": _(
                "The SBC ends longer calls, except emergency calls. Empty is 12 hours, the most there is."
            )
        }


class CustomerForm(Groups, forms.ModelForm[Customer]):
    """A customer's facts and limits, as the MSP sets them."""

    groups = [
        (_("The company"), ["name", "label", "country", "time_zone"]),
        (_("Limits"), ["cps", "channels", "longest_call_minutes"]),
        (_("Caller ID"), ["caller_id_policy", "foreign_caller_id"]),
        (_("First administrator"), ["admin_email"]),
    ]

    class Meta:
        model = Customer
        fields = [
            "name", "label", "country", "time_zone", "cps", "channels", "longest_call_minutes", "caller_id_policy",
            "foreign_caller_id",
        ]  # fmt: skip
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "organization"}),
            "label": forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "maxlength": 60}),
            "cps": forms.NumberInput(attrs={"data-unit": _("calls/s"), "min": 1}),
            "channels": forms.NumberInput(attrs={"data-unit": _("calls"), "min": 1}),
            "longest_call_minutes": forms.NumberInput(attrs={"data-unit": _("minutes"), "min": 1, "max": 720}),
        }
        labels = {"foreign_caller_id": _("May show approved numbers of others")}
        help_texts = {
            "foreign_caller_id": _(
                "Lets the customer show numbers that it does not hold, such as a hotline's, once each is approved with "
                "proof. Off: only its own numbers are ever shown."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"] = forms.ChoiceField(label=_("Country"), choices=country_options)
        self.fields["time_zone"] = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)

    def _get_validation_exclusions(self) -> set[str]:
        # The service runs the model's checks, also for imports and the API.
        return {field.name for field in Customer._meta.fields}

    def validate_constraints(self) -> None:
        pass


class NewCustomerForm(CustomerForm):
    """The one form that creates a customer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = ("", _("The usual one of the country"))
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("Time zone"), choices=[usual, *zone_choices()], required=False
        )

    admin_email = forms.EmailField(
        label=_("E-mail address"), required=False, help_text=_("Gets an invitation to the customer's portal.")
    )


class CustomerEditForm(CustomerForm):
    """The same without what is for life."""

    config_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["label"]
        self.fields["config_version"].initial = self.instance.config_version

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self.instance.config_version = self.cleaned_data.get("config_version", -1)


class ReasonForm(forms.Form):
    """Why MSP staff act as a customer."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("For example the ticket. The customer reads it in the audit log."),
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
