import pytest
from django.urls import reverse

from portal.core.audit import Actor
from portal.db import contexts
from tenants.services.customers import suspend_customer
from voice.numbers.models import Number
from voice.numbers.tests.make import given
from voice.rating import limits
from voice.routing import services
from voice.routing.models import Route, Schedule
from voice.routing.tests.test_services import save, trunks  # noqa: F401

pytestmark = pytest.mark.django_db
LAB = Actor.system("tests")


def page(name, *args):
    return reverse(name, args=args, urlconf="portal.urls_customer")


def test_a_line_is_added_in_the_browser_with_its_trunks_in_order(client_of, alice, acme, trunks):  # noqa: F811
    browser = client_of(alice, acme)

    answer = browser.post(
        page("routing:new"),
        {"pattern": "+44*", "action": "route", "trunk_0": trunks[1], "trunk_1": trunks[0], "enabled": "on"},
    )

    assert answer.status_code == 302
    route = Route.objects.get()
    assert [each.trunk_id for each in route.trunks.all()] == trunks[::-1]
    assert b"+44*" in browser.get(page("routing:list")).content


def test_a_refusal_stands_at_its_field_and_nothing_typed_is_lost(client_of, alice, acme, trunks):  # noqa: F811
    answer = client_of(alice, acme).post(
        page("routing:new"), {"pattern": "44 london", "action": "route", "trunk_0": trunks[0], "note": "keep me"}
    )

    assert answer.status_code == 200
    assert "pattern" in answer.context["form"].errors
    assert b"44 london" in answer.content and b"keep me" in answer.content


def test_the_second_editor_is_told(client_of, alice, acme, trunks):  # noqa: F811
    route = save(acme, trunks=trunks)
    seen = route.row_version
    save_again = {"pattern": "+44*", "action": "block", "enabled": "on", "seen": seen}
    browser = client_of(alice, acme)
    assert browser.post(page("routing:edit", route.pk), save_again).status_code == 302

    answer = browser.post(page("routing:edit", route.pk), {**save_again, "note": "second"})

    assert answer.status_code == 200 and b"second" in answer.content
    assert answer.context["form"].stale


def test_try_a_number_answers_in_a_sentence_with_every_lines_reason(client_of, victor, acme, trunks):  # noqa: F811
    save(acme, "+1*", trunks)
    save(acme, "+44*", trunks)

    answer = client_of(victor, acme).get(page("routing:try"), {"number": "+44 20 7123 4567"})

    assert answer.context["answer"].sentence == "A call to +44 20 7123 4567 leaves over Carrier A, then Carrier B."
    assert [why for _route, why in answer.context["trace"]] == ["is for other numbers", "takes the call"]


def test_a_line_that_no_call_reaches_says_so_once_it_is_saved_and_in_the_policy(client_of, alice, acme, trunks):  # noqa: F811
    save(acme, "+33*", trunks, caller_pattern="+4930*")
    save(acme, "+44*", trunks)
    browser = client_of(alice, acme)
    line = {"action": "block", "enabled": "on"}

    said = browser.post(page("routing:new"), line | {"pattern": "+4420*"}, follow=True).content.decode()
    assert "no call reaches it: the line +44* above it" in said
    assert said.count("No call reaches this line: +44* above takes them all.") == 1

    # A line for some callers, or for some hours, leaves the others to the lines below.
    hours = Schedule.objects.create(name="Office", windows=[])
    save(acme, "+39*", trunks, schedule=hours)
    for pattern in ("+331*", "+3906*"):
        said = browser.post(page("routing:new"), line | {"pattern": pattern}, follow=True).content.decode()
        assert "It goes live in a moment." in said and said.count("No call reaches this line") == 1


def test_what_stops_a_call_above_the_policy_stands_beside_the_answer(client_of, alice, acme, northwind, nadia, trunks):  # noqa: F811
    save(acme, "*", trunks)
    given(acme, nadia, "+49301234500", "+49301234501")
    contexts.use_customer(acme)
    mine = Number.objects.get(e164="+49301234500")
    Number.objects.filter(pk=mine.pk).update(state="active")
    browser = client_of(alice, acme)

    def told(**asked):
        answer = browser.get(page("routing:try"), asked)
        assert not answer.context["try_form"].errors, answer.context["try_form"].errors
        return answer.context["cautions"]

    assert told(number="+44 20 7123 4567", caller="030 1234500") == []
    asked = browser.get(page("routing:try"), {"number": "+442071234567", "caller": "+49301234501"})
    assert "is refused for its caller: that is no active number of yours" in asked.content.decode()
    acme.default_caller_id = mine.e164
    acme.save()
    assert (
        "the call shows +49 30 1234500, and lines go by that" in told(number="+442071234567", caller="+33144556677")[0]
    )
    asked = browser.get("/api/v1/routes/try/", {"number": "+442071234567", "caller": "+33144556677"}).json()
    assert (asked["outcome"], asked["shown"]) == ("trunk", "+49301234500")
    assert "a number of your own that is not in use" in told(number="+49301234501")[0]
    with contexts.msp(northwind):
        account = limits.account_of(acme)
        account.kind = "prepaid"
        limits.save_terms(account, by=LAB)
        suspend_customer(acme, reason="unpaid", by=LAB)
    assert [words[:13] for words in told(number="+442071234567")] == ["Your provider", "Your balance "]
    assert told(number="112") == []
    asked = browser.get("/api/v1/routes/try/", {"number": "+442071234567"}).json()
    assert "suspended" in asked["notes"][0]


