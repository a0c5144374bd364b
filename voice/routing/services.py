"""Every write to a customer's routing policy."""

from collections.abc import Sequence
from datetime import date, time
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Q, Value
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core import audit
from portal.core.errors import StaleEdit
from portal.db.together import Kept, Together
from tenants.models import Customer
from tenants.scopes import config_changed
from voice.carriers.selectors import trunks_for
from voice.carriers.services import tells_uses
from voice.routing import patterns, selectors
from voice.routing.flatten import MOST_CALLER_PREFIXES, MOST_SCHEDULES
from voice.routing.models import Route, RouteTrunk, Schedule

MOST_TRUNKS = 8
MOST_CLOSED = 400  # dates; all hours of a policy travel in one row, which no SBC takes when it is too long


@transaction.atomic
def save_route(
    route: Route, trunk_ids: Sequence[int], *, customer: Customer, by: audit.Actor, seen: int | None = None
) -> Route:
    """Store a new or changed line of the policy with its trunks in order, and send it on its way to the SBCs.

    `seen` is the row version that the editor looked at. Raises ValidationError with messages meant for the user,
    StaleEdit when somebody else changed the line meanwhile.
    """
    config_version = config_changed(customer)
    stored = _seen(route, seen)
    if route.is_default:
        route.pattern, route.caller_pattern = patterns.ANY, ""
    route.pattern, route.prefix = _pattern(route.pattern, "pattern")
    if route.caller_pattern:
        route.caller_pattern, route.caller_prefix = _pattern(route.caller_pattern, "caller_pattern")
    else:
        route.caller_prefix = ""
    trunk_ids = list(dict.fromkeys(trunk_ids)) if route.action == Route.Action.ROUTE else []
    stored_ids = stored.trunk_ids if stored else []
    names = _names_of_trunks(route, trunk_ids, stored_ids, customer)
    if route.pk is None and not route.is_default:
        route.position = (Route.objects.aggregate(last=Max("position"))["last"] or 0) + 1
    route.config_version = config_version
    route.row_version += 1
    _store(route)
    if trunk_ids != stored_ids:
        route.trunks.all().delete()
        RouteTrunk.objects.bulk_create(
            RouteTrunk(route=route, trunk_id=trunk, position=place) for place, trunk in enumerate(trunk_ids)
        )
    _check_limits()
    before = _facts(stored, [names[pk] for pk in stored_ids]) if stored else {}
    after = _facts(route, [names[pk] for pk in trunk_ids])
    audit.record(by, "route.saved", route, before=before, after=after)
    return route


@transaction.atomic
def delete_route(route: Route, *, customer: Customer, by: audit.Actor) -> None:
    """Remove a line; the last line stays, it says what happens to everything else.

    Raises ValidationError, StaleEdit when somebody else changed the line since it was read.
    """
    config_changed(customer)
    _seen(route, route.row_version)
    if route.is_default:
        raise ValidationError(_("The last line can be changed, not removed: it says what happens to everything else."))
    before = _facts(route, selectors.trunk_names([trunk.trunk_id for trunk in route.trunks.all()]))
    audit.record(by, "route.deleted", route, before=before)
    route.delete()


@transaction.atomic
def move_route(route: Route, *, up: bool, customer: Customer, by: audit.Actor) -> Route:
    """Swap a line with its neighbour; at the edge nothing changes."""
    config_version = config_changed(customer)
    order = list(Route.objects.filter(is_default=False).in_dial_order())
    place = next((place for place, other in enumerate(order) if other.pk == route.pk), None)
    if place is None:
        raise ValidationError(_("The last line stays last."))
    other = place - 1 if up else place + 1
    if 0 <= other < len(order):
        order[place], order[other] = order[other], order[place]
        for position, line in enumerate(order, start=1):
            if line.position != position:
                changes = {"position": position, "config_version": config_version, "row_version": F("row_version") + 1}
                Route.objects.filter(pk=line.pk).update(**changes)
        audit.record(by, "route.moved", route, before={"place": place + 1}, after={"place": other + 1})
    route.refresh_from_db()
    return route


