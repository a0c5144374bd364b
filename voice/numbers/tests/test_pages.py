from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.db import contexts
from portal.db.partitions import ensure_days
from voice.calls.models import Cdr
from voice.calls.tests.make import cdr
from voice.directory.models import Place
from voice.directory.tests.make import berlin
from voice.inventory.models import StockNumber
from voice.numbers.models import ApprovedCallerId, Number
from voice.numbers.tests.make import given, stock

DAY = datetime(2026, 11, 19, 10, tzinfo=UTC)
CLOSED_TO_MALLORY = ["/numbers/{0}/", "/api/v1/numbers/{0}/"]
PANEL = {"HX-Request": "true", "HX-Target": "list-panel-body"}


@pytest.fixture
def numbers(acme, nadia):
    given(acme, nadia, "+49301234500", "+49301234501")
    return list(Number.objects.in_number_order())


def test_the_list_finds_and_exports(acme, alice, numbers, client_of):
    browser = client_of(alice, acme)

    page = browser.get("/numbers/?q=030 123").content.decode()
    assert "+49 30 1234500" in page
    assert "have no validated emergency location" in page
    assert browser.get("/numbers/?q=9999").context["list"].count == 0
    assert browser.get("/numbers/?q=030 123&place=none&state=inactive").context["list"].count == 2
    assert "+49301234501" in browser.get("/numbers/?export=csv").content.decode()


def test_the_search_names_numbers_before_calls_to_them(acme, alice, numbers, client_of):
    ensure_days("calls_cdr", {DAY.date()})
    with contexts.ingest():
        (call,) = Cdr.objects.bulk_create([cdr(acme, DAY, called="+49301234500")])

    found = client_of(alice, acme).get("/search/?q=030 123 4500").content.decode()

    assert found.index(f'href="/numbers/{numbers[0].pk}/"') < found.index(f'href="/calls/{call.id}/"')


def test_a_page_of_the_list_asks_as_often_for_many_numbers_as_for_one(acme, alice, nadia, client_of):
    asked = []
    for more in (["+49301234500"], [f"+4930123451{n}" for n in range(9)]):
        given(acme, nadia, *more)
        browser = client_of(alice, acme)
        browser.get("/numbers/")
        with CaptureQueriesContext(connection) as queries:
            page = browser.get("/numbers/")
        asked.append(len(queries))
        assert page.context["list"].count == Number.objects.count()
    assert asked == [4, 4]


def test_a_number_is_located_activated_and_suspended(acme, alice, numbers, client_of):
    browser, path = client_of(alice, acme), f"/numbers/{numbers[0].pk}/"
    assert "nobody would know where to send help" in browser.get(path).content.decode()
    refused = browser.post(f"{path}activate/", follow=True).content.decode()
    assert "must have an emergency location" in refused
    with contexts.customer(acme):
        place = berlin(alice)

    facts = {"label": "Reception", "inbound": "teams", "place": place.pk, "row_version": numbers[0].row_version}
    assert browser.post(path, facts).status_code == 302
    assert "changed this" in browser.post(path, facts | {"label": "Lobby"}).content.decode()
    browser.post(f"{path}activate/")
    assert browser.get(f"/api/v1{path}").json()["state"] == "active"
    browser.post(f"{path}suspend/")
    with contexts.customer(acme):
        number = Number.objects.get(pk=numbers[0].pk)
        assert (number.state, number.label) == ("suspended", "Reception")


def test_bulk_actions_take_ticked_rows_or_everything_that_matches(acme, alice, numbers, client_of):
    browser = client_of(alice, acme)
    with contexts.customer(acme):
        place = berlin(alice)
    picks = {"pick": [numbers[0].pk]}
    assert "1 number is chosen" in browser.post("/numbers/location/", picks).content.decode()
    browser.post("/numbers/location/", picks | {"confirmed": "1", "place": place.pk})
    everything = {"every": "1", "query": "q=030 123"}
    browser.post("/numbers/location/", everything | {"confirmed": "1", "place": place.pk})
    browser.post("/numbers/activate/", everything)

    with contexts.customer(acme):
        assert Number.objects.active().count() == 2


def test_where_no_place_is_known_setting_one_leads_to_the_first(acme, alice, numbers, client_of):
    answer = client_of(alice, acme).post("/numbers/location/", {"pick": [numbers[0].pk]}, follow=True)

    assert answer.redirect_chain[-1][0] == "/people/places/new/"
    assert "no place yet that could be set" in answer.content.decode()


def test_a_refused_bulk_action_leads_back_to_what_the_list_was_narrowed_to(acme, alice, numbers, client_of):
    answer = client_of(alice, acme).post("/numbers/activate/", {"pick": [numbers[0].pk], "query": "place=none&q=030"})

    assert answer["Location"] == "/numbers/?place=none&q=030"


