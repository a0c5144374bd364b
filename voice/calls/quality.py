"""How well calls go, day by day: from the counts that are written with the calls, never from the calls themselves."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.ui import values
from portal.ui.lists import Choice, Column, Day, Empty, ListPage
from tenants.models import Customer, Msp
from voice.calls import hooks
from voice.calls.models import Grain, Rollup

# Below this a share says more about chance than about the network.
ENOUGH = 100
TERMS = [
    ("ASR", gettext_lazy("answer-seizure ratio: answered calls ÷ all attempts (E.411). What people do counts, too.")),
    ("NER", gettext_lazy("network effectiveness ratio: answered, busy, not answered and declined calls ÷ all attempts"
                         " (E.425); one that its caller gave up counts where it had rung. What people do does not"
                         " count: it should be near 100 %.")),
    ("ACD", gettext_lazy("average call duration: time talked ÷ answered calls.")),
    ("PDD", gettext_lazy("post-dial delay: from dialling to the first sign of ringing, on average.")),
    ("CPS", gettext_lazy("new calls a second. Of the minutes that had calls, 95 of 100 had no more than this.")),
    ("Peak", gettext_lazy("the most calls at the same time. It is looked at every 10 seconds, and worked out from the"
                          " calls’ own times a quarter of an hour after each hour.")),
]  # fmt: skip


def asr(row: Rollup) -> float | None:
    """Return the share of attempts that were answered."""
    return row.answered / row.attempts if row.attempts else None


def ner(row: Rollup) -> float | None:
    """Return the share of attempts for which the network did its part."""
    return row.effective / row.attempts if row.attempts else None


def acd(row: Rollup) -> float | None:
    """Return how many seconds an answered call lasted on average."""
    return row.talk_ms / 1000 / row.answered if row.answered else None


def pdd(row: Rollup) -> float | None:
    """Return how many seconds it took on average until it rang."""
    return row.pdd_ms / 1000 / row.pdd_calls if row.pdd_calls else None


def cps(row: Rollup) -> float | None:
    """Return the 95th percentile of new calls a second."""
    return row.cps95 / 1000 if row.cps95 is not None else None


def has_few(row: Rollup) -> bool:
    """Tell whether there were too few calls for a share to mean much."""
    return row.attempts < ENOUGH


def days_of(tenant: Customer | None, msp: Msp | None) -> QuerySet[Rollup]:
    """Return the days of a customer, or of all customers of an MSP; those with a trunk count its calls alone."""
    days = Rollup.objects.filter(grain=Grain.DAY)
    return days.filter(tenant=tenant) if tenant is not None else days.filter(msp=msp).select_related("tenant")


def _customers(request: HttpRequest) -> list[tuple[int, str]]:
    return list(request.msp.customers.order_by("name").values_list("pk", "name"))  # type: ignore[attr-defined]


class QualityList(ListPage):
    title = gettext_lazy("Quality of calls")
    lead = gettext_lazy(
        "How well calls went, day by day (UTC). Days with fewer than 100 calls are grey: chance decides there."
    )
    template = "voice/calls/quality.html"
    default_sort = "-at"
    export_name = "quality"
    empty = Empty(
        gettext_lazy("No calls yet."), gettext_lazy("The first day is here with the first call."), icon="chart-bar"
    )

    def __init__(self, request: HttpRequest, **context: Any) -> None:
        super().__init__(request, terms=TERMS, **context)
        trunks = hooks.trunks(request.msp or request.tenant.msp, request.tenant)  # type: ignore[attr-defined]
        self.names = {trunk.gateway: trunk.name for trunk in trunks}

    def queryset(self) -> QuerySet[Rollup]:
        days = days_of(self.request.tenant, self.request.msp)  # type: ignore[attr-defined]
        return days if self.chosen.keys() & {"by", "over"} else days.filter(trunk="")

    def row_class(self, row: Rollup) -> str:
        return "few" if has_few(row) else ""

    def visible_columns(self) -> list[Column]:
        columns = [
            Column("at", _("Day"), value=lambda row: row.at.date(), sort=True),
            Column("trunk", _("Over"), value=self._over, card=bool(self.chosen.get("by"))),
            Column("attempts", _("Calls"), kind="count", sort=True),
            Column("few", _("Note"), value=lambda row: _("few calls") if has_few(row) else "", card=False),
            Column("asr", _("ASR"), kind="count", value=lambda row: values.percent(asr(row))),
            Column("ner", _("NER"), kind="count", value=lambda row: values.percent(ner(row))),
            Column("acd", _("ACD"), kind="duration", value=acd),
            Column("pdd", _("PDD"), kind="duration", value=pdd, card=False),
            Column("cps", _("CPS"), kind="count", value=_cps, card=False),
            Column("peak", _("Peak"), kind="count", sort=True, card=False),
        ]
        if self.request.tenant is None:  # type: ignore[attr-defined]
            columns.insert(1, Column("tenant__name", _("Customer")))
        return columns

    @property
    def filters(self) -> list[Any]:  # type: ignore[override]
        mine: list[Any] = [
            Choice("by", _("Count"), [("trunk", _("Each trunk"))], apply=lambda days, _value: days.exclude(trunk="")),
            Choice("over", _("Trunk"), sorted(self.names.items(), key=lambda each: each[1]),
                   apply=lambda days, value: days.filter(trunk=value)),
            Day("from", _("From day"), "at"),
            Day("to", _("To day"), "at", bound="to"),
        ]  # fmt: skip
        if self.request.tenant is None:  # type: ignore[attr-defined]
            mine.insert(0, Choice("customer", _("Customer"), _customers, field="tenant_id"))
        return mine

    def _over(self, row: Rollup) -> str:
        return self.names.get(row.trunk, row.trunk) if row.trunk else _("all trunks")


def _cps(row: Rollup) -> str:
    found = cps(row)
    return "–" if found is None else f"{found:.2f}"
