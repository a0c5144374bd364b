"""A customer of an MSP, its names on the SBCs, and the hosts that lead to a portal."""

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_tenants.models import TenantMixin

from portal.core.dated import Dated, DatedQuerySet
from tenants.models.platform import BaseDomain, Msp, Region, Versioned

LABEL = r"^[a-z0-9]([a-z0-9-]{0,7}[a-z0-9])?$"
E164_OR_BLANK = r"^(\+[1-9][0-9]{6,14})?$"


class Customer(Versioned, TenantMixin):
    """A company that buys Teams calling: the owner of one schema, and one scope of configuration."""

    auto_create_schema = False  # services.create_customer does, from template SQL in the same transaction

    class State(models.TextChoices):
        CREATING = "creating", _("Being created")
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        CLOSING = "closing", _("Closing")
        CLOSED = "closed", _("Closed")

    class CallerIdPolicy(models.TextChoices):
        REPLACE = "replace", _("Replace by the default number")
        REFUSE = "refuse", _("Refuse the call")

    msp = models.ForeignKey(Msp, models.PROTECT, related_name="customers")
    base_domains = models.ManyToManyField(BaseDomain, through="CustomerRegion", related_name="customers")
    name = models.TextField(_("name"), validators=[MaxLengthValidator(200)])
    label = models.TextField(
        _("label"),
        validators=[
            RegexValidator(
                LABEL.replace("$", r"\Z"),
                _("Use 1 to 9 lower-case letters (a-z), digits and hyphens; no hyphen at the ends."),
            )
        ],
        help_text=_("Names the customer's portal and SBC name; lasts, and is never used again."),
    )
    country = models.CharField(_("country"), max_length=2)
    time_zone = models.TextField(_("time zone"), default="UTC")
    state = models.TextField(_("state"), choices=State.choices, default=State.CREATING, editable=False)
    cps = models.PositiveIntegerField(_("new calls a second"), default=5)
    channels = models.PositiveIntegerField(_("calls at the same time"), default=30)
    longest_call_minutes = models.PositiveIntegerField(
        _("longest call"),
        null=True,
        blank=True,
        help_text=_("The SBC ends longer calls, except emergency calls. Empty is what holds for all customers."),
    )
    caller_id_policy = models.TextField(
        _("when the caller ID is not the customer's"), choices=CallerIdPolicy.choices, default=CallerIdPolicy.REPLACE
    )
    default_caller_id = models.TextField(_("default caller ID"), blank=True)
    foreign_caller_id = models.BooleanField(_("approved foreign caller IDs may be used"), default=False)
    hide_numbers = models.BooleanField(
        _("hide the last 3 digits of numbers in call lists"), default=False, editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    retain_until = models.DateField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["msp", "label"],
                name="tenants_customer_label_once",
                violation_error_message=_(
                    "This label is or was used by another customer; labels are never used again."
                ),
            ),
            models.CheckConstraint(
                name="tenants_customer_label_shape",
                condition=Q(label__regex=LABEL),
                violation_error_message=_("Use 1 to 9 lower-case letters, digits and hyphens for the label."),
            ),
            models.CheckConstraint(
                name="tenants_customer_schema_shape", condition=Q(schema_name__regex=r"^c[0-9]{6,}$")
            ),
            models.CheckConstraint(
                name="tenants_customer_country_shape",
                condition=Q(country__regex=r"^[A-Z]{2}$"),
                violation_error_message=_("Choose a country."),
            ),
            models.CheckConstraint(
                name="tenants_customer_limits",
                condition=Q(cps__gte=1, cps__lte=1000, channels__gte=1, channels__lte=20000),
                violation_error_message=_("Allow 1 to 1,000 new calls a second and 1 to 20,000 calls at a time."),
            ),
            models.CheckConstraint(
                name="tenants_customer_longest_call",
                condition=Q(longest_call_minutes=None) | Q(longest_call_minutes__range=(1, 720)),
                violation_error_message=_("A call may last from 1 to 720 minutes, which is 12 hours."),
            ),
            models.CheckConstraint(
                name="tenants_customer_default_caller_id_shape",
                condition=Q(default_caller_id__regex=E164_OR_BLANK),
                violation_error_message=_("Write the default caller ID in international form, like +4930123456."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def regions(self) -> models.QuerySet[Region]:
        return Region.objects.filter(base_domains__in=self.base_domains.all())


class ChannelLimit(Dated):
    """The time for which a limit of calls held for a customer: what a fee for each channel is asked for."""

    msp = models.ForeignKey(Msp, models.PROTECT, related_name="+")
    tenant = models.ForeignKey(Customer, models.CASCADE, related_name="channel_limits")
    channels = models.PositiveIntegerField()

    objects = DatedQuerySet.as_manager()

    # No two at a time for one customer: tenants_channellimit_no_overlap, in the migration.

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.channels}"


class CustomerRegion(models.Model):
    """The name of one customer on the SBCs of one region; frozen, because Microsoft's side holds it too."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="customer_regions")
    base_domain = models.ForeignKey(BaseDomain, models.PROTECT, related_name="customer_regions")
    fqdn = models.TextField(_("SBC name"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["fqdn"], name="tenants_customerregion_fqdn_once"),
            models.UniqueConstraint(fields=["customer", "base_domain"], name="tenants_customerregion_once"),
            models.CheckConstraint(
                name="tenants_customerregion_fqdn_shape",
                condition=Q(fqdn__regex=r"^(?=.{4,48}$)[a-z0-9-]+(\.[a-z0-9-]+)+$"),
                violation_error_message=_("The whole SBC name may have at most 48 characters."),
            ),
        ]

    def __str__(self) -> str:
        return self.fqdn


class Domain(models.Model):
    """A host name that leads to a place: the operator console, an MSP's console or a customer's portal."""

    class Kind(models.TextChoices):
        OPERATOR = "operator", _("Operator console")
        MSP = "msp", _("MSP console")
        CUSTOMER = "customer", _("Customer portal")

    domain = models.TextField(_("host name"))
    kind = models.TextField(choices=Kind.choices)
    msp = models.ForeignKey(Msp, models.PROTECT, null=True, blank=True, related_name="domains")
    tenant = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="domains")
    is_primary = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["domain"],
                name="tenants_domain_once",
                violation_error_message=_("This host name is in use already."),
            ),
            models.CheckConstraint(
                name="tenants_domain_shape",
                condition=Q(
                    domain__regex=r"^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"
                ),
                violation_error_message=_("Use a lower-case host name without port."),
            ),
            models.CheckConstraint(
                name="tenants_domain_belongs",
                condition=Q(kind="operator", msp__isnull=True, tenant__isnull=True)
                | Q(kind="msp", msp__isnull=False, tenant__isnull=True)
                | Q(kind="customer", msp__isnull=False, tenant__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.domain