@transaction.atomic
def set_order(ids: Sequence[int], *, customer: Customer, by: audit.Actor, seen: Sequence[int] | None = None) -> None:
    """Put all lines in the given order.

    Raises StaleEdit when these are not the lines that there are now, or not in the order that was `seen`.
    """
    config_version = config_changed(customer)
    before = list(Route.objects.filter(is_default=False).in_dial_order().values_list("pk", flat=True))
    if sorted(before) != sorted(ids):
        raise StaleEdit(_("Somebody added or removed a line meanwhile. Look at the new order and try again."))
    if seen is not None and before != list(seen):
        raise StaleEdit(_("Somebody changed the order meanwhile. Look at the new order and try again."))
    for position, pk in enumerate(ids, start=1):
        Route.objects.filter(pk=pk).exclude(position=position).update(
            position=position, config_version=config_version, row_version=F("row_version") + 1
        )
    audit.record(by, "route.reordered", customer, before={"order": before}, after={"order": list(ids)})


@transaction.atomic
def save_schedule(schedule: Schedule, *, customer: Customer, by: audit.Actor, seen: int | None = None) -> Schedule:
    """Store opening hours; lines that use them follow on the SBCs.

    Raises ValidationError with messages meant for the user, StaleEdit when somebody else changed them meanwhile.
    """
    config_changed(customer)
    before = None
    if schedule.pk:
        before = _hours(_seen_schedule(schedule, seen))
    schedule.windows = check_windows(schedule.windows)
    schedule.closed = sorted({_iso_date(day) for day in schedule.closed})
    if len(schedule.closed) > MOST_CLOSED:
        raise ValidationError({"closed": _("Give at most %(n)d closed dates.") % {"n": MOST_CLOSED}})
    schedule.row_version += 1
    schedule.full_clean()
    schedule.save()
    audit.record(by, "schedule.saved", schedule, before=before, after=_hours(schedule))
    return schedule


@transaction.atomic
def delete_schedule(schedule: Schedule, *, customer: Customer, by: audit.Actor) -> None:
    """Remove opening hours that no line uses.

    Raises ValidationError, StaleEdit when somebody else changed them since they were read.
    """
    if schedule.routes.exists():
        raise ValidationError(_("A line of the policy uses these hours. Change the line first."))
    config_changed(customer)
    _seen_schedule(schedule, schedule.row_version)
    audit.record(by, "schedule.deleted", schedule, before=_hours(schedule))
    schedule.delete()


def check_windows(windows: Any) -> list[dict[str, Any]]:
    """Return the windows in their stored shape; raises ValidationError naming the one that is wrong."""
    if not isinstance(windows, list) or not windows or len(windows) > 21:
        raise ValidationError({"windows": _("Give at least one time of the week, at most 21.")})
    checked = []
    for window in windows:
        try:
            days = sorted({int(day) for day in window["days"]})
            begin, until = time.fromisoformat(window["begin"]), time.fromisoformat(window["until"])
        except (KeyError, TypeError, ValueError):
            raise ValidationError({"windows": _("Write times as 09:00, and choose days.")})
        if not days or days[0] < 0 or days[-1] > 6:
            raise ValidationError({"windows": _("Choose at least one day for each time.")})
        checked.append({"days": days, "begin": f"{begin:%H:%M}", "until": f"{until:%H:%M}"})
    return checked


@tells_uses
def uses_of_trunk(trunk_id: int) -> list[str]:
    """Return in words how many lines of the current customer's policy name the trunk."""
    lines = RouteTrunk.objects.filter(trunk_id=trunk_id).count()
    words = ngettext("%(lines)d line of the routing", "%(lines)d lines of the routing", lines)
    return [words % {"lines": lines}] if lines else []


def _iso_date(text: Any) -> str:
    try:
        return date.fromisoformat(str(text).strip()).isoformat()
    except ValueError:
        raise ValidationError({"closed": _("Write closed dates as 2026-12-24.")})


