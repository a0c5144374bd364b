"""Who may do what: users, memberships, invitations, API tokens, and MSP staff acting as a customer."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.models.customer import Customer
from tenants.models.platform import Msp


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **facts: Any) -> "User":
        user = self.model(email=email.strip().lower(), **facts)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person who logs in, known by e-mail address across the installation."""

    class Theme(models.TextChoices):
        SYSTEM = "system", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail address"))
    name = models.TextField(_("name"), blank=True, validators=[MaxLengthValidator(200)])
    language = models.CharField(_("language"), max_length=10, default="en")
    time_zone = models.TextField(_("time zone"), default="UTC")
    theme = models.CharField(_("theme"), max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    is_operator = models.BooleanField(default=False, editable=False)
    is_active = models.BooleanField(default=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []  # type: ignore[misc]

    # Read along with whom a session names, for that one request.
    membership_here: "Membership | None" = None

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="tenants_user_email_once",
                violation_error_message=_("Somebody uses this e-mail address already."),
            ),
            models.CheckConstraint(name="tenants_user_email_lower", condition=Q(email=Lower("email"))),
        ]

    def __str__(self) -> str:
        return self.name or self.email


class Role(models.TextChoices):
    """The roles of each place; the operator's is `User.is_operator` and has no membership."""

    OWNER = "owner", _("Owner")
    ENGINEER = "engineer", _("Engineer")
    BILLING = "billing", _("Billing")
    SUPPORT = "support", _("Support")
    ADMIN = "admin", _("Administrator")
    VOICE_MANAGER = "voice_manager", _("Voice manager")
    BILLING_CONTACT = "billing_contact", _("Billing contact")
    VIEWER = "viewer", _("Viewer")


MSP_ROLES = ("owner", "engineer", "billing", "support")
CUSTOMER_ROLES = ("admin", "voice_manager", "billing_contact", "viewer")
# Exactly one of the two places, and a role that exists there.
ONE_PLACE = Q(msp__isnull=False, tenant__isnull=True, role__in=MSP_ROLES) | Q(
    msp__isnull=True, tenant__isnull=False, role__in=CUSTOMER_ROLES
)


class Membership(models.Model):
    """A user's role at one MSP or at one customer."""

    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    msp = models.ForeignKey(Msp, models.PROTECT, null=True, blank=True, related_name="memberships")
    tenant = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="memberships")
    role = models.TextField(_("role"), choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    row_version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="tenants_membership_one_place", condition=ONE_PLACE),
            models.UniqueConstraint(
                fields=["user", "msp"], condition=Q(msp__isnull=False), name="tenants_membership_msp_once"
            ),
            models.UniqueConstraint(
                fields=["user", "tenant"], condition=Q(tenant__isnull=False), name="tenants_membership_tenant_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"


class Invitation(models.Model):
    """A mailed link that lets one person join one team once; only a hash of its secret is kept."""

    email = models.EmailField(_("e-mail address"))
    msp = models.ForeignKey(Msp, models.PROTECT, null=True, blank=True, related_name="invitations")
    tenant = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="invitations")
    role = models.TextField(_("role"), choices=Role.choices)
    token_hash = models.TextField(editable=False)
    invited_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, editable=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="tenants_invitation_one_place", condition=ONE_PLACE),
            models.UniqueConstraint(fields=["token_hash"], name="tenants_invitation_token_once"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def place(self) -> Msp | Customer:
        """The team that it opens."""
        found = self.tenant or self.msp
        assert found is not None
        return found


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def in_state(self, state: str) -> "ApiTokenQuerySet":
        """Return the tokens of which `state` says so now."""
        if state == "revoked":
            return self.filter(revoked_at__isnull=False)
        is_over = Q(expires_at__lte=timezone.now())
        return self.filter(is_over if state == "expired" else ~is_over, revoked_at=None)


class ApiToken(models.Model):
    """A secret by which a program acts for its user in one place; shown once, kept as a hash.

    With neither MSP nor customer the place is the operator's console.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="api_tokens")
    msp = models.ForeignKey(Msp, models.PROTECT, null=True, blank=True, related_name="api_tokens")
    tenant = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="api_tokens")
    name = models.TextField(_("name"), validators=[MaxLengthValidator(200)])
    hint = models.CharField(max_length=12, editable=False)
    token_hash = models.TextField(editable=False)
    # The token with which a program made this one; without a constraint, since each is erased in its own time.
    made_with = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, db_constraint=False, related_name="made", editable=False
    )
    scopes = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tenants_apitoken_one_place",
                condition=Q(msp__isnull=True) | Q(tenant__isnull=True),
            ),
            models.UniqueConstraint(fields=["token_hash"], name="tenants_apitoken_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """What the token is worth now: active, revoked or expired."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.expires_at > timezone.now() else "expired"


class Acting(models.Model):
    """One stay of MSP staff in a customer's portal: by whom, why, from when to when."""

    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    msp = models.ForeignKey(Msp, models.PROTECT, related_name="+")
    tenant = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    host = models.TextField()
    reason = models.TextField(_("reason"))
    token_hash = models.TextField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    token_expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], name="tenants_acting_token_once"),
            models.CheckConstraint(
                name="tenants_acting_reason_given",
                condition=~Q(reason=""),
                violation_error_message=_("Say why you act as this customer."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.tenant}: {self.reason}"
