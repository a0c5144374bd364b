"""The list of contracts that have another version of a plan than the one that is looked at."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from voice.plans import moving
from voice.plans.models import Contract, PlanVersion
from voice.plans.pages import chip_of, day_of


class MovableList(ListPage):
    """The contracts of a plan's other versions, to be ticked and moved."""

    template = "voice/plans/movable.html"
    columns = [
        Column("standing", _("State"), kind="status", value=chip_of),
        Column("tenant__name", _("Customer"), link="plans:contract", sort=True),
        Column("plan_name", _("Plan today"), value=lambda row: row.past_plan_name or row.future_plan_name),
        Column("version", _("Version"), value=lambda row: row.past_version_number or row.future_version_number),
        Column("starts", _("Starts"), draw=day_of("starts"), sort=True, card=False),
        Column("reference", _("Reference"), card=False),
    ]
    search_fields = ["tenant__name", "reference"]
    search_label = _("Search customer")
    default_sort = "tenant__name"
    export_name = "contracts-to-move"
    empty = Empty(_("Every contract of this plan has this version."), icon="file-text")

    def __init__(self, request: HttpRequest, version: PlanVersion) -> None:
        super().__init__(request, version=version)
        self.version = version
        words = {"plan": version.plan, "number": version.number}
        self.title = _now("Move contracts to %(plan)s, version %(number)d") % words

    @cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        others = self.version.plan.versions.exclude(pk=self.version.pk).exclude(state=PlanVersion.State.DRAFT)
        numbers = others.order_by("-number").values_list("number", flat=True)
        return [Choice("version", _("Version"), [(each, str(each)) for each in numbers], field="past_version_number")]

    @cached_property
    def bulk_buttons(self) -> list[dict[str, Any]]:
        words = _now("Move to version %(number)d") % {"number": self.version.number}
        button = Action(words, "plans:move", "arrows-exchange", "plans.change")
        if not self.may(button.capability) or self.version.plan.closed_at is not None:
            return []
        return [{"action": button, "url": reverse(button.url_name, args=[self.version.pk])}]

    def queryset(self) -> QuerySet[Contract]:
        return moving.movable(self.version, timezone.localdate())
