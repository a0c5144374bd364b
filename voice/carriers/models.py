"""Carriers and the trunks to them: an MSP's own, and those that customers bring."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from portal.core.dated import Dated, DatedQuerySet
from portal.core.fields import EncryptedTextField


class Carrier(models.Model):
    """A company that carries an MSP's calls."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="carriers")
    name = models.TextField(_("name"), max_length=80)
    contact = models.TextField(_("support contact"), max_length=200, blank=True)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "msp",
                Lower("name"),
                name="carriers_carrier_name_once",
                violation_error_message=_("You already have a carrier with this name."),
            ),
            models.CheckConstraint(
                name="carriers_carrier_has_name",
                condition=~Q(name=""),
                violation_error_message=_("Give the carrier a name."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TrunkQuerySet(models.QuerySet["Trunk"]):
    def open(self) -> "TrunkQuerySet":
        return self.filter(closed_at=None)

    def shared(self) -> "TrunkQuerySet":
        return self.filter(tenant=None)

    def in_name_order(self) -> "TrunkQuerySet":
        return self.order_by(Lower("name"), "pk")


class Trunk(models.Model):
    """A SIP line to a carrier: shared by the MSP with chosen customers, or one customer's own."""

    class Transport(models.TextChoices):
        UDP = "udp", _("UDP")
        TCP = "tcp", _("TCP")

    class Auth(models.TextChoices):
        IP = "ip", _("By address")
        DIGEST = "digest", _("User name and password")

    class ForwardedCaller(models.TextChoices):
        ORIGINAL = "original", _("Show the original caller")
        OWN = "own", _("Show your own number")

    class Health(models.TextChoices):
        UP = "up", _("Answering")
        DOWN = "down", _("Not answering")
        UNKNOWN = "unknown", _("Not checked yet")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="trunks")
    carrier = models.ForeignKey(
        Carrier, models.PROTECT, null=True, blank=True, related_name="trunks", verbose_name=_("carrier")
    )
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, null=True, blank=True, related_name="own_trunks")
    name = models.TextField(_("name"), max_length=80)
    host = models.TextField(_("host"), max_length=253)
    port = models.PositiveIntegerField(
        _("port"), default=5060, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    transport = models.TextField(_("transport"), choices=Transport, default=Transport.UDP)
    auth = models.TextField(_("authentication"), choices=Auth, default=Auth.IP)
    username = models.TextField(_("user name"), max_length=128, blank=True)
    password = EncryptedTextField(_("password"), blank=True, default="")
    # Raised by each new password: what the SBCs are to hold says which one it is without saying what it is.
    password_version = models.PositiveIntegerField(default=0, editable=False)
    realm = models.TextField(_("realm"), max_length=128, blank=True)
    source_addresses = models.JSONField(_("source addresses"), default=list, blank=True)
    channels = models.PositiveIntegerField(_("calls at a time"), default=0, validators=[MaxValueValidator(100_000)])
    cps = models.PositiveIntegerField(_("new calls per second"), default=0, validators=[MaxValueValidator(10_000)])
    forwarded_caller = models.TextField(_("forwarded calls"), choices=ForwardedCaller, default=ForwardedCaller.ORIGINAL)
    enabled = models.BooleanField(_("in use"), default=True)
    approved = models.BooleanField(default=True, editable=False)
    health = models.TextField(choices=Health, default=Health.UNKNOWN, editable=False)
    health_code = models.PositiveIntegerField(null=True, editable=False)
    health_since = models.DateTimeField(null=True, editable=False)
    health_checked = models.DateTimeField(null=True, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    config_version = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, editable=False)

    objects = TrunkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "msp",
                "tenant",
                Lower("name"),
                name="carriers_trunk_name_once",
                nulls_distinct=False,
                condition=Q(closed_at=None),
                violation_error_message=_("There is already a trunk with this name."),
            ),
            models.CheckConstraint(
                name="carriers_trunk_has_name",
                condition=~Q(name=""),
                violation_error_message=_("Give the trunk a name."),
            ),
            # The host travels to the SBC in a `k=v;k=v` list and into a SIP URI: nothing but host characters.
            models.CheckConstraint(
                name="carriers_trunk_host_is_host",
                condition=Q(host__regex=r"^([0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$"),
                violation_error_message=_("Enter an IP address or a host name, for example sip.carrier.example."),
            ),
            models.CheckConstraint(
                name="carriers_trunk_port_range",
                condition=Q(port__gte=1, port__lte=65535),
                violation_error_message=_("Ports go from 1 to 65535."),
            ),
            models.CheckConstraint(
                name="carriers_trunk_transport_known",
                condition=Q(transport__in=["udp", "tcp"]),
                violation_error_message=_("Choose UDP or TCP."),
            ),
            models.CheckConstraint(
                name="carriers_trunk_digest_has_user",
                condition=~Q(auth="digest", username=""),
                violation_error_message=_("Enter the user name that the carrier gave you."),
            ),
            models.CheckConstraint(
                name="carriers_trunk_closed_is_off",
                condition=Q(closed_at=None) | Q(enabled=False),
                violation_error_message=_("A closed trunk cannot be in use."),
            ),
        ]
        indexes = [models.Index(fields=["tenant"], name="carriers_trunk_tenant")]

    def __str__(self) -> str:
        return self.name

    @property
    def gateway(self) -> str:
        """The trunk's name on the SBC and in call records."""
        return f"g{self.pk}"


