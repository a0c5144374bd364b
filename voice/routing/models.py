from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import OuterRef, Q
from django.utils.translation import gettext_lazy as _

from voice.routing.choose import Order


class RouteQuerySet(models.QuerySet["Route"]):
    def in_dial_order(self) -> "RouteQuerySet":
        return self.order_by("is_default", "position", "pk")

    def with_trunks(self) -> "RouteQuerySet":
        return self.select_related("schedule").prefetch_related("trunks")

    def with_trunk_ids(self) -> "RouteQuerySet":
        """Read with each line its hours and, as `trunk_ids`, its trunks in order: one question to the database."""
        trunks = RouteTrunk.objects.filter(route=OuterRef("pk")).order_by("position").values("trunk_id")
        return self.select_related("schedule").annotate(trunk_ids=ArraySubquery(trunks))


class Schedule(models.Model):
    """Opening hours in the customer's time zone, less the dates that are closed."""

    name = models.TextField(_("name"))
    # [{"days": [0, 1], "begin": "09:00", "until": "17:00"}], Monday is 0; checked by services.save_schedule.
    windows = models.JSONField(_("hours"), default=list)
    closed = models.JSONField(_("closed dates"), default=list, blank=True)
    row_version = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "name", name="routing_schedule_name", violation_error_message=_("That name is taken.")
            ),
            models.CheckConstraint(
                name="routing_schedule_name_given",
                condition=~Q(name=""),
                violation_error_message=_("Give the hours a name."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Route(models.Model):
    """A line of the policy: calls to numbers that start with `prefix` leave by its trunks. The first match wins."""

    class Action(models.TextChoices):
        ROUTE = "route", _("Send to trunks")
        BLOCK = "block", _("Block")

    position = models.PositiveIntegerField(default=0)
    is_default = models.BooleanField(default=False)
    pattern = models.TextField(
        _("numbers that start with"), help_text=_("Such as +44* or +1-555-*; * is every number.")
    )
    prefix = models.TextField(blank=True, editable=False)
    caller_pattern = models.TextField(_("callers that start with"), blank=True, help_text=_("Blank is every caller."))
    caller_prefix = models.TextField(blank=True, editable=False)
    schedule = models.ForeignKey(
        Schedule, models.PROTECT, verbose_name=_("hours"), null=True, blank=True, related_name="routes"
    )
    action = models.TextField(_("what happens"), choices=Action, default=Action.ROUTE)
    trunk_order = models.TextField(
        _("order of the trunks"),
        choices=[
            (Order.LISTED.value, _("As listed here")),
            (Order.CHEAPEST.value, _("Cheapest first; trunks without a price for the number go last")),
            (Order.PRICED.value, _("Cheapest first; trunks without a price for the number are left out")),
        ],
        default=Order.LISTED.value,
    )
    enabled = models.BooleanField(_("in use"), default=True)
    note = models.TextField(_("note"), blank=True, max_length=200)
    row_version = models.PositiveIntegerField(default=0)
    config_version = models.BigIntegerField(default=0)

    objects = RouteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="routing_route_prefix_is_digits",
                condition=Q(prefix__regex=r"^[0-9]{0,15}$", caller_prefix__regex=r"^[0-9]{0,15}$"),
                violation_error_message=_("A pattern holds digits only, at most 15."),
            ),
            models.CheckConstraint(name="routing_route_action", condition=Q(action__in=["route", "block"])),
            models.CheckConstraint(
                name="routing_route_order", condition=Q(trunk_order__in=[each.value for each in Order])
            ),
            models.UniqueConstraint("is_default", condition=Q(is_default=True), name="routing_route_one_default"),
            models.CheckConstraint(
                name="routing_route_default_is_plain",
                condition=Q(is_default=False) | Q(prefix="", caller_prefix="", schedule=None, enabled=True),
                violation_error_message=_("The last line takes everything else, at any hour."),
            ),
        ]

    def __str__(self) -> str:
        return str(_("Everything else")) if self.is_default else self.pattern


class RouteTrunk(models.Model):
    """One of a route's trunks, in the order they are tried; `trunk_id` is a public id without a constraint."""

    route = models.ForeignKey(Route, models.CASCADE, related_name="trunks")
    trunk_id = models.BigIntegerField()
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint("route", "trunk_id", name="routing_routetrunk_once"),
            models.UniqueConstraint("route", "position", name="routing_routetrunk_position"),
        ]
