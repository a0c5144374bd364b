"""What the customer does with the numbers that it holds."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.core.dated import Dated, DatedQuerySet
from portal.core.fields import E164Field
from voice.inventory.selectors import HeldByAnother


class NumberQuerySet(models.QuerySet["Number"]):
    def active(self) -> "NumberQuerySet":
        return self.filter(state=Number.State.ACTIVE)

    def in_number_order(self) -> "NumberQuerySet":
        return self.order_by("e164")


class Number(models.Model):
    """A telephone number of the customer: who rings when it is called, and where help is sent to."""

    class State(models.TextChoices):
        INACTIVE = "inactive", _("Not active")
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")

    class Inbound(models.TextChoices):
        TEAMS = "teams", _("Microsoft Teams")
        TRUNK = "trunk", _("A trunk")
        REFUSE = "refuse", _("Refuse calls")

    e164 = E164Field(_("number"))
    # The MSP's stock is in the public schema: a plain id, no constraint (design D5).
    stock_id = models.BigIntegerField()
    country = models.TextField(_("country"), max_length=2)
    label = models.TextField(_("label"), max_length=80, blank=True)
    state = models.TextField(_("state"), choices=State, default=State.INACTIVE)
    inbound = models.TextField(_("calls to this number"), choices=Inbound, default=Inbound.TEAMS)
    inbound_trunk = models.IntegerField(_("trunk"), null=True, blank=True)
    place = models.ForeignKey(
        "directory.Place",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="numbers",
        verbose_name=_("emergency location"),
    )
    person = models.ForeignKey(
        "directory.Person", models.SET_NULL, null=True, blank=True, related_name="numbers", verbose_name=_("person")
    )
    config_version = models.PositiveBigIntegerField(default=0, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    allocated_at = models.DateTimeField(auto_now_add=True)

    objects = NumberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["e164"],
                name="numbers_number_e164_once",
                violation_error_message=_("You already have this number."),
            ),
            models.UniqueConstraint(
                fields=["stock_id"],
                name="numbers_number_stock_once",
                violation_error_message=_("You already have this number."),
            ),
            models.CheckConstraint(
                name="numbers_number_trunk_named",
                condition=Q(inbound="trunk", inbound_trunk__isnull=False)
                | (~Q(inbound="trunk") & Q(inbound_trunk=None)),
                violation_error_message=_("Choose the trunk that takes the calls."),
            ),
        ]
        indexes = [models.Index(fields=["state", "e164"], name="numbers_number_state_e164")]

    def __str__(self) -> str:
        return self.e164

    def clean(self) -> None:
        # The database holds the same; said here, it stands at the field that it is about.
        if self.inbound == self.Inbound.TRUNK and self.inbound_trunk is None:
            raise ValidationError({"inbound_trunk": _("Choose the trunk that takes the calls.")})


class Seat(Dated):
    """The time for which a person had an active number: what a fee for each user is asked for.

    Number and person are plain ids: both may be gone before the month is billed. The number itself stands beside its
    id, to know whose calls those were; it is unknown of a number that was given back before that was noted.
    """

    stock_id = models.BigIntegerField()
    e164 = E164Field(_("number"), null=True, editable=False)
    person_id = models.BigIntegerField()

    objects = DatedQuerySet.as_manager()

    class Meta:
        # No two at a time for one number: numbers_seat_no_overlap, in the migration.
        indexes = [models.Index(fields=["stock_id", "-since"], name="numbers_seat_stock")]

    def __str__(self) -> str:
        return f"{self.stock_id} → {self.person_id}"


class ApprovedCallerIdQuerySet(models.QuerySet["ApprovedCallerId"]):
    def held_by_another(self) -> "ApprovedCallerIdQuerySet":
        """Those that have become the number of another customer here, of whichever MSP: nothing may show them."""
        return self.filter(HeldByAnother(F("e164")))

    def presentable(self) -> "ApprovedCallerIdQuerySet":
        """Those that calls may show."""
        return self.exclude(HeldByAnother(F("e164")))


class ApprovedCallerId(models.Model):
    """A number of somebody else that the customer may show as caller, with the proof that it may."""

    e164 = E164Field(_("number"))
    note = models.TextField(_("whose number it is"), max_length=200)
    evidence = models.TextField(_("proof"), max_length=1000)
    approved_by = models.TextField(editable=False, blank=True)
    approved_at = models.DateTimeField(auto_now_add=True)
    config_version = models.PositiveBigIntegerField(default=0, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    objects = ApprovedCallerIdQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["e164"],
                name="numbers_caller_id_once",
                violation_error_message=_("This number is already approved."),
            )
        ]

    def __str__(self) -> str:
        return self.e164
