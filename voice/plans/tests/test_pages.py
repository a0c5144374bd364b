"""The pages and the API of plans, contracts and quotes: from the draft to the customer's page, and for whom."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.models import Membership, User
from voice.calls.tests.make import cdr
from voice.plans.models import AddOn, Component, Contract, Credit, Phase, Plan, PlanVersion, Quote
from voice.plans.proration import add_months
from voice.plans.quoting import Assumptions, Traffic, quote
from voice.plans.selectors import ask_otherwise
from voice.plans.tests import make
from voice.plans.tests.make import BERLIN, EUR
from voice.rating.limits import account_of, save_terms
from voice.rating.models import Charge, Cost
from voice.rating.tests.make import stored_deck, stored_rate
from voice.rerating.models import CostAdjustment

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client_of, nadia, northwind):
    return client_of(nadia, northwind)


@pytest.fixture
def deck(northwind):
    with contexts.msp(northwind):
        made = stored_deck(northwind, "Office Europe")
        stored_rate(made, "49", 20_000, destination="Germany", fee=10_000)
        stored_rate(made, "33", 30_000, destination="France")
    return made


def support_of(msp):
    user = User.objects.create_user("sami@northwind.example", "x", name="Sami")
    with contexts.msp(msp):
        Membership(user=user, msp=msp, role="support").save()
    return user


def test_from_the_draft_to_the_customers_page(desk, client_of, acme, alice, northwind, deck):
    contexts.use_public()
    today = timezone.localdate()
    month = today.replace(day=1)
    told = {"name": "Office", "currency": "eur", "zone": "Europe/Berlin", "note": "Margin is thin"}
    assert desk.post("/plans/new/", told).status_code == 302
    with contexts.msp(northwind):
        plan, version = Plan.objects.get(), PlanVersion.objects.get()
    add = f"/plans/versions/{version.pk}/add/"
    desk.post(f"/plans/versions/{version.pk}/edit/", {"deck": deck.pk, "effective_from": "2026-01-01"})
    desk.post(f"{add}monthly/", {"name": "User", "amount": "12.50", "per": "seat", "tax_class": "telecom"})
    desk.post(f"{add}minutes/", {"name": "Included", "minutes": "500", "pool": "shared", "roll_over": "1"})
    desk.post(f"{add}monthly/", {"name": "Recording", "amount": "5", "per": "contract", "tax_class": "service",
                                 "optional": "on"})  # fmt: skip
    desk.post(f"{add}discount/", {"name": "Start", "per_million": "12.5", "scope": "fees", "months": "3"})

    shown = desk.get(f"/plans/{plan.pk}/").content.decode()
    assert "€12.50 a month for each user." in shown
    assert "12.5 % off fees, for 3 months." in shown
    # Ten users, 500 of 1,000 minutes to the cheapest destination, the discount.
    assert "€125.00" in shown
    assert "Included: 500 of 500 minutes used" in shown
    assert "-€15.63" in shown

    assert desk.post(f"/plans/versions/{version.pk}/publish/", {"confirmed": "yes"}).status_code == 302
    with contexts.msp(northwind):
        version.refresh_from_db()
        assert version.state == "published"
        assert Component.objects.get(name="Start").per_million == 125_000
    signed = {"tenant": acme.pk, "version": version.pk, "starts": add_months(month, -2).isoformat(),
              "term_months": 12, "renewal_months": 12, "notice_days": 90}  # fmt: skip
    assert desk.post("/plans/contracts/new/", signed).status_code == 302
    with contexts.msp(northwind):
        contract = Contract.objects.get()
    page = f"/plans/contracts/{contract.pk}/"
    desk.post(f"{page}add-on/", {"name": "Recording", "quantity": "2", "begins": month.isoformat()})
    desk.post(f"{page}credit/", {"month": month.isoformat(), "amount": "3.00", "reason": "Outage of the 3rd"})
    assert "2 × Recording" in desk.get(page).content.decode()

    contexts.use_public()
    own = client_of(alice, acme).get("/plan/").content.decode()
    for words in ("Office", "500 minutes a month, shared by all.", "Outage of the 3rd", "2 × Recording"):
        assert words in own
    assert "Margin is thin" not in own
    assert "/plan/" in client_of(alice, acme).get("/bills/").content.decode()


def test_a_change_shows_what_the_month_would_cost_before_it_is_made(desk, office, northwind):
    starts = add_months(timezone.localdate().replace(day=1), -1)
    made = make.contract(
        office, make.published(northwind, {"kind": "monthly", "name": "A", "amount": 30 * EUR}), starts
    )
    other = make.published(northwind, {"kind": "monthly", "name": "B", "amount": 60 * EUR}, name="B")
    contexts.use_public()
    page, on = f"/plans/contracts/{made.pk}/change/", add_months(starts, 2)
    looked = strip_tags(desk.post(page, {"version": other.pk, "on": on.isoformat(), "then": "look"}).content.decode())
    assert "€30.00 as it is, €60.00 with the change" in looked
    assert desk.post(page, {"version": other.pk, "on": starts.isoformat()}).status_code == 200
    with contexts.msp(northwind):
        assert Phase.objects.count() == 1
    contexts.use_public()
    assert desk.post(page, {"version": other.pk, "on": on.isoformat()}).status_code == 302
    end = {"noticed_on": starts.isoformat(), "ends": starts.isoformat()}
    refused = desk.post(f"/plans/contracts/{made.pk}/end/", end).content.decode()
    assert "at the earliest" in refused
    assert (
        desk.post(f"/plans/contracts/{made.pk}/end/", end | {"agreed": "on", "ends": on.isoformat()}).status_code == 302
    )


def test_a_form_says_what_is_wrong_where_it_is(desk, northwind):
    with contexts.msp(northwind):
        make.services.save_plan(Plan(msp=northwind, name="Draft", currency="EUR"), by=make.BY)
        version = PlanVersion.objects.get()
    add = f"/plans/versions/{version.pk}/add/"
    for kind, told, words in (
        ("tiers", {"name": "Volume", "tiers": "1000 0,02"}, "Line 1: write minutes and a price"),
        ("tiers", {"name": "Volume", "tiers": "1000 0.02\n500 0.01"}, "Limits rise from tier to tier"),
        ("monthly", {"name": "Fee", "amount": "1.234,50"}, "Write an amount with a point"),
        ("monthly", {"name": "Fee", "amount": "-1"}, "An amount is not below zero."),
        ("discount", {"name": "Off", "per_million": "101", "scope": "all"}, "less than or equal to 100"),
    ):
        answer = desk.post(f"{add}{kind}/", told)
        assert answer.status_code == 200
        assert words in answer.content.decode()
    assert desk.get(f"{add}nonsense/").status_code == 404


def test_a_quote_prices_real_calls_by_another_deck_and_typed_ones_by_their_destination(office, northwind, deck):
    with contexts.ingest():
        ensure_days("calls_cdr", [date(2026, 6, 10)])
        start = datetime(2026, 6, 10, 10, tzinfo=BERLIN)
        for place, (called, direction) in enumerate([("+4930111", "out"), ("+4930111", "out"), ("+8112345", "out")]):
            answered = start + timedelta(minutes=place)
            cdr(
                office, answered - timedelta(seconds=5), answered=answered, ended=answered + timedelta(seconds=60),
                called=called, direction=direction,
            ).save(force_insert=True)  # fmt: skip
    version = make.published(
        northwind,
        {"kind": "monthly", "name": "User", "amount": 10 * EUR, "per": "seat"},
        {"kind": "minutes", "name": "Included", "minutes": 1},
        {"kind": "once", "name": "Set-up", "amount": 99 * EUR},
        deck=deck,
    )

    real = quote(Assumptions(date(2026, 6, 1), office, users=40), [version])[0]
    typed = quote(
        Assumptions(date(2026, 6, 1), users=40, traffic=(Traffic("germany", 2, 2), Traffic("Mars", 9, 3)), cost=EUR),
        [version],
    )[0]

    # One call covered, one at 0.02 a minute with its fee; Japan has no price in this deck.
    assert (real["monthly"], real["once"], real["calls"], real["unpriced"]) == (400_030_000, 99 * EUR, 2, 1)
    assert (typed["monthly"], typed["unpriced"], typed["cost"]) == (400_030_000, 3, EUR)
    assert typed["margin"] == 399_030_000
    assert real["costs"] == []


def test_a_quote_knows_what_the_calls_cost_after_all(office, northwind, deck):
    with contexts.ingest():
        ensure_days("rating_cost", [date(2026, 6, 10)])
        call = make.charge(office, 60)
        key = {"tenant": office, "msp": northwind, "invited": call.invited, "answered": call.answered,
               "direction": "out", "trunk": 1}  # fmt: skip
        for number, (currency, micros) in enumerate([("EUR", 15_000), ("USD", 9_000)]):
            facts = {"id": UUID(int=number), "outcome": "rated", "seconds": 60, "billed": 60, "rated_at": call.answered}
            Cost.objects.create(**key, **facts, currency=currency, micros=micros)
        for currency, micros in (("EUR", -5_000), ("USD", -9_000), ("EUR", 8_000)):
            CostAdjustment.objects.create(
                **key, call=UUID(int=currency == "USD"), currency=currency, micros=micros, made_at=call.answered,
                proposal_id=micros + 10_000,
            )  # fmt: skip

    with CaptureQueriesContext(connection) as asked:
        found = quote(Assumptions(date(2026, 6, 1), office), [make.published(northwind, deck=deck)])[0]

    assert (found["costs"], found["cost"]) == ([["EUR", 18_000]], 18_000)
    posted = next(each["sql"] for each in asked if 'FROM "rating_cost"' in each["sql"])
    assert '"invited" >= ' in posted and '"invited" < ' in posted, "it looks into the month's days alone"


@pytest.mark.parametrize(
    ("part", "kind", "said"),
    [
        ({"kind": "minutes", "name": "Included", "minutes": 10}, "prepaid", True),
        ({"kind": "call", "name": "Each call", "amount": EUR}, "prepaid", True),
        ({"kind": "discount", "name": "Loyalty", "per_million": 100_000, "scope": "fees"}, "prepaid", False),
        ({"kind": "monthly", "name": "Fee", "amount": EUR}, "prepaid", False),
        ({"kind": "minutes", "name": "Included", "minutes": 10}, "postpaid", False),
    ],
)
def test_pages_and_api_say_where_a_limit_counts_calls_otherwise_than_the_bill(
    desk, client_of, acme, alice, northwind, deck, part, kind, said
):
    with contexts.msp(northwind):
        made = make.contract(acme, make.published(northwind, part, deck=deck))
        account = account_of(acme)
        account.kind = kind
        save_terms(account, by=make.BY)
    contexts.use_public()
    own = client_of(alice, acme)

    pages = [
        desk.get(f"/plans/contracts/{made.pk}/"), desk.get(f"/customers/{acme.pk}/account/"), own.get("/plan/"),
        own.get("/balance/"),
    ]  # fmt: skip
    assert [each.status_code for each in pages] == [200] * 4
    words = "calls may be stopped although included minutes are left"
    assert [words in " ".join(each.content.decode().split()) for each in pages] == [said] * 4
    (listed,) = desk.get("/api/v1/accounts/").json()["results"]
    assert listed["settled_with_bill"] is said
    assert own.get(f"/api/v1/accounts/{acme.pk}/").json()["settled_with_bill"] is said


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [(None, None, False), (-40, None, True), (-40, 0, False), (30, None, False)],
)
def test_minutes_that_a_plan_offers_count_where_they_are_ordered(
    client_of, acme, alice, northwind, deck, begins, ends, said
):
    today = timezone.localdate()
    offered = {"kind": "minutes", "name": "More minutes", "minutes": 10, "optional": True}
    with contexts.msp(northwind):
        made = make.contract(acme, make.published(northwind, offered, deck=deck))
        if begins is not None:
            AddOn.objects.create(
                msp=northwind, tenant=acme, contract=made, name="more Minutes", begins=today + timedelta(begins),
                ends=None if ends is None else today + timedelta(ends),
            )  # fmt: skip
        account = account_of(acme)
        account.kind = "prepaid"
        save_terms(account, by=make.BY)
        assert ask_otherwise([acme.pk]) == ({acme.pk} if said else set())
    contexts.use_public()

    assert client_of(alice, acme).get(f"/api/v1/accounts/{acme.pk}/").json()["settled_with_bill"] is said


def test_who_may_not_see_costs_sees_prices_only(client_of, desk, northwind, deck):
    with contexts.msp(northwind):
        version = make.published(
            northwind, {"kind": "monthly", "name": "User", "amount": EUR, "per": "seat"}, deck=deck
        )
    told = {"title": "Contoso", "versions": [version.pk], "month": timezone.localdate().replace(day=1).isoformat(),
            "traffic": "Germany; 100; 50", "cost": "1.77", "users": 10}  # fmt: skip
    contexts.use_public()
    assert desk.post("/plans/quotes/new/", told).status_code == 302
    with contexts.msp(northwind):
        pk = Quote.objects.get().pk
    contexts.use_public()
    sami = client_of(support_of(northwind), northwind)
    assert "Margin a month" in desk.get(f"/plans/quotes/{pk}/").content.decode()
    for page in (sami.get(f"/plans/quotes/{pk}/"), desk.get(f"/plans/quotes/{pk}/print/")):
        assert page.status_code == 200
        assert "Margin a month" not in page.content.decode()
        assert "1.77" not in page.content.decode()
    for browser, seen in ((desk, True), (sami, False)):
        answer = browser.get(f"/api/v1/quotes/{pk}/").json()
        assert ("margin" in answer["outcome"][0], "cost" in answer["assumptions"]) == (seen, seen)
    assert (
        "Choose a customer, or type its traffic."
        in desk.post("/plans/quotes/new/", told | {"traffic": ""}).content.decode()
    )


def test_programs_sell_as_pages_do(desk, acme, northwind):
    contexts.use_public()

    def post(path, **told):
        answer = desk.post(f"/api/v1/{path}/", told, content_type="application/json")
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    plan = post("plans", name="Trunk", currency="EUR", zone="Europe/Berlin")
    version = plan["versions"][0]["id"]
    tiers = [{"up_to": None, "per_minute": 1}, {"up_to": 100, "per_minute": 2}]
    part = post("plan-components", version=version, kind="tiers", name="Volume", tiers=tiers)
    assert desk.patch(f"/api/v1/plan-components/{part['id']}/", {"name": "By volume"},
                      content_type="application/json").json()["tiers"] == [tiers[1], tiers[0]]  # fmt: skip
    post("plan-components", version=version, kind="monthly", name="Fee", amount=EUR)
    post("plan-components", version=version, kind="once", name="Porting", amount=EUR, optional=True)
    day = timezone.localdate().replace(day=1)
    desk.patch(f"/api/v1/plan-versions/{version}/", {"effective_from": "2026-01-01"}, content_type="application/json")
    assert post(f"plan-versions/{version}/publish")["state"] == "published"
    refused = desk.patch(f"/api/v1/plan-components/{part['id']}/", {"name": "X"}, content_type="application/json")
    assert refused.status_code == 400

    contract = post("contracts", customer=acme.pk, version=version, starts=day.isoformat(), term_months=1)
    path = f"contracts/{contract['id']}"
    post(f"{path}/add-ons", name="Porting", quantity=3, begins=day.isoformat())
    post(f"{path}/credits", month=day.isoformat(), amount=500_000, reason="Late")
    month = desk.get(f"/api/v1/{path}/month/").json()
    assert month["net"] == 3_500_000
    post(f"{path}/end", noticed_on=day.isoformat())
    with contexts.msp(northwind):
        assert (Contract.objects.get().ends, AddOn.objects.count(), Credit.objects.count()) == (
            max(add_months(day, 1), day + timedelta(days=30)), 1, 1,
        )  # fmt: skip


def test_many_contracts_take_programs_no_more_questions_than_one(client_of, nadia, office, globex, northwind):
    version = make.published(northwind, {"kind": "monthly", "name": "Fee", "amount": EUR})

    def asked():
        with CaptureQueriesContext(connection) as queries:
            rows = desk.get("/api/v1/contracts/").json()["results"]
        assert rows and all(row["phases"] == [phase] for row in rows)
        return len(queries)

    phase = {"plan": "Office", "version": 1, "currency": "EUR", "begins": "2026-01-01", "ends": None}
    make.contract(office, version, date(2026, 1, 1))
    contexts.use_public()
    desk = client_of(nadia, northwind)
    asked()
    one = asked()
    with contexts.msp(northwind):
        make.contract(globex, version, date(2026, 1, 1))
    assert asked() == one


def test_a_customers_programs_read_their_contract_and_what_is_left(
    client_of, alice, mallory, office, globex, northwind
):
    starts = timezone.localdate().replace(day=1)
    make.contract(office, make.published(northwind, {"kind": "minutes", "name": "Included", "minutes": 10}), starts)
    now = timezone.now()
    with contexts.ingest():
        ensure_days("rating_charge", [now.date()])
        Charge.objects.bulk_create([make.charge(office, 60, now.isoformat())])
    contexts.use_public()
    api = client_of(alice, office)
    assert api.get("/api/v1/contracts/").json()["results"][0]["phases"][0]["plan"] == "Office"
    assert api.get("/api/v1/contracts/month/").json()["included"] == [
        {"name": "Included", "given_seconds": 600, "left_seconds": 540}
    ]
    assert client_of(mallory, globex).get("/api/v1/contracts/").json()["results"] == []
