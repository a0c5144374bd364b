"""A list is its address: search, filters, sorting, paging and the export all come from there."""

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from django.urls import reverse, set_urlconf
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.ui import heads, navigation
from portal.ui.lists import Action, Choice, Column, Day, Empty, ListPage, Text


class EntryList(ListPage):
    title, lead, topic = "Entries", "What happened.", "audit"
    columns = [
        Column("object_name", "Object", link=lambda row: f"/entries/{row.pk}/", sort=True),
        Column("verb", "What", kind="status"),
        Column("at", "When", kind="when", sort="at"),
    ]
    search_fields = ["object_name", "email"]
    filters = [
        Choice("verb", "What", [("route.saved", "Route saved"), ("route.deleted", "Route deleted")]),
        Text("who", "Who", "email"),
        Day("from", "From", "at"),
        Day("to", "To", "at", bound="to"),
    ]
    default_sort = "object_name"
    export_name = "entries"
    actions = [Action("New", "ui:search", "plus", "routing.change"), Action("Nowhere", "no:such")]
    bulk = [Action("Close", "ui:theme")]
    empty = Empty("No entries yet.", "For example a saved route.")

    def queryset(self):
        return AuditEntry.objects.filter(verb__startswith="route.")


@pytest.fixture
def entries(acme):
    names = ["Berlin", "London", "Madrid", "<script>alert(1)</script>"]
    AuditEntry.objects.bulk_create(
        AuditEntry(tenant_id=acme.pk, at=now(), verb="route.deleted" if name == "Madrid" else "route.saved",
                   object_name=name, email="alice@acme.example" if name == "Berlin" else "")
        for name in names
    )  # fmt: skip
    AuditEntry.objects.bulk_create([AuditEntry(tenant_id=acme.pk, at=now(), verb="number.saved", object_name="Other")])


def listed(query="", **more):
    request = RequestFactory().get("/entries/", QueryDict(query).dict())
    request.urlconf, request.can, request.htmx = "portal.urls_customer", lambda name: False, False
    request.actor = Actor(email="alice@acme.example")
    for name, value in more.items():
        setattr(request, name, value)
    return EntryList(request)


def test_whoever_takes_rows_away_is_in_the_audit_log(entries):
    listed("q=b&export=csv").response()

    entry = AuditEntry.objects.get(verb="entries.exported")
    assert (entry.email, entry.facts) == ("alice@acme.example", {"rows": 1})


def names(query=""):
    return [row.object_name for row in listed(query).page.rows]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("verb=route.deleted", ["Madrid"]),
        ("verb=number.saved", ["<script>alert(1)</script>", "Berlin", "London", "Madrid"]),  # not offered
        ("who=ALICE", ["Berlin"]),
        ("q=lon", ["London"]),
        ("q=ber%20acme", ["Berlin"]),
        ("q=nothing", []),
        ("from=2999-01-01", []),
        ("to=1999-01-01", []),
        ("from=rubbish&to=%00", ["<script>alert(1)</script>", "Berlin", "London", "Madrid"]),
        ("q=%00%00", ["<script>alert(1)</script>", "Berlin", "London", "Madrid"]),
        ("sort=-object_name", ["Madrid", "London", "Berlin", "<script>alert(1)</script>"]),
        ("sort=password", ["<script>alert(1)</script>", "Berlin", "London", "Madrid"]),
        ("sort=--object_name", ["<script>alert(1)</script>", "Berlin", "London", "Madrid"]),
    ],
)
def test_the_address_narrows_and_sorts_and_what_it_may_not_ask_for_changes_nothing(entries, query, found):
    assert sorted(names(query)) == sorted(found)
    if "sort" in query:
        assert names(query) == found


@pytest.mark.parametrize(("asked", "size"), [("50", 50), ("7", 25), ("999999", 25), ("-1", 25), ("²", 25), ("", 25)])
def test_only_the_offered_page_sizes_are_given(entries, asked, size):
    assert listed(f"size={asked}").page_size == size


def test_a_search_stays_in_the_address_of_every_link(entries):
    page = listed("q=o&verb=route.saved")

    assert page.export_url == "?q=o&verb=route.saved&export=csv"
    assert page.without_text == "?verb=route.saved"
    assert [chip["url"] for chip in page.chips()] == ["?q=o"]
    assert (
        next(head["url"] for head in page.heads() if head["column"].sort) == "?q=o&verb=route.saved&sort=-object_name"
    )


def test_actions_show_where_the_reader_may_take_them_and_their_page_exists(entries):
    assert listed().buttons() == []
    assert [button["url"] for button in listed(can=lambda name: name == "routing.change").buttons()] == ["/search/"]


def test_an_export_holds_every_matching_row_and_nothing_that_runs(entries):
    response = listed("export=csv&verb=route.saved").response()

    text = response.content.decode()
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="entries-')
    assert text.startswith("\ufeffObject,What,When\r\n")
    assert len(text.splitlines()) == 4


def test_an_export_has_the_order_of_its_pages_with_rows_without_a_value_last(acme, entries):
    AuditEntry.objects.bulk_create(
        [AuditEntry(tenant_id=acme.pk, at=now(), verb="route.saved", object_name="Oslo", user_id=7)]
    )
    page = listed("export=csv&q=o")
    page.default_sort = "-user_id"

    lines = page.response().content.decode().splitlines()[1:]

    assert lines[0].startswith("Oslo,")
    assert [line.partition(",")[0] for line in lines] == [row.object_name for row in page.page.rows]


def test_a_list_is_drawn_with_its_names_escaped_and_refreshes_on_its_topic(entries):
    request = listed().request
    request.user, request.COOKIES = None, {}
    text = EntryList(request).response().render().content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert(1)" not in text
    assert 'hx-trigger="config-audit from:body, config-all from:body"' in text
    assert text.count("<h1>") == 1


def test_htmx_gets_the_live_part_alone(entries):
    class Htmx:
        target, boosted = "list", False

        def __bool__(self):
            return True

    response = listed(htmx=Htmx()).response()

    assert response.template_name == "components/list.html"
    assert "HX-Request" in response["Vary"]


def test_an_empty_list_says_what_would_stand_here(acme):
    request = listed().request
    request.user, request.COOKIES = None, {}
    assert "For example a saved route." in EntryList(request).response().render().content.decode()


def test_filters_and_heads_are_drawn_escaped_with_what_is_chosen(entries):
    page = listed("verb=route.saved&who=%22%3E%3Cb%3E&sort=-object_name")

    tools, head = heads.filters(page), heads.table_head(page)

    assert '<option value="route.saved" selected>Route saved</option>' in tools
    assert 'name="who" value="&quot;&gt;&lt;b&gt;"' in tools
    assert 'type="date" name="from" value=""' in tools
    assert head.count("aria-sort=") == 1
    assert 'aria-sort="descending"><a href="?verb=route.saved&amp;who=%22%3E%3Cb%3E&amp;sort=object_name"' in head


def test_a_row_leads_to_the_page_that_takes_its_key():
    set_urlconf("portal.urls_customer")
    try:
        assert navigation.row_url("numbers:number", 42) == reverse("numbers:number", args=[42])
    finally:
        set_urlconf(None)
