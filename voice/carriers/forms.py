"""Forms of carriers and trunks."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.core.whole import whole
from portal.ui.forms import Groups
from tenants.models import Customer, Msp
from tenants.services.customers import OPEN_STATES
from voice.carriers.models import BlockedPrefix, Carrier, Trunk
from voice.carriers.trunk_order import order_fields

KEPT = _("Leave empty to keep the password. It is stored encrypted and never shown again.")


class CarrierForm(forms.ModelForm):
    """A carrier of the MSP."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Carrier
        fields = ["name", "contact"]
        widgets = {"name": forms.TextInput, "contact": forms.TextInput}
        help_texts = {"contact": _("Whom you call when calls fail.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version

    def _post_clean(self) -> None:
        _copy(self, "name", "contact", "row_version")


class TrunkForm(Groups, forms.ModelForm):
    """A SIP line to a carrier; an MSP chooses its carrier, a customer's own trunk has none."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    password = forms.CharField(
        label=_("Password"),
        required=False,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    source_addresses = forms.CharField(
        label=_("Addresses that its calls come from"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=_("IPv4 addresses, one a line. Empty: the address above; beside a host name they have to be given."),
    )
    groups = [
        (_("Where it leads"), ["name", "carrier", "host", "port", "transport"]),
        (_("How the carrier knows us"), ["auth", "username", "password", "realm", "source_addresses"]),
        (_("Limits"), ["channels", "cps"]),
        (_("Behaviour"), ["forwarded_caller", "enabled"]),
    ]

    class Meta:
        model = Trunk
        fields = [
            "name", "carrier", "host", "port", "transport", "auth", "username", "password", "realm", "source_addresses",
            "channels", "cps", "forwarded_caller", "enabled",
        ]  # fmt: skip
        widgets = {
            "name": forms.TextInput,
            "host": forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
            "transport": forms.RadioSelect,
            "auth": forms.RadioSelect,
            "username": forms.TextInput(attrs={"autocomplete": "off"}),
            "realm": forms.TextInput,
            "channels": forms.NumberInput(attrs={"data-unit": _("calls")}),
            "cps": forms.NumberInput(attrs={"data-unit": _("a second")}),
            "forwarded_caller": forms.RadioSelect,
        }
        help_texts = {
            "host": _("The carrier's IPv4 address or host name."),
            "channels": _("0 is as many as the carrier takes."),
            "cps": _("0 is as many as the carrier takes."),
            "realm": _("Only if the carrier asks for a certain one."),
            "forwarded_caller": _(
                "Some carriers refuse callers that are not yours. A caller whose number may be one of another customer "
                "is not shown in any case."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version
        # The row's own values would go first.
        self.initial |= {"source_addresses": "\n".join(self.instance.source_addresses), "password": ""}  # type: ignore[operator]
        if self.instance.password:
            self.fields["password"].help_text = KEPT
        if self.instance.tenant_id:
            del self.fields["carrier"]
        else:
            self.fields["carrier"].queryset = Carrier.objects.filter(msp=self.instance.msp_id).order_by("name")
            self.fields["carrier"].required = True
            self.fields["carrier"].empty_label = _("Choose a carrier")

    def clean_source_addresses(self) -> list[str]:
        return [text for text in re.split(r"[\s,;]+", self.cleaned_data["source_addresses"]) if text][:50]

    def clean_password(self) -> str:
        return str(self.cleaned_data["password"] or self.instance.password)

    def _post_clean(self) -> None:
        # The service checks the whole trunk; here only what was typed is copied to it.
        _copy(self, *self.Meta.fields, "row_version")


class BlockedPrefixForm(forms.ModelForm):
    """A prefix that no customer may call."""

    prefix = forms.CharField(  # type: ignore[assignment]
        label=_("Numbers that start with"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "tel", "placeholder": "+882"}),
    )

    class Meta:
        model = BlockedPrefix
        fields = ["prefix", "note"]
        widgets = {"note": forms.TextInput}

    def _post_clean(self) -> None:
        _copy(self, "prefix", "note")


class GrantForm(forms.Form):
    """The customers that get a shared trunk."""

    customers = forms.ModelMultipleChoiceField(
        label=_("Customers"), queryset=Customer.objects.none(), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, trunk: Trunk, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        customers = Customer.objects.filter(msp=trunk.msp_id, state__in=OPEN_STATES)
        self.fields["customers"].queryset = customers.exclude(pk__in=trunk.grants.open().values("tenant")).order_by(
            "name"
        )


class TrunkOrderForm(forms.Form):
    """Trunks in the order that they are tried: numbered choices, so that the order is set without a mouse."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, trunks: list[Trunk], chosen: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = _as_text(chosen)
        self.now = chosen
        self.trunks = {trunk.pk: trunk for trunk in trunks}
        self.order = order_fields(trunks, chosen)
        self.fields |= self.order

    @property
    def as_seen(self) -> list[int]:
        """The list that the editor looked at; where the page did not say, the one that there is."""
        said = self.cleaned_data["seen"].split(",") if "seen" in self.data else map(str, self.now)
        # What is no id is in no list.
        return [-1 if (found := whole(pk)) is None else found for pk in said if pk]

    @property
    def chosen(self) -> list[Trunk]:
        """The chosen trunks in order."""
        return [self.trunks[pk] for name in self.order if (pk := self.cleaned_data.get(name))]


def _as_text(ids: list[int]) -> str:
    return ",".join(map(str, ids))


def new_trunk(msp: Msp, customer: Customer | None = None) -> Trunk:
    """Return an empty trunk of the MSP, or of one of its customers."""
    return Trunk(msp=msp, tenant=customer)


def _copy(form: forms.ModelForm, *names: str) -> None:
    for name in names:
        if form.cleaned_data.get(name) is not None:
            setattr(form.instance, name, form.cleaned_data[name])
