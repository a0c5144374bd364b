"""What an MSP was asked and reckons with; the advice itself is computed from it each time."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from voice.advisor import advice, ways

MOST_PEOPLE = 1_000_000
MOST_MINUTES = 50_000


class Assessment(models.Model):
    """A question of one customer, or of somebody who may become one: which way to the telephone network?"""

    class Goal(models.TextChoices):
        MARGIN = advice.Goal.MARGIN.value, _("The largest margin for you")
        PRICE = advice.Goal.PRICE.value, _("The lowest price for the customer")
        SPEED = advice.Goal.SPEED.value, _("The soonest first call")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="assessments")
    tenant = models.ForeignKey(
        "tenants.Customer", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("customer")
    )
    name = models.TextField(_("for whom"), validators=[MaxLengthValidator(120)])
    currency = models.TextField(_("currency"), default="EUR")
    goal = models.TextField(_("what counts most"), choices=Goal, default=Goal.MARGIN)
    weeks = models.PositiveSmallIntegerField(
        _("weeks until the first call"), null=True, blank=True, validators=[MaxValueValidator(520)]
    )
    needs = ArrayField(models.TextField(), verbose_name=_("needs"), default=list, blank=True)
    note = models.TextField(_("note"), blank=True, validators=[MaxLengthValidator(1000)])
    # Only what differs from the first values, so that a better first value reaches old assessments, too.
    assumptions = models.JSONField(default=dict, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["msp", "-changed_at"], name="advisor_assessment_newest")]
        constraints = [
            models.CheckConstraint(
                name="advisor_assessment_has_name",
                condition=~Q(name=""),
                violation_error_message=_("Say for whom this is."),
            ),
            models.CheckConstraint(
                name="advisor_assessment_currency",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                violation_error_message=_("Use a currency code of three letters, for example EUR."),
            ),
            models.CheckConstraint(
                name="advisor_assessment_goal", condition=Q(goal__in=[goal.value for goal in advice.Goal])
            ),
            models.CheckConstraint(
                name="advisor_assessment_needs_known",
                condition=Q(needs__contained_by=[need.value for need in ways.Need]),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class UserGroup(models.Model):
    """Some people, or devices, of an assessment; minutes are those of one of them in a month."""

    class Profile(models.TextChoices):
        OFFICE = ways.Profile.OFFICE.value, ways.PROFILES[ways.Profile.OFFICE]
        FRONTLINE = ways.Profile.FRONTLINE.value, ways.PROFILES[ways.Profile.FRONTLINE]
        MOBILE = ways.Profile.MOBILE.value, ways.PROFILES[ways.Profile.MOBILE]
        DEVICE = ways.Profile.DEVICE.value, ways.PROFILES[ways.Profile.DEVICE]

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="groups")
    position = models.PositiveSmallIntegerField()
    country = models.TextField(_("country"))
    profile = models.TextField(_("who"), choices=Profile, default=Profile.OFFICE)
    people = models.PositiveIntegerField(
        _("how many"), validators=[MinValueValidator(1), MaxValueValidator(MOST_PEOPLE)]
    )
    domestic = models.PositiveIntegerField(
        _("domestic minutes"), default=150, validators=[MaxValueValidator(MOST_MINUTES)]
    )
    international = models.PositiveIntegerField(
        _("international minutes"), default=10, validators=[MaxValueValidator(MOST_MINUTES)]
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assessment", "position"], name="advisor_group_position_once"),
            models.CheckConstraint(
                name="advisor_group_country",
                condition=Q(country__regex=r"^[A-Z]{2}$"),
                violation_error_message=_("Use a country code of two letters, for example DE."),
            ),
            models.CheckConstraint(
                name="advisor_group_people",
                condition=Q(people__gte=1, people__lte=MOST_PEOPLE),
                violation_error_message=_("Say how many there are."),
            ),
            models.CheckConstraint(
                name="advisor_group_minutes",
                condition=Q(domestic__lte=MOST_MINUTES, international__lte=MOST_MINUTES),
                violation_error_message=_("Nobody talks that much in a month."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country}, {self.people}"


class FirstValues(models.Model):
    """An MSP's own first values for its assumptions: what each new assessment begins with."""

    msp = models.OneToOneField("tenants.Msp", models.PROTECT, related_name="first_values")
    assumptions = models.JSONField(default=dict)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return str(self.msp)
