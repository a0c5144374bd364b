"""What people type into the pages of tenancy; the services check it."""

from datetime import timedelta
from typing import Any

from allauth.account.forms import LoginForm as LibraryLoginForm
from allauth.account.forms import ResetPasswordForm as LibraryResetPasswordForm
from allauth.core import context as library_context
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.countries import country_choices
from tenants.identity import roles_in
from tenants.models import (
    CUSTOMER_ROLES,
    MSP_ROLES,
    ApiToken,
    BaseDomain,
    Brand,
    Customer,
    Msp,
    Region,
    Role,
    User,
)
from tenants.permissions import CAPABILITIES
from tenants.png import MOST_BYTES
from tenants.services.tokens import IMPLIED
from tenants.zones import zone_choices


def country_options() -> list[tuple[str, Any]]:
    """Return every country after an empty choice: a wrong default would be a wrong emergency number."""
    return [("", _("Choose a country")), *country_choices()]


class LoginForm(LibraryLoginForm):
    """The log-in page's form, in our words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail address")
        self.fields["password"].help_text = ""  # the way to a new password stands under the form
        for name in ("login", "password"):
            self.fields[name].widget.attrs.pop("placeholder", None)


class ResetPasswordForm(LibraryResetPasswordForm):
    """Asks for the address; mails only people who belong to this host, and says the same to everybody."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        request = library_context.request
        self.users = [
            user for user in self.users if roles_in(user, request.place, request.msp, request.tenant)  # type: ignore[has-type]
        ]  # fmt: skip
        return email


class CustomerForm(Groups, forms.ModelForm[Customer]):
    """A customer's facts and limits, as the MSP sets them."""

    groups = [
        (_("The company"), ["name", "label", "country", "time_zone"]),
        (_("Limits"), ["cps", "channels"]),
        (_("Caller ID"), ["caller_id_policy", "foreign_caller_id"]),
        (_("First administrator"), ["admin_email"]),
    ]

    class Meta:
        model = Customer
        fields = ["name", "label", "country", "time_zone", "cps", "channels", "caller_id_policy", "foreign_caller_id"]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "organization"}),
            "label": forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "maxlength": 60}),
            "cps": forms.NumberInput(attrs={"data-unit": _("calls/s"), "min": 1}),
            "channels": forms.NumberInput(attrs={"data-unit": _("calls"), "min": 1}),
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


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, for_customer: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices(for_customer)  # type: ignore[attr-defined]


def role_choices(for_customer: bool) -> list[tuple[str, str]]:
    """Return the roles of a customer's or an MSP's team."""
    return [(name, str(Role(name).label)) for name in (CUSTOMER_ROLES if for_customer else MSP_ROLES)]


class AcceptForm(forms.Form):
    """The name and first password of somebody who joins."""

    name = forms.CharField(label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html,  # type: ignore[arg-type]
    )


class ProfileForm(forms.ModelForm[User]):
    """A person's own settings."""

    class Meta:
        model = User
        fields = ["name", "language", "time_zone", "theme"]
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"}), "theme": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"] = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
        self.fields["time_zone"] = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)


DURATIONS = [("7", _("7 days")), ("30", _("30 days")), ("90", _("90 days")), ("365", _("A year"))]


AREAS = {
    "audit": _("Audit log"),
    "brand": _("Brand"),
    "calls": _("Calls"),
    "carriers": _("Carriers and trunks"),
    "customers": _("Customers"),
    "dashboard": _("Dashboard"),
    "domains": _("Domains"),
    "emergency": _("Emergency calls"),
    "jobs": _("Imports and exports"),
    "nodes": _("SBC nodes"),
    "numbers": _("Numbers"),
    "people": _("People and places"),
    "rollout": _("Rollout"),
    "routing": _("Routing"),
    "settings": _("Company"),
    "stock": _("Number stock"),
    "team": _("Team"),
    "tokens": _("API tokens"),
}
DEEDS = {"view": _("see"), "change": _("see and change"), "export": _("export"), "act": _("act as them")}


def scope_in_words(name: str) -> str:
    """Return a capability as the form for tokens names it."""
    area, deed = name.split(".")
    return f"{AREAS.get(area, area)}: {DEEDS.get(deed, deed)}"