def test_a_new_line_begins_with_the_trunks_of_everything_else(client_of, alice, acme, trunks):  # noqa: F811
    services.save_route(Route(is_default=True, pattern="*"), trunks[::-1], customer=acme, by=LAB)

    form = client_of(alice, acme).get(page("routing:new")).context["form"]

    assert [form[f"trunk_{place}"].initial for place in range(3)] == [*trunks[::-1], None]


def test_who_may_only_look_cannot_change(client_of, victor, acme, trunks):  # noqa: F811
    route = save(acme, trunks=trunks)
    browser = client_of(victor, acme)

    for name, *args in [
        ("routing:new",),
        ("routing:edit", route.pk),
        ("routing:delete", route.pk),
        ("routing:default",),
    ]:
        assert browser.post(page(name, *args)).status_code == 403


def test_hours_are_kept_as_typed(client_of, alice, acme):
    answer = client_of(alice, acme).post(
        page("routing:schedule_new"),
        {"name": "Office", "days_0": [0, 1], "begin_0": "09:00", "until_0": "17:30", "closed_text": "2026-12-24"},
    )

    assert answer.status_code == 302
    office = Schedule.objects.get()
    assert (office.windows, office.closed) == ([{"days": [0, 1], "begin": "09:00", "until": "17:30"}], ["2026-12-24"])


def test_the_api_does_what_the_pages_do(client_of, alice, acme, trunks):  # noqa: F811
    program = client_of(alice, acme)
    body = {"pattern": "+33*", "action": "route", "trunks": trunks}

    made = program.post("/api/v1/routes/", body, content_type="application/json")
    tried = program.get("/api/v1/routes/try/", {"number": "+33123456789"})

    assert made.status_code == 201, made.content
    assert made.json()["trunks"] == trunks
    assert tried.json()["outcome"] == "trunk"


def test_a_program_puts_all_lines_in_order_or_none(client_of, alice, acme, trunks):  # noqa: F811
    first, second = save(acme, "+1*", trunks), save(acme, "+2*", trunks)
    program, turned = client_of(alice, acme), [second.pk, first.pk]

    def ask(**body):
        return program.post("/api/v1/routes/order/", body, content_type="application/json").status_code

    assert ask(ids=[second.pk]) == 409
    assert ask(ids=turned, seen=turned) == 409
    assert ask(ids=turned, seen=[first.pk, second.pk]) == 200
    assert [route.pk for route in Route.objects.filter(is_default=False).in_dial_order()] == turned


def test_a_dragged_line_says_where_it_is_now(client_of, alice, acme, trunks):  # noqa: F811
    first, second = save(acme, "+1*", trunks), save(acme, "+2*", trunks)
    browser = client_of(alice, acme)
    new = {"line": [second.pk, first.pk], "seen": f"{first.pk} {second.pk}", "moved": second.pk}

    answer = browser.post(page("routing:order"), new, headers={"HX-Request": "true"})

    assert b"Line +2* is number 1 of 2 now." in answer.content
    assert list(Route.objects.in_dial_order()) == [second, first]


def test_who_drags_in_an_old_order_is_told_and_sees_the_new_one(client_of, alice, acme, trunks):  # noqa: F811
    first, second = save(acme, "+1*", trunks), save(acme, "+2*", trunks)
    old = {"line": [first.pk, second.pk], "seen": f"{second.pk} {first.pk}", "moved": first.pk}
    browser = client_of(alice, acme)

    answer = browser.post(page("routing:order"), old, headers={"HX-Request": "true"})
    without_script = browser.post(page("routing:order"), old, follow=True)

    for each in (answer, without_script):
        assert b"Somebody changed the order meanwhile" in each.content
    assert f'name="seen" value="{first.pk} {second.pk}"'.encode() in answer.content
