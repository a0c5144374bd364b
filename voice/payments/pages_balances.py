"""The MSP's list of its customers' accounts: what is left of each, and whose calls are stopped or soon will be."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from portal.ui import markup, values
from portal.ui.columns import Choice, Column
from portal.ui.lists import Empty, ListPage
from tenants.models import Customer
from voice.rating.models import Account
from voice.rating.overview import Overview, customers_with_accounts, stopped, warned
from voice.receivables.pages import payment_tabs
from voice.receivables.selectors import with_owed

STATES = [("stopped", _("Stopped")), ("warned", _("Warned")), ("limited", _("With a limit")), ("free", _("No limit"))]


class BalanceList(ListPage):
    title, topic = _("Balances and limits"), "account"
    lead = _(
        "What each customer owes, what is left for its calls, prepaid or up to a limit, and whose calls are stopped."
    )
    template = "voice/payments/list.html"
    search_fields = ["name"]
    search_label = _("Search customer")
    default_sort = "name"
    export_name = "balances"
    summed = [("owed", _("To be paid"))]
    size = 50
    empty = Empty(
        _("No customers yet."),
        _("Each customer has an account from its first call, payment or bill on."),
        icon="wallet",
    )

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, tabs=payment_tabs(request, "balances"))
        self.overview = Overview(request.msp, now())  # type: ignore[attr-defined]

    def visible_columns(self) -> list[Column]:
        """Return what there is room for on a page; the file has everything."""
        seen = self.overview
        found = [
            Column("state", _("State"), kind="status", value=seen.state),
            Column("name", _("Customer"), link="accounts:detail", sort=True),
            Column("kind", _("Kind"), value=lambda row: seen.account(row).get_kind_display()),
            _money("owed", _("To be paid"), lambda row: row.owed, sort=True,
                   help=_("What is billed and not paid yet; below zero is paid ahead.")),
            _money("balance", _("Balance"), lambda row: row.balance, sort=True,
                   help=_("Of the account by which calls stop: with calls that are not billed yet.")),
            _money("credit", _("Credit limit"), lambda row: seen.account(row).credit_limit_micros, card=False,
                   help=_("How far below zero a postpaid balance may go; empty is no limit.")),
            _money("spent", _("Calls this month"), lambda row: seen.account(row).standing(seen.at).spent),
            _money("left", _("Left for calls"), lambda row: seen.left(seen.account(row)),
                   help=_("By the narrowest of its limits; empty where nothing stops its calls.")),
            Column("longest", _("Longest call"), kind="duration", value=seen.longest, card=False,
                   help=_("How long the next call to the dearest destination may last.")),
            Column("warnings", _("Warnings"), value=lambda row: " ".join(seen.warnings(seen.account(row)))),
        ]  # fmt: skip
        in_file = self.request.GET.get("export") == "csv"
        return found if in_file else [column for column in found if column.name not in ("kind", "spent")]

    filters = [
        Choice("kind", _("Kind"), Account.Kind.choices, apply=lambda found, kind: _of_kind(found, kind)),
        Choice("state", _("State"), STATES, apply=lambda found, state: _in_state(found, state)),
    ]

    def queryset(self) -> QuerySet[Customer]:
        return with_owed(customers_with_accounts(self.request.msp))  # type: ignore[attr-defined]


def _money(name: str, label: Any, value: Callable[[Any], int | None], **more: Any) -> Column:
    """Return a column of amounts that are not broken in the middle."""

    def draw(row: Any) -> str:
        micros = value(row)
        if micros is None:
            return markup.NONE
        return format_html('<span class="text-nowrap">{}</span>', values.total(micros, row.currency))

    return Column(name, label, kind="money", value=value, draw=draw, **more)


def _of_kind(found: QuerySet[Any], kind: str) -> QuerySet[Any]:
    # Who has no account yet is postpaid, as its account will be.
    prepaid = found.filter(account__kind=Account.Kind.PREPAID)
    return prepaid if kind == Account.Kind.PREPAID else found.exclude(account__kind=Account.Kind.PREPAID)


def _in_state(found: QuerySet[Any], state: str) -> QuerySet[Any]:
    limited = Account.objects.limited().values("tenant_id")
    if state == "stopped":
        return found.filter(stopped(now()))
    if state == "warned":
        return found.filter(warned())
    return found.filter(pk__in=limited) if state == "limited" else found.exclude(pk__in=limited)