class TrunkGrant(Dated):
    """The time for which one customer may use an MSP's shared trunk."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    trunk = models.ForeignKey(Trunk, models.CASCADE, related_name="grants")
    tenant = models.ForeignKey("tenants.Customer", models.CASCADE, related_name="trunk_grants")

    objects = DatedQuerySet.as_manager()

    class Meta:
        # No two at a time for one customer: carriers_trunkgrant_no_overlap, in the migration.
        indexes = [models.Index(fields=["tenant"], name="carriers_grant_tenant")]

    def __str__(self) -> str:
        return f"{self.trunk_id} → {self.tenant_id}"


class EmergencyTrunkQuerySet(models.QuerySet["EmergencyTrunk"]):
    def in_order(self) -> "EmergencyTrunkQuerySet":
        return self.order_by("country", "position", "pk")


class EmergencyTrunk(models.Model):
    """A line of the MSP's emergency list: in this country, emergency calls try this trunk at this position."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="emergency_trunks")
    country = models.TextField(_("country"), max_length=2)
    trunk = models.ForeignKey(Trunk, models.PROTECT, related_name="emergency_lines", verbose_name=_("trunk"))
    position = models.PositiveIntegerField(default=0)

    objects = EmergencyTrunkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["msp", "country", "trunk"],
                name="carriers_emergency_trunk_once",
                violation_error_message=_("This trunk is already on the country's list."),
            ),
            models.CheckConstraint(
                name="carriers_emergency_country_code",
                condition=Q(country__regex=r"^[A-Z]{2}$"),
                violation_error_message=_("Choose a country."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.position}: {self.trunk_id}"


class EmergencyCover(models.Model):
    """What a customer's newest configuration dials for help in a country: over which trunks, and whether anybody can.

    As it was compiled: an MSP cannot look into its customers' own lists and numbers, nor should it for a page.
    """

    msp = models.ForeignKey("tenants.Msp", models.CASCADE, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.CASCADE, related_name="emergency_covers")
    country = models.TextField(max_length=2)
    trunks = ArrayField(models.BigIntegerField(), default=list)
    has_callers = models.BooleanField(default=False)  # some number of the customer's is in use

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "country"], name="carriers_emergencycover_once")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.country}"


class BlockedPrefix(models.Model):
    """Digits that no customer of the MSP may call, whatever its own policy says."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="blocked_prefixes")
    prefix = models.TextField(_("prefix"), max_length=15)
    note = models.TextField(_("note"), max_length=200, blank=True)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["msp", "prefix"],
                name="carriers_blocked_prefix_once",
                violation_error_message=_("This prefix is already blocked."),
            ),
            models.CheckConstraint(
                name="carriers_blocked_prefix_is_digits",
                condition=Q(prefix__regex=r"^[1-9][0-9]{0,14}$"),
                violation_error_message=_("Enter the 1 to 15 digits that the numbers start with, such as +882."),
            ),
        ]

    def __str__(self) -> str:
        return f"+{self.prefix}"
