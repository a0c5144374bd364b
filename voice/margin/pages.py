"""The lists of margins: customers, destinations and routes."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.ui import navigation
from portal.ui.cursor import lookup
from portal.ui.lists import Choice, Column, Empty, ListPage
from portal.ui.parts import Tab
from tenants.models import Customer
from voice.calls.models.cdr import Direction
from voice.margin import plans, selectors
from voice.margin.lens import Lens, next_month
from voice.margin.months import asked_lens, months, offered_currencies
from voice.margin.words import coins, percent, standing

STANDINGS = [
    ("loss", gettext_lazy("Below zero")),
    ("short", gettext_lazy("Below target")),
    ("nothing", gettext_lazy("Earns nothing")),
]
GROUPS = {"": ("destination", "trunk"), "destination": ("destination",), "trunk": ("trunk",)}
HELD = ("month", "currency")


def tabs(request: HttpRequest, current: str) -> list[Tab]:
    """Return the sections of Margin; month and currency stay as they are."""
    kept = {name: request.GET[name] for name in HELD if request.GET.get(name)}
    query = f"?{urlencode(kept)}" if kept else ""
    return [
        Tab(label, navigation.page_url(f"margin:{name}", request) + query, name == current)
        for name, label in (
            ("overview", _("Overview")),
            ("customers", _("Customers")),
            ("routes", _("Destinations and routes")),
            ("carrier_invoices", _("Carrier invoices")),
        )
    ]


def calls_url(request: HttpRequest, lens: Lens, **narrowed: Any) -> str:
    """Return the list of the calls behind a figure."""
    last = next_month(lens.month).toordinal() - 1
    told = {"from": f"{lens.month}", "to": f"{lens.month.fromordinal(last)}", "result": "answered", **narrowed}
    return f"{navigation.page_url('calls:list', request)}?{urlencode(told)}"


def disputes_query(lens: Lens, customer: int | None = None) -> str:
    """Return what narrows the list of customers' questions to those that are open about money of the month."""
    told = {"state": "open", "disputed": "yes", "month": lens.key} | ({"customer": customer} if customer else {})
    return urlencode(told)


def _kept(queryset: QuerySet[Any], _value: str) -> QuerySet[Any]:
    return queryset


class MonthList(ListPage):
    """A list about one month in one currency; both stand in the address."""

    topic = ""
    counted = True

    @cached_property
    def lens(self) -> Lens:
        return asked_lens(self.request)

    @cached_property
    def chosen(self) -> dict[str, str]:
        """Return the filters that are set: there is always a month and a currency."""
        found = {item.name: self.request.GET.get(item.name, "").strip() for item in self.filters}
        found |= {"month": self.lens.key, "currency": self.lens.currency}
        return {name: value for name, value in found.items() if value}

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.chosen.keys() - set(HELD))

    def money(self, name: str, label: Any, **facts: Any) -> Column:
        """Return a column of amounts in the currency of the page."""
        currency = self.lens.currency
        return Column(
            name, label, kind="money", sort=True, currency="money_currency",
            value=lambda row: coins(lookup(row, name), currency), **facts,
        )  # fmt: skip

    def chips(self) -> Iterable[dict[str, Any]]:
        """Return what narrows the list; month and currency are always there and no narrowing."""
        return [chip for chip in super().chips() if chip["filter"].name not in HELD]

    @property
    def in_file(self) -> bool:
        """Tell whether a file is written, which has room for what the page has not."""
        return self.request.GET.get("export") == "csv"


def _with_currency(found: QuerySet[Any], lens: Lens) -> QuerySet[Any]:
    return found.annotate(money_currency=Value(lens.currency))


MONTH = Choice("month", gettext_lazy("Month"), months, apply=_kept)
CURRENCY = Choice("currency", gettext_lazy("Currency"), offered_currencies, apply=_kept)


class CustomerMarginList(MonthList):
    title = gettext_lazy("Margin by customer")
    lead = gettext_lazy("What each customer left you in the month: revenue less what its calls cost. Months are UTC.")
    template = "voice/margin/list.html"
    search_fields = ("name", "label")
    search_label = gettext_lazy("Customer")
    default_sort, export_name = "-margin", "margin-customers"
    empty = Empty(
        gettext_lazy("No calls and no fees in this month."),
        gettext_lazy("For example “Miller Bakery, revenue €412.00, cost €161.00, margin 60.9 %”."),
        icon="trending-up",
    )

    @cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        offered = sorted({(name, name) for name in plans.names(self.lens.msp, self.lens.month).values()})
        return [
            MONTH,
            CURRENCY,
            Choice("standing", gettext_lazy("Standing"), STANDINGS, apply=_customers_standing),
            Choice("plan", gettext_lazy("Plan"), offered),
        ]

    def visible_columns(self) -> list[Column]:
        columns = [
            Column("standing", _("Standing"), kind="status", value=lambda row: standing(row, row.wanted)),
            Column("name", _("Customer"), sort=True, link=self._page_of),
            Column("plan", _("Plan"), sort=True, card=False),
            self.money("revenue", _("Revenue")),
            self.money("fees", _("of it fees"), card=False),
            self.money("expected", _("of it expected, not billed"), card=False),
            self.money("spent", _("Cost")),
            self.money("margin", _("Margin")),
            Column("per_mille", _("Margin in %"), kind="count", sort=True, value=lambda row: percent(row.per_mille)),
            Column("wanted", _("Target"), kind="count", value=lambda row: percent(row.wanted), card=False),
            self.money("unbilled", _("Not billed yet"), card=False),
            self.money("disputed", _("Disputed by the customer"), card=False),
            Column("unpriced_sum", _("Calls without a price"), kind="count", sort=True, card=False),
        ]
        left_out = set() if self.in_file else {"fees", "expected", "disputed", "unpriced_sum"}
        return [each for each in columns if each.name not in left_out]

    def queryset(self) -> QuerySet[Customer]:
        found = selectors.customers(self.lens).annotate(plan=plans.plan_of(self.lens.month))
        return _with_currency(found, self.lens)

    def _page_of(self, row: Customer) -> str:
        query = urlencode({"month": self.lens.key, "currency": self.lens.currency})
        return f"{navigation.row_url('margin:customer', row.pk)}?{query}"