def test_another_customers_objects_are_out_of_reach(acme, globex, alice, mallory, nadia, numbers, client_of):
    given(globex, nadia, "+12065550100", country="US")
    browser = client_of(mallory, globex)
    with contexts.customer(acme):
        place = berlin(alice)
    with contexts.customer(globex):
        own = Number.objects.get()
        Number.objects.filter(pk=own.pk).update(id=own.pk + 1000)
        assert not Place.objects.exists()

    for path in CLOSED_TO_MALLORY:
        assert browser.get(path.format(numbers[1].pk)).status_code == 404
    body = {"place": place.pk, "inbound": "teams"}
    path = f"/api/v1/numbers/{own.pk + 1000}/"
    assert browser.patch(path, body, content_type="application/json").status_code == 400
    answer = browser.post(f"/numbers/{own.pk + 1000}/", {"inbound": "teams", "place": place.pk, "row_version": "0"})
    assert "place" in answer.context["form"].errors
    browser.post("/numbers/suspend/", {"pick": [numbers[1].pk]})
    with contexts.customer(acme):
        assert Number.objects.get(pk=numbers[1].pk).state == "inactive"


def test_a_viewer_looks_and_changes_nothing(acme, victor, numbers, client_of):
    browser = client_of(victor, acme)

    assert browser.get(f"/numbers/{numbers[0].pk}/").status_code == 200
    for path in (
        f"/numbers/{numbers[0].pk}/activate/",
        "/numbers/suspend/",
        "/numbers/location/",
        "/numbers/caller-ids/new/",
    ):
        assert browser.post(path, {"pick": [numbers[0].pk]}).status_code == 403
    browser.post(f"/numbers/{numbers[0].pk}/", {"label": "Mine", "inbound": "teams", "row_version": "0"})
    path = f"/api/v1/numbers/{numbers[0].pk}/"
    assert browser.patch(path, {"label": "Mine"}, content_type="application/json").status_code == 403
    with contexts.customer(acme):
        assert not Number.objects.filter(label="Mine").exists()


def test_the_api_says_why_a_number_cannot_be_used(acme, alice, numbers, client_of):
    browser = client_of(alice, acme)

    answer = browser.post(f"/api/v1/numbers/{numbers[0].pk}/activate/")
    assert answer.status_code == 400
    assert "emergency location" in answer.json()["errors"]["place"][0]
    assert answer["Content-Type"] == "application/problem+json"
    assert browser.post("/api/v1/numbers/", {"e164": "+49309"}, content_type="application/json").status_code == 405


def test_foreign_caller_ids_and_what_is_shown_instead(acme, alice, numbers, client_of):
    browser = client_of(alice, acme)
    facts = {"e164": "+44 20 7946 0001", "note": "London", "evidence": "Bill"}
    assert browser.post("/numbers/caller-ids/new/", facts).status_code == 302
    assert "+44 20 7946 0001" in browser.get("/numbers/caller-ids/").content.decode()
    assert browser.post("/numbers/caller-ids/new/", facts | {"e164": "hello"}).status_code == 200
    with contexts.customer(acme):
        caller_id = ApprovedCallerId.objects.get()
    assert browser.get("/api/v1/caller-ids/").json()["results"][0]["e164"] == "+442079460001"
    assert browser.post("/numbers/caller-ids/policy/", {"policy": "replace"}).status_code == 200
    assert browser.post("/numbers/caller-ids/policy/", {"policy": "refuse"}).status_code == 302
    late = browser.post("/numbers/caller-ids/policy/", {"policy": "refuse", "seen": "replace,+49301234500"})
    assert "Somebody changed this meanwhile." in late.content.decode()
    assert browser.post(f"/numbers/caller-ids/{caller_id.pk}/delete/", {"confirmed": "1"}).status_code == 302


def test_an_msp_gives_takes_and_moves_in_bulk(northwind, acme, globex, nadia, client_of):
    ids = stock(northwind, "+49301234500", "+49301234501", "+49301234502")
    browser = client_of(nadia, northwind)
    asked = browser.post("/numbers/allocate/", {"pick": ids})
    assert "3 numbers are chosen" in asked.content.decode()

    browser.post("/numbers/allocate/", {"pick": ids, "confirmed": "1", "customer": acme.pk})
    refused = browser.post("/numbers/allocate/", {"pick": ids, "confirmed": "1", "customer": globex.pk})
    assert "not free" in refused.content.decode()
    browser.post("/numbers/move/", {"pick": ids[:1], "confirmed": "1", "customer": globex.pk})
    browser.post(
        "/numbers/release/", {"every": "1", "query": f"customer={globex.pk}", "confirmed": "1", "cooling_days": 9}
    )

    with contexts.msp(northwind):
        states = list(StockNumber.objects.in_number_order().values_list("state", "tenant"))
    assert states == [("cooling", None), ("allocated", acme.pk), ("allocated", acme.pk)]
    held = browser.get("/api/v1/allocations/").json()["results"]
    assert [each["customer"] for each in held].count(acme.pk) == 3
    assert browser.get(f"/numbers/{ids[0]}/").status_code == 200