class TokenForm(forms.ModelForm[ApiToken]):
    """What a token is for, what it may do, how long it lasts."""

    days = forms.ChoiceField(label=_("Lasts"), choices=DURATIONS, initial="90")
    scopes = forms.MultipleChoiceField(label=_("May do"), widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ApiToken
        fields = ["name"]
        widgets = {"name": forms.TextInput(attrs={"placeholder": _("Nightly report")})}

    def __init__(self, *args: Any, grantable: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = sorted(grantable - IMPLIED, key=lambda name: str(scope_in_words(name)))
        self.fields["scopes"].choices = [(name, scope_in_words(name)) for name in offered]  # type: ignore[attr-defined]
        self.order_fields(["name", "days", "scopes"])

    def _post_clean(self) -> None:
        self.instance.name = self.cleaned_data.get("name", "")
        self.instance.scopes = self.cleaned_data.get("scopes", [])
        if days := self.cleaned_data.get("days"):
            self.instance.expires_at = timezone.now() + timedelta(days=int(days))


def grantable(can: Any) -> frozenset[str]:
    """Return what somebody may hand to a token: what they may do themselves, and the use of the API."""
    return frozenset(name for name in CAPABILITIES if can(name))


class BrandForm(Groups, forms.ModelForm[Brand]):
    """How the MSP looks to its customers."""

    groups = [
        (_("Look"), ["name", "accent", "new_logo", "remove_logo"]),
        (_("Support contact"), ["support_email", "support_phone", "support_url"]),
    ]
    new_logo = forms.FileField(
        label=_("Logo"), required=False, help_text=_("PNG, at most 256 kB and 1,200 × 600 pixels."), max_length=200
    )
    remove_logo = forms.BooleanField(label=_("Remove the logo"), required=False)
    row_version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Brand
        fields = ["name", "accent", "support_email", "support_phone", "support_url"]
        widgets = {
            "name": forms.TextInput,
            "support_phone": forms.TextInput,
            "accent": forms.TextInput(attrs={"type": "color"}),
        }
        help_texts = {"accent": _("Made darker or lighter where needed, so that text stays readable.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version
        if not self.instance.has_logo:
            del self.fields["remove_logo"]

    def clean_new_logo(self) -> bytes | None:
        upload = self.cleaned_data["new_logo"]
        if upload is None:
            return None
        if upload.size > MOST_BYTES:
            raise ValidationError(_("The logo may have at most %(most)s kB.") % {"most": MOST_BYTES // 1024})
        return bytes(upload.read())

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self.instance.row_version = self.cleaned_data.get("row_version", -1)


class OwnHostForm(forms.Form):
    """A host name of the MSP's own, for its console or one customer's portal."""

    tenant = forms.ModelChoiceField(
        label=_("Leads to"), queryset=Customer.objects.none(), required=False, empty_label=_("Your own console")
    )
    host = forms.CharField(
        label=_("Host name"),
        max_length=300,
        help_text=_("For example portal.provider.example. No asterisk: each name is proven by itself."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, msp: Msp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        living = Customer.objects.filter(msp=msp, state__in=(Customer.State.ACTIVE, Customer.State.SUSPENDED))
        self.fields["tenant"].queryset = living.order_by("name")  # type: ignore[attr-defined]


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
            port = port or "5061"
            if not (port.isascii() and port.isdigit()):
                raise ValidationError(gettext("“%(line)s”: the port is a number.") % {"line": line})
            found.append({"fqdn": host, "port": int(port), "address": address.strip() or None})
        return found


class RegionForm(Groups, forms.ModelForm[Region]):
    """A region's networks."""

    groups = [
        (_("Networks that trunks may use"), ["allowed_networks", "denied_networks"]),
        (_("Microsoft"), ["microsoft_names", "microsoft_networks"]),
    ]
    allowed_networks = Lines(
        label=_("Allowed"), required=False, help_text=_("One network on a line, like 192.0.2.0/24; empty allows all.")
    )
    denied_networks = Lines(label=_("Never"), required=False)
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["config_version"].initial = self.instance.config_version
        if self.instance.pk:
            del self.fields["slug"]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self.instance.config_version = self.cleaned_data.get("config_version", -1)


class OwnerForm(forms.Form):
    """Whom the operator invites to an MSP."""

    email = forms.EmailField(label=_("E-mail address"), help_text=_("Becomes an owner of the MSP's console."))