def _pattern(text: str, field: str) -> tuple[str, str]:
    try:
        pattern = patterns.normalise(text)
    except ValidationError as error:
        raise ValidationError({field: error})
    return pattern, patterns.prefix(pattern)


def _store(route: Route) -> None:
    """Store a line; what the database refuses comes back in words for the user."""
    route.full_clean(validate_constraints=False)
    try:
        with transaction.atomic():
            route.save()
    except IntegrityError:
        # Which constraint, and its words: Django asks the database once for each, so not before it is needed.
        route.full_clean()
        raise


def _names_of_trunks(
    route: Route, trunk_ids: Sequence[int], stored_ids: Sequence[int], customer: Customer
) -> dict[int, str]:
    """Return the names of the trunks that a line had and gets; raises ValidationError where it may not get one."""
    if route.action == Route.Action.ROUTE and not trunk_ids:
        raise ValidationError({"action": _("Choose at least one trunk, or block these calls.")})
    if len(trunk_ids) > MOST_TRUNKS:
        raise ValidationError({"action": _("A line tries at most %(n)d trunks.")}, params={"n": MOST_TRUNKS})
    named = {*trunk_ids, *stored_ids}
    read = _usable().ask(customer=customer.pk, msp=customer.msp_id)["trunks"] if named else ()
    usable = {row["pk"]: row["name"] for row in read}
    if set(trunk_ids) - usable.keys():
        raise ValidationError({"action": _("One of the trunks is not there any more. Choose another.")})
    gone = sorted(named - usable.keys())
    return usable | dict(zip(gone, selectors.trunk_names(gone), strict=True)) if gone else usable


@cache
def _usable() -> Together:
    return Together({"trunks": trunks_for(Customer(pk=-1, msp_id=-2)).values("pk", "name")}, customer=-1, msp=-2)


def _check_limits() -> None:
    used = next(iter(_used().ask()["by_lines"]), {"callers": 0, "schedules": 0})
    if used["callers"] > MOST_CALLER_PREFIXES:
        raise ValidationError(
            {"caller_pattern": _("A policy can tell three groups of callers apart. Use one of them.")}
        )
    if used["schedules"] > MOST_SCHEDULES:
        raise ValidationError({"schedule": _("A policy can use three different hours. Use one of them.")})


@cache
def _used() -> Together:
    lines = Route.objects.filter(enabled=True).values(all=Value(1))
    callers = Count("caller_prefix", distinct=True, filter=~Q(caller_prefix=""))
    counted = lines.annotate(callers=callers, schedules=Count("schedule_id", distinct=True))
    return Together({"by_lines": counted.values("callers", "schedules")})


def _seen(route: Route, seen: int | None) -> Any:
    """Return the line as it is stored, None where it is new."""
    if route.pk is None:
        return None
    stored = next(iter(_stored().ask(id=route.pk)), None)
    if stored is None or (seen is not None and stored.row_version != seen):
        raise StaleEdit(route)
    route.row_version = stored.row_version
    return stored


@cache
def _stored() -> Kept[Route]:
    return Kept(Route.objects.with_trunk_ids().select_related(None).filter(pk=-1), id=-1)


def _seen_schedule(schedule: Schedule, seen: int | None) -> Schedule:
    stored = Schedule.objects.filter(pk=schedule.pk).first()
    if stored is None or (seen is not None and stored.row_version != seen):
        raise StaleEdit(_("Somebody changed these hours meanwhile. Look at them as they are now."))
    schedule.row_version = stored.row_version
    return stored


def _hours(schedule: Schedule) -> dict[str, Any]:
    return {"name": schedule.name, "windows": schedule.windows, "closed": schedule.closed}


def _facts(route: Route, trunks: Sequence[str]) -> dict[str, Any]:
    return {
        "pattern": route.pattern,
        "callers": route.caller_pattern,
        "hours": str(route.schedule or ""),
        "action": route.action,
        "trunks": list(trunks),
        "order": route.trunk_order,
        "in use": route.enabled,
        "note": route.note,
    }
