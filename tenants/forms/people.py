"""Logging in, joining a team, and a person's own settings."""

from typing import Any

from allauth.account.forms import ChangePasswordForm as LibraryChangePasswordForm
from allauth.account.forms import LoginForm as LibraryLoginForm
from allauth.account.forms import ResetPasswordForm as LibraryResetPasswordForm
from allauth.core import context as library_context
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.utils.translation import gettext_lazy as _

from tenants.identity import roles_in
from tenants.models import (
    CUSTOMER_ROLES,
    MSP_ROLES,
    Role,
    User,
)
from tenants.zones import zone_choices

# As `tenants.permissions` has it, for people.
MAY_DO = {
    "owner": _("everything, with the team, the brand and what calls cost"),
    "engineer": _("customers, numbers, carriers and domains; sees bills, not what calls cost"),
    "billing": _("rates, plans, invoices and payments, with what calls cost; changes no telephony"),
    "support": _("sees customers, calls and bills, and helps in a portal as its customer; changes nothing else"),
    "admin": _("everything, with the team and the bills"),
    "voice_manager": _("numbers, people, routing and emergency locations; sees no bills"),
    "billing_contact": _("bills, payments, limits and what calls cost; changes no telephony"),
    "viewer": _("sees numbers, routing and calls; changes nothing and sees no bills"),
}


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].widget.attrs.pop("placeholder", None)

    def clean_email(self) -> str:
        email: str = super().clean_email()
        request = library_context.request
        self.users = [
            user for user in self.users if roles_in(user, request.place, request.msp, request.tenant)  # type: ignore[has-type]
        ]  # fmt: skip
        return email


class ChangePasswordForm(LibraryChangePasswordForm):
    """The form for a new password, in our words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {
            "oldpassword": _("Current password"),
            "password1": _("New password"),
            "password2": _("New password, again"),
        }
        for name, label in words.items():
            self.fields[name].label = label
            self.fields[name].widget.attrs.pop("placeholder", None)


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, for_customer: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (name, f"{label}: {may_do(name)}") for name, label in role_choices(for_customer)
        ]


def role_choices(for_customer: bool) -> list[tuple[str, str]]:
    """Return the roles of a customer's or an MSP's team."""
    return [(name, str(Role(name).label)) for name in (CUSTOMER_ROLES if for_customer else MSP_ROLES)]


def may_do(role: str) -> str:
    """Return in words what somebody of the role may do."""
    return str(MAY_DO[role])


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