def _customers_standing(found: QuerySet[Any], value: str) -> QuerySet[Any]:
    conditions = {"loss": Q(margin__lt=0, elsewhere=False), "short": Q(short__gt=0), "nothing": Q(revenue__lte=0)}
    return found.filter(conditions[value])


class RouteMarginList(MonthList):
    title = gettext_lazy("Margin by destination and route")
    lead = gettext_lazy(
        "What the month's calls earned and cost by destination and trunk, without fees. The worst come first."
    )
    template = "voice/margin/list.html"
    search_fields = ("destination",)
    search_label = gettext_lazy("Destination")
    default_sort, tie, export_name = "margin", "key", "margin-routes"
    customer: Customer | None = None
    empty = Empty(
        gettext_lazy("No answered calls in this month."),
        gettext_lazy("For example “Germany, mobile over Carrier A, 1,204 calls, margin 34.2 %”."),
        icon="trending-up",
    )

    @cached_property
    def trunks(self) -> dict[int, str]:
        return selectors.trunk_names(self.lens.msp)

    @cached_property
    def wanted(self) -> int | None:
        return selectors.target_of(self.lens.msp, self.customer)

    @cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        by = [("destination", _("Destination")), ("trunk", _("Trunk"))]
        mine = [
            MONTH,
            CURRENCY,
            Choice("by", gettext_lazy("One line for each"), by, apply=_kept),
            Choice("direction", gettext_lazy("Direction"), Direction.choices),
            Choice("standing", gettext_lazy("Standing"), STANDINGS, apply=self._standing),
            Choice("trunk", gettext_lazy("Trunk"), _trunks, field="trunk"),
        ]
        if self.customer is None:
            mine.append(Choice("customer", gettext_lazy("Customer"), _customers, field="tenant"))
        return mine

    def visible_columns(self) -> list[Column]:
        columns = [
            Column("standing", _("Standing"), kind="status", value=lambda row: standing(row, self.wanted)),
            Column("destination", _("Destination"), sort=True, link=self._calls, value=lambda row: row["destination"]),
            Column("trunk", _("Trunk"), sort=True, link=self._calls, value=self._trunk),
            Column("direction", _("Direction"), value=lambda row: Direction(row["direction"]).label, card=False),
            Column("calls_sum", _("Calls"), kind="count", sort=True, card=False),
            Column("seconds_sum", _("Talked"), kind="duration", sort=True, card=False),
            self.money("revenue", _("Revenue")),
            self.money("spent", _("Cost")),
            self.money("margin", _("Margin")),
            Column("per_mille", _("Margin in %"), kind="count", sort=True, value=lambda row: percent(row["per_mille"])),
            Column("uncosted_sum", _("Without a cost"), kind="count", sort=True, card=False),
        ]
        left_out = {{"destination": "trunk", "trunk": "destination"}.get(self.chosen.get("by", ""))}
        if not self.in_file:
            left_out |= {"seconds_sum", "uncosted_sum"}
        return [column for column in columns if column.name not in left_out]

    def queryset(self) -> QuerySet[Any]:
        by = GROUPS.get(self.chosen.get("by", ""), GROUPS[""])
        found = _with_currency(selectors.routes(self.lens, by, self.customer), self.lens)
        # Incoming calls that cost nothing would fill the page.
        return found if self.chosen.get("standing") == "nothing" else found.exclude(revenue=0, spent=0, elsewhere=0)

    def _standing(self, found: QuerySet[Any], value: str) -> QuerySet[Any]:
        wanted = self.wanted or 0
        conditions = {
            "loss": Q(margin__lt=0, revenue__gt=0, elsewhere=0),
            "short": Q(per_mille__lt=wanted, revenue__gt=0, elsewhere=0),
            "nothing": Q(revenue=0),
        }
        return found.filter(conditions[value])

    def _trunk(self, row: dict[str, Any]) -> str:
        return self.trunks.get(row["trunk"]) or (f"g{row['trunk']}" if row["trunk"] else _("none: calls inside"))

    def _calls(self, row: dict[str, Any]) -> str:
        narrowed = {"direction": row["direction"]}
        if row.get("destination"):
            narrowed["destination"] = row["destination"]
        if name := self.trunks.get(row.get("trunk") or 0):
            narrowed["trunk"] = name
        customer = self.customer.pk if self.customer else self.chosen.get("customer")
        return calls_url(self.request, self.lens, **narrowed, **({"customer": customer} if customer else {}))


def _trunks(request: HttpRequest) -> list[tuple[int, str]]:
    return list(request.msp.trunks.order_by("name").values_list("pk", "name"))  # type: ignore[attr-defined]


def _customers(request: HttpRequest) -> list[tuple[int, str]]:
    return list(request.msp.customers.order_by("name").values_list("pk", "name"))  # type: ignore[attr-defined]
