"""The codes of the second step: a wrong one stands in the log, since whoever types it knows the password."""

from typing import Any

from allauth.core import context as library_context
from allauth.mfa.base.forms import AuthenticateForm as LibraryAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as LibraryReauthenticateForm
from django.core.exceptions import ValidationError

from portal.core import audit
from portal.core.audit import Actor


class Noted:
    """A form that notes a code which does not fit; one that came too soon after others was not looked at."""

    user: Any

    def clean_code(self) -> str:
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError as error:
            if error.code == "incorrect_code":
                ip = library_context.request.META.get("REMOTE_ADDR", "")
                by = Actor(user_id=self.user.pk, email=self.user.email, ip=ip)
                audit.record(by, "login.second_step_failed", self.user)
            raise
        return code


class AuthenticateForm(Noted, LibraryAuthenticateForm):
    """Asked for between password and log-in."""


class ReauthenticateForm(Noted, LibraryReauthenticateForm):
    """Asked for again, before somebody changes how they log in."""
