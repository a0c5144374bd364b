"""The lists of webhooks, file stores and what went to them."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Action, Choice, Column, Day, Empty, ListPage
from portal.ui.navigation import page_url
from portal.ui.parts import Tab
from portal.ui.status import Status, status
from voice.delivery import selectors
from voice.delivery.models import Attempted, Delivery, Endpoint, Kind, Store, StoredFile

NEW_ENDPOINT = Action(_("New webhook"), "delivery:endpoint_new", "plus", "integrations.change")
NEW_STORE = Action(_("New place for files"), "delivery:store_new", "plus", "integrations.change")
CHANGE = "integrations.change"


def tabs(request: HttpRequest, current: str) -> list[Tab]:
    """Return the tabs of the pages of integration."""
    found = [
        (_("Webhooks"), "delivery:list"),
        (_("Deliveries"), "delivery:deliveries"),
        (_("Places for files"), "delivery:stores"),
        (_("Files sent"), "delivery:files"),
        (_("Feed"), "delivery:feed"),
    ]
    return [Tab(label, page_url(name, request), name == current) for label, name in found]


def standing(endpoint: Endpoint) -> Status:
    """Return how a webhook does."""
    if endpoint.state == Endpoint.State.PAUSED:
        return status("suspended", word=_("Paused"))
    return status("attention") if endpoint.failing_since else status("active")


def state_of(row: Attempted) -> Status:
    """Return where a delivery or a file stands."""
    if row.state == Attempted.State.DONE:
        return status("done", word=_("Delivered"))
    if row.state == Attempted.State.FAILED:
        return status("failed", word=_("Given up"))
    return (
        status("attention", word=_("Tried, will be tried again")) if row.error else status("queued", word=_("Waiting"))
    )


def next_try(row: Attempted) -> Any:
    """Return when it is tried next, None where it is not."""
    return row.next_at if row.state == Attempted.State.WAITING else None


def message_url(row: Delivery) -> str:
    """Return where a delivery's message can be read."""
    return reverse("delivery:message", args=[row.message_id])


class EndpointList(ListPage):
    title = _("Integrations")
    lead = _(
        "Webhooks: your own billing system is told of calls, invoices, payments and what goes back of them as they"
        " happen, in signed messages."
    )
    columns = [
        Column("standing", _("State"), kind="status", value=standing),
        Column("name", _("Name"), link="delivery:endpoint", sort=True),
        Column("url", _("Address")),
        Column("waiting", _("Waiting"), kind="count"),
        Column("delivered_at", _("Last delivered"), kind="ago", sort=True),
    ]
    search_fields = ["name", "url"]
    default_sort = "name"
    export_name = "webhooks"
    filters = [Choice("state", _("State"), Endpoint.State.choices)]
    actions = [NEW_ENDPOINT]
    empty = Empty(
        _("No webhooks yet."), _("For example “https://billing.example.com/strowger”."), NEW_ENDPOINT, "plug-connected"
    )

    def queryset(self) -> QuerySet[Endpoint]:
        return selectors.endpoints(self.request.msp)  # type: ignore[attr-defined]


class StoreList(ListPage):
    title = _("Places for files")
    lead = _("Rated calls, or everything that the feed tells, as files in a place of yours, each hour or each day.")
    columns = [
        Column(
            "enabled", _("State"), kind="status", value=lambda row: status("enabled" if row.enabled else "disabled")
        ),
        Column("name", _("Name"), link="delivery:store", sort=True),
        Column("way", _("By"), value=lambda row: row.get_way_display()),
        Column("host", _("Host"), card=False),
        Column("content", _("Content"), value=lambda row: row.get_content_display(), card=False),
        Column("arrived_at", _("Last file"), kind="ago"),
        Column("next_at", _("Next file"), kind="when", sort=True),
    ]
    search_fields = ["name", "host", "folder"]
    default_sort = "name"
    export_name = "file-stores"
    filters = [Choice("way", _("By"), Store.Way.choices)]
    actions = [NEW_STORE]
    empty = Empty(
        _("No places for files yet."), _("For example “sftp, files.example.com, folder cdr”."), NEW_STORE, "folder"
    )

    def queryset(self) -> QuerySet[Store]:
        return selectors.stores(self.request.msp)  # type: ignore[attr-defined]


class DeliveryList(ListPage):
    title = _("Deliveries")
    lead = _("Each message on its way to each webhook. What did not get through is tried again for about three days.")
    columns = [
        Column("state", _("State"), kind="status", value=state_of),
        Column("message__sequence", _("Number"), kind="count", link=message_url, sort=True),
        Column("message__kind", _("What"), value=lambda row: row.message.get_kind_display()),
        Column("endpoint__name", _("Webhook"), value=lambda row: row.endpoint.name, card=False),
        Column("message__at", _("Happened"), kind="when", sort=True),
        Column("attempts", _("Tried"), kind="count", card=False),
        Column("answer", _("Answer"), value=lambda row: row.error or (str(row.status) if row.status else "")),
        Column("took_ms", _("ms"), kind="count", card=False),
        Column("next_at", _("Next try"), kind="when", value=next_try),
    ]
    search_fields = ["error"]
    search_label = _("Search what was answered")
    default_sort = "-message__sequence"
    export_name = "deliveries"
    bulk = [Action(_("Send again"), "delivery:again", "refresh", CHANGE)]
    empty = Empty(_("Nothing was sent yet."), _("Send a test message from a webhook's page to see how it arrives."))

    @cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        endpoints = Endpoint.objects.filter(msp=self.request.msp).order_by("name")  # type: ignore[attr-defined]
        return [
            Choice("state", _("State"), Delivery.State.choices),
            Choice("endpoint", _("Webhook"), [(each.pk, each.name) for each in endpoints], field="endpoint"),
            Choice("kind", _("What"), Kind.choices, field="message__kind"),
            Day("from", _("From"), "message__at"),
            Day("to", _("Until"), "message__at", "to"),
        ]

    def queryset(self) -> QuerySet[Delivery]:
        return selectors.deliveries(self.request.msp)  # type: ignore[attr-defined]


class FileList(ListPage):
    title = _("Files sent")
    lead = _("Each file with what is in it, and when it arrived.")
    columns = [
        Column("state", _("State"), kind="status", value=state_of),
        Column("name", _("File"), sort=True),
        Column("store__name", _("Place"), value=lambda row: row.store.name, card=False),
        Column("rows", _("Rows"), kind="count"),
        Column("size", _("Bytes"), kind="count", card=False),
        Column("done_at", _("Arrived"), kind="when", sort=True),
        Column("error", _("What happened")),
        Column("next_at", _("Next try"), kind="when", value=next_try, card=False),
    ]
    search_fields = ["name", "error"]
    search_label = _("Search name or trouble")
    default_sort = "-first"
    export_name = "files-sent"
    bulk = [Action(_("Put again"), "delivery:put_again", "refresh", CHANGE)]
    empty = Empty(_("No files yet."), _("The first one comes at the next full hour, or after midnight."))

    @cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        stores = Store.objects.filter(msp=self.request.msp).order_by("name")  # type: ignore[attr-defined]
        return [
            Choice("state", _("State"), StoredFile.State.choices),
            Choice("store", _("Place"), [(each.pk, each.name) for each in stores], field="store"),
        ]

    def queryset(self) -> QuerySet[StoredFile]:
        return selectors.files(self.request.msp)  # type: ignore[attr-defined]
