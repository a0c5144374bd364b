"""The lists of reminders, of the ladder's steps, and of whoever is left alone."""

from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from voice.payments.models import DunningPause, DunningSetting, DunningStep, Reminder
from voice.payments.pages import missing
from voice.rating.money import MICROS
from voice.receivables.pages import day, payment_tabs

State = Reminder.State
TONES = {"proposed": "waiting_you", "released": "done", "withdrawn": "inactive", "dropped": "inactive"}
# Paid is one way to that: it may have been credited, written off, disputed or left alone, too.
WORDS = dict(State.choices) | {"withdrawn": _("No longer needed")}
LADDER = Action(_("Steps and fees"), "payments:ladder", "settings", "payments.view")
PAUSES = Action(_("Who is not reminded"), "payments:pauses", "player-pause", "payments.view")
NEW_STEP = Action(_("New step"), "payments:step_new", "plus", "payments.change")
NEW_PAUSE = Action(_("Stop reminding somebody"), "payments:pause_new", "plus", "payments.change")


def state_of(reminder: Reminder) -> Status:
    """Return where a reminder stands."""
    if reminder.suspended_at and not reminder.resumed_at:
        return status("suspended", word=_("Sent, calls stopped"))
    return status(TONES[reminder.state], word=WORDS[reminder.state])


class ReminderList(ListPage):
    title = _("Reminders")
    lead = _(
        "Each night your steps propose who is reminded of what. Nothing is sent that is paid, being paid or disputed."
    )
    template = "voice/payments/reminders.html"
    columns = [
        Column("state", _("State"), kind="status", value=state_of),
        Column("title", _("Step"), link="payments:reminder"),
        Column("tenant__name", _("Customer"), sort=True),
        Column("proposed_on", _("Proposed on"), draw=day("proposed_on"), sort=True, card=False),
        Column("released_on", _("Sent on"), draw=day("released_on"), sort=True, card=False),
        Column("total", _("To be paid"), kind="money", sort=True),
    ]
    search_fields = ["tenant__name", "title", "lines__invoice__number"]
    search_label = _("Search customer or invoice")
    filters = [Choice("state", _("State"), list(WORDS.items()))]
    default_sort = "-pk"
    export_name = "reminders"
    actions = [LADDER, PAUSES]
    empty = Empty(_("No reminders yet."), _("They are proposed at night, once there is a step."), LADDER, "bell")

    def __init__(self, request: HttpRequest) -> None:
        waiting = Reminder.objects.filter(msp=request.msp, state=State.PROPOSED).count()  # type: ignore[attr-defined]
        super().__init__(request, tabs=payment_tabs(request, "reminders"), waiting=waiting, gaps=missing(request))

    def queryset(self) -> QuerySet[Reminder]:
        return Reminder.objects.filter(msp=self.request.msp).select_related("tenant")  # type: ignore[attr-defined]

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queryset.filter(pk__in=super().search(Reminder.objects.all(), text).values("pk"))


class StepList(ListPage):
    title = _("Steps of reminders")
    lead = _(
        "What happens how many days after an invoice was due. If a step goes out late, the next one keeps its distance."
    )
    template = "voice/payments/ladder.html"
    columns = [
        Column("on", _("State"), kind="status", value=lambda row: status("enabled" if row.is_on else "disabled")),
        Column("after_days", _("Days after due"), kind="count", sort=True),
        Column("title", _("Step"), link="payments:step", link_needs="payments.change"),
        Column("fee", _("Fee"), kind="count", value=lambda row: f"{row.fee / MICROS:.2f}" if row.fee else "–",
               help=_("In the currency of the invoice")),
        Column("interest", _("Interest a year"), kind="count", card=False,
               value=lambda row: f"{row.interest_per_million / 10_000:g} %" if row.interest_per_million else "–"),
        Column("effect", _("What happens"), value=lambda row: effect_of(row)),
    ]  # fmt: skip
    search_fields = ["title"]
    default_sort = "after_days"
    export_name = "ladder"
    actions = [NEW_STEP]
    empty = Empty(_("No steps yet."), _("For example “Reminder” after 7 days, without a fee."), NEW_STEP, "bell")

    def __init__(self, request: HttpRequest) -> None:
        setting = DunningSetting.objects.filter(msp=request.msp).first()  # type: ignore[attr-defined]
        super().__init__(request, setting=setting)

    def queryset(self) -> QuerySet[DunningStep]:
        return DunningStep.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]


def effect_of(step: DunningStep) -> str:
    """Return what a step does, in words."""
    told = [_("mail")]
    if step.tells_msp:
        told.append(_("mail to us"))
    if step.suspends:
        told.append(_("ordinary calls stop"))
    return ", ".join(map(str, told))


class PauseList(ListPage):
    title = _("Not reminded")
    lead = _("Customers and invoices that get no reminders: disputed, promised, or for another reason.")
    template = "voice/payments/pauses.html"
    columns = [
        Column("state", _("State"), kind="status",
               value=lambda row: status("inactive" if row.ended_at else "active")),
        Column("customer", _("Customer"), value=lambda row: row.tenant.name),
        Column("invoice__number", _("Invoice"), value=lambda row: row.invoice.number if row.invoice else _("All")),
        Column("kind", _("Why"), value=lambda row: row.get_kind_display()),
        Column("note", _("Note"), card=False),
        Column("until", _("Until"), draw=day("until"), sort=True),
        Column("acts", "", template="voice/payments/pause_acts.html", export=False, shown_to="payments.change"),
    ]  # fmt: skip
    search_fields = ["tenant__name", "invoice__number", "note"]
    filters = [Choice("kind", _("Why"), DunningPause.Kind.choices)]
    default_sort = "-pk"
    export_name = "left-alone"
    actions = [NEW_PAUSE]
    empty = Empty(_("Everybody is reminded."), _("For example who promised to pay on Friday."), NEW_PAUSE, "bell")

    def queryset(self) -> QuerySet[DunningPause]:
        own = DunningPause.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]
        return own.select_related("tenant", "invoice").annotate(named=F("invoice__number"))
