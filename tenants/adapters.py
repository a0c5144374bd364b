"""How allauth behaves here: a log-in counts only where the person belongs; nobody joins without an invitation."""

from functools import cache
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.joined import Joined
from portal.db import contexts
from tenants import mail
from tenants.identity import roles_in
from tenants.models import Membership, User

# What the library tells a person of by mail, as the audit log names it.
TOLD = {"totp_activated": "second_step_set_up", "totp_deactivated": "second_step_removed"}


class Backend(AuthenticationBackend):
    """allauth's way in; whom a session names is asked on every request, so that question is worded once."""

    def get_user(self, user_id: Any) -> User | None:
        """Return whom a session names, together with their membership in the place whose context is in force."""
        here = contexts.current()
        found = _user_question().first(here.tenant, here.msp, user_id)
        if found is None:
            return None
        user: User = found[0]
        user.membership_here = found[1]
        return user if self.user_can_authenticate(user) else None


@cache
def _user_question() -> Joined:
    # A user has one membership in a place at most, so this stays one row.
    return Joined(
        "tenants_user LEFT JOIN tenants_membership ON tenants_membership.user_id = tenants_user.id"
        " AND (tenants_membership.tenant_id = %s OR tenants_membership.msp_id = %s) WHERE tenants_user.id = %s",
        User, Membership,
    )  # fmt: skip


class AccountAdapter(DefaultAccountAdapter):
    """Log-in by e-mail address, only for people with a role at this host."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("This address and this password do not belong together. Look at both."),
        "too_many_login_attempts": _("Too many wrong tries. Wait five minutes, or set a new password."),
        "incorrect_password": _("This is not your password."),
        "rate_limited": _("Too many tries in a short time. Wait a minute."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        user = super().authenticate(request, **credentials)
        # The same words and the same work as for a wrong password: who belongs elsewhere learns nothing here.
        if user is not None and not roles_in(user, request.place, request.msp, request.tenant):  # type: ignore[attr-defined]
            self.authentication_failed(request, **credentials)
            return None
        return user

    def reauthenticate(self, user: User, password: str) -> bool:
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> Any:
        response = super().post_login(request, user, **kwargs)
        audit.record(_actor(request, user), "login.succeeded", user)
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        super().authentication_failed(request, **credentials)
        who = str(credentials.get("email") or credentials.get("username") or "")[:254]
        audit.record(Actor(email=who, ip=request.META.get("REMOTE_ADDR", "")), "login.failed")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        name = template_prefix.rpartition("/")[2]
        facts = {**context, "host": self.request.host}
        # Whoever asks for a new password is not known yet, and must not learn who has an account here.
        send = mail.send_aside if name == "password_reset_key" else mail.send
        send(f"tenants/mail/{name}", email, facts, brand=self.request.brand)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tell somebody, and whoever reads the log of this place, that how they log in was changed."""
        name = template_prefix.rpartition("/")[2]
        audit.record(_actor(self.request, user), f"login.{TOLD.get(name, name)}", user)
        super().send_notification_mail(template_prefix, user, context, email or user.email)

    def get_client_ip(self, request: HttpRequest) -> str:
        # daphne puts the client's address here, also from behind a proxy that it was told to trust.
        return str(request.META.get("REMOTE_ADDR", ""))


class MfaAdapter(DefaultMFAAdapter):
    """Codes of the second step are named after the brand whose page shows them."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code does not fit. Type the one that the app shows now."),
    }

    def get_totp_issuer(self) -> str:
        brand = getattr(self.request, "brand", None)
        return brand.name if brand else mail.PLATFORM

    def get_totp_label(self, user: Any) -> str:
        return str(user.email)

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SECRET_BOX_KEYS])


def _actor(request: HttpRequest, user: User) -> Actor:
    return Actor(user_id=user.pk, email=user.email, ip=request.META.get("REMOTE_ADDR", ""))