def test_the_api_gives_numbers_to_ones_own_customers_only(northwind, acme, initech, nadia, client_of):
    ids = stock(northwind, "+49301234500")
    browser = client_of(nadia, northwind)

    def give(customer):
        body = {"ids": ids, "customer": customer.pk}
        return browser.post("/api/v1/allocations/", body, content_type="application/json").status_code

    assert give(initech) == 404
    assert give(acme) == 201
    assert give(acme) == 400


def test_the_lists_panel_saves_by_the_numbers_own_view_and_answers_with_the_row(acme, alice, numbers, client_of):
    browser, path = client_of(alice, acme), f"/numbers/{numbers[0].pk}/"
    assert 'id="list-panel"' in browser.get("/numbers/").content.decode()
    panel = browser.get(path, headers=PANEL)
    assert "HX-Target" in panel["Vary"]
    assert "<html" not in panel.content.decode()
    assert f'hx-post="{path}"' in panel.content.decode()

    facts = {"label": "Reception", "inbound": "teams", "row_version": numbers[0].row_version}
    refused = browser.post(path, facts | {"then": "activate"}, headers=PANEL)
    assert "emergency location" in refused.context["form"].errors["place"][0]
    assert 'value="Reception"' in refused.content.decode()
    with contexts.customer(acme):
        place = berlin(alice)
    done = browser.post(path, facts | {"then": "activate", "place": place.pk}, headers=PANEL).content.decode()
    assert done.count("<tr") == 1
    assert f'class="row-link" href="{path}"' in done
    assert "Reception" in done
    assert 'data-panel-saved="Number saved. It goes live in a moment."' in done
    with contexts.customer(acme):
        assert Number.objects.get(pk=numbers[0].pk).state == "active"

    stale = browser.post(path, facts | {"label": "Lobby", "place": place.pk}, headers=PANEL).content.decode()
    assert "Somebody else changed this" in stale
    assert f'<a href="{path}" target="_blank"' in stale
    assert 'value="Lobby"' in stale


def test_a_viewer_has_no_panel(acme, victor, numbers, client_of):
    browser = client_of(victor, acme)

    assert "list-panel" not in browser.get("/numbers/").content.decode()
    assert "<html" in browser.get(f"/numbers/{numbers[0].pk}/", headers=PANEL).content.decode()


def test_a_trunk_that_is_not_chosen_is_missed_at_its_field(acme, alice, numbers, client_of):
    browser, path = client_of(alice, acme), f"/numbers/{numbers[0].pk}/"
    facts = {"label": "", "inbound": "trunk", "row_version": numbers[0].row_version}

    refused = browser.post(path, facts)

    assert refused.context["form"].errors == {"inbound_trunk": ["Choose the trunk that takes the calls."]}
    assert '<a href="#id_inbound_trunk">Trunk</a>' in refused.content.decode()
    said = browser.patch(f"/api/v1{path}", {"inbound": "trunk"}, content_type="application/json").json()
    assert "Choose the trunk" in str(said)


def test_an_active_number_can_be_deactivated_wherever_it_can_be_suspended(acme, alice, numbers, client_of):
    browser, path = client_of(alice, acme), f"/numbers/{numbers[0].pk}/"
    with contexts.customer(acme):
        facts = {"label": "", "inbound": "teams", "place": berlin(alice).pk, "row_version": numbers[0].row_version}
    browser.post(path, facts | {"then": "activate"}, headers=PANEL)

    panel = browser.get(path, headers=PANEL).content.decode()
    assert 'value="suspend"' in panel and 'value="deactivate"' in panel
    page = browser.get(path).content.decode()
    assert f'action="{path}suspend/"' in page and f'action="{path}deactivate/"' in page
    facts["row_version"] += 1
    browser.post(path, facts | {"then": "deactivate"}, headers=PANEL)
    with contexts.customer(acme):
        assert Number.objects.get(pk=numbers[0].pk).state == "inactive"


def test_the_folded_list_has_the_panel_for_who_may_change_numbers(acme, alice, victor, numbers, client_of):
    page = client_of(alice, acme).get("/numbers/ranges/").content.decode()
    assert 'id="list-panel"' in page
    assert f'class="row-link" href="/numbers/{numbers[0].pk}/"' in page
    assert 'id="range-49301234500"' in page
    assert 'id="list-panel"' not in client_of(victor, acme).get("/numbers/ranges/").content.decode()
