"""What the operator and the MSPs own: regions, MSPs, base domains."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Versioned(models.Model):
    """A scope of configuration: the version that is wanted and the one that every SBC node runs."""

    config_version = models.PositiveBigIntegerField(default=0, editable=False)
    live_version = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

    @property
    def is_live(self) -> bool:
        return self.live_version >= self.config_version


class Region(Versioned):
    """A place where SBC nodes stand, and the networks that trunks and Microsoft may use there."""

    name = models.TextField(_("name"), validators=[MaxLengthValidator(200)])
    slug = models.TextField(_("short name"))
    allowed_networks = ArrayField(models.TextField(), verbose_name=_("allowed networks"), default=list, blank=True)
    denied_networks = ArrayField(models.TextField(), verbose_name=_("denied networks"), default=list, blank=True)
    microsoft_names = models.JSONField(_("Microsoft's signalling names"), default=list, blank=True)
    microsoft_networks = models.JSONField(_("Microsoft's networks"), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["slug"],
                name="tenants_region_slug_once",
                violation_error_message=_("Another region has this short name."),
            ),
            models.CheckConstraint(
                name="tenants_region_slug_shape",
                condition=models.Q(slug__regex=r"^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$"),
                violation_error_message=_("Use up to 30 lower-case letters, digits and hyphens."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Msp(Versioned):
    """A managed service provider: sells Teams calling to its customers under its own brand."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")

    name = models.TextField(_("name"), validators=[MaxLengthValidator(200)])
    slug = models.TextField(_("short name"), help_text=_("Becomes the first part of the console's address."))
    state = models.TextField(_("state"), choices=State.choices, default=State.ACTIVE, editable=False)
    support_email = models.EmailField(_("support e-mail"), blank=True)
    support_phone = models.TextField(_("support phone"), blank=True, validators=[MaxLengthValidator(40)])
    longest_call_minutes = models.PositiveIntegerField(
        _("longest call of customers without one of their own"),
        null=True,
        blank=True,
        help_text=_("In minutes: the SBC ends longer calls, except emergency calls. Empty is 12 hours."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tenants_msp_longest_call",
                condition=models.Q(longest_call_minutes=None) | models.Q(longest_call_minutes__range=(1, 720)),
                violation_error_message=_("A call may last from 1 to 720 minutes, which is 12 hours."),
            ),
            models.UniqueConstraint(
                fields=["slug"],
                name="tenants_msp_slug_once",
                violation_error_message=_("Another MSP has this short name."),
            ),
            models.CheckConstraint(
                name="tenants_msp_slug_shape",
                condition=models.Q(slug__regex=r"^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$"),
                violation_error_message=_("Use up to 30 lower-case letters, digits and hyphens."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BaseDomain(models.Model):
    """A name of an MSP in a region, verified in its carrier tenant; customers' SBC names are one label below it."""

    msp = models.ForeignKey(Msp, models.PROTECT, related_name="base_domains")
    region = models.ForeignKey(Region, models.PROTECT, related_name="base_domains", verbose_name=_("region"))
    fqdn = models.TextField(_("base domain"), help_text=_("For example sbc.provider.example."))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fqdn"],
                name="tenants_basedomain_fqdn_once",
                violation_error_message=_("This base domain is in use already."),
            ),
            models.UniqueConstraint(
                fields=["msp", "region"],
                name="tenants_basedomain_once_a_region",
                violation_error_message=_("The MSP has a base domain in this region already."),
            ),
            models.CheckConstraint(
                name="tenants_basedomain_shape",
                # 48 characters for a customer's whole name, 9 of them the label and 1 the dot.
                condition=models.Q(
                    fqdn__regex=r"^(?=.{4,38}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$"
                ),
                violation_error_message=_("Use a lower-case domain name of at most 38 characters."),
            ),
        ]

    def __str__(self) -> str:
        return self.fqdn
