"""What the operator sets up: MSPs, base domains, regions."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.core.whole import whole
from portal.ui.forms import Groups
from tenants.models import (
    BaseDomain,
    Msp,
    Region,
)


class MspForm(forms.ModelForm[Msp]):
    """A new MSP."""

    owner_email = forms.EmailField(label=_("First owner"), help_text=_("Gets an invitation to the MSP's console."))

    class Meta:
        model = Msp
        fields = ["name", "slug", "support_email", "support_phone"]
        widgets = {
            "name": forms.TextInput,
            "support_phone": forms.TextInput,
            "slug": forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "maxlength": 60}),
        }


class OwnerForm(forms.Form):
    """Whom the operator invites to an MSP."""

    email = forms.EmailField(label=_("E-mail address"), help_text=_("Becomes an owner of the MSP's console."))


class BaseDomainForm(forms.ModelForm[BaseDomain]):
    """A base domain for an MSP."""

    class Meta:
        model = BaseDomain
        fields = ["region", "fqdn"]
        widgets = {"fqdn": forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"})}

    def _post_clean(self) -> None:
        # The service brings the name into its one form first, then checks it.
        self.instance.fqdn = self.cleaned_data.get("fqdn", "").strip().lower()
        if region := self.cleaned_data.get("region"):
            self.instance.region = region


class Lines(forms.CharField):
    """A list, one entry on a line."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]


class MicrosoftNames(Lines):
    """Microsoft's signalling names, one on a line: name, port if it is not 5061, address if DNS is not to be asked."""

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{one['fqdn']}:{one['port']} {one.get('address') or ''}".strip() for one in value)

    def to_python(self, value: Any) -> Any:
        found = []
        for line in super().to_python(value):
            name, _space, address = line.partition(" ")
            host, _colon, port = name.partition(":")
            port = whole(port or "5061")
            if port is None:
                raise ValidationError(gettext("“%(line)s”: the port is a number.") % {"line": line})
            found.append({"fqdn": host, "port": port, "address": address.strip() or None})
        return found


class RegionForm(Groups, forms.ModelForm[Region]):
    """A region's networks."""

    groups = [
        (_("Networks that trunks may use"), ["allowed_networks", "denied_networks"]),
        (_("Microsoft"), ["microsoft_names", "microsoft_networks"]),
    ]
    allowed_networks = Lines(
        label=_("Allowed"),
        required=False,
        help_text=_("One network on a line, like 192.0.2.0/24; empty allows every public address."),
    )
    denied_networks = Lines(
        label=_("Never allowed"), required=False, help_text=_("No trunk may use these, whatever stands above.")
    )
    microsoft_names = MicrosoftNames(
        label=_("Microsoft's signalling names"),
        required=False,
        help_text=_("One on a line, like sip.pstnhub.microsoft.com:5061; an address after a space replaces DNS."),
    )
    microsoft_networks = Lines(label=_("Microsoft's signalling networks"), required=False)
    config_version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Region
        fields = ["name", "slug", "allowed_networks", "denied_networks", "microsoft_names", "microsoft_networks"]
        widgets = {"name": forms.TextInput, "slug": forms.TextInput}
        help_texts = {"slug": _("For example eu-1. It stays as it is.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["config_version"].initial = self.instance.config_version
        if self.instance.pk:
            del self.fields["slug"]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self.instance.config_version = self.cleaned_data.get("config_version", -1)
