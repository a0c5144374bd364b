"""The pages and the API of margins: who sees them, what they say, where they lead."""

import csv
import io

import pytest
from django.utils.timezone import now

from portal.db import contexts
from tenants.models import Membership, User
from tenants.tests.clients import client_of
from voice.carriers.models import Trunk
from voice.margin.lens import next_month
from voice.margin.models import Target
from voice.margin.months import this_month
from voice.rating.tests.make import ask, stored_deck
from voice.receivables.models import LineQuestion
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
PAGES = ("/margin/", "/margin/customers/", "/margin/routes/")


@pytest.fixture
def desk(northwind, nadia):
    return client_of(nadia, northwind)


@pytest.fixture
def month(acme, globex, northwind, summed):
    with contexts.msp(northwind):
        trunk = Trunk.objects.create(msp=northwind, name="Carrier A", host="192.0.2.1")
    summed(acme, "Germany", trunk=trunk.pk, earned=9_000_000, cost=4_000_000)
    summed(acme, "Austria, mobile", trunk=trunk.pk, earned=1_000_000, cost=3_000_000, unpriced=2, uncosted=1)
    summed(globex, "Germany", trunk=trunk.pk, earned=5_000_000, currency="USD")
    return trunk


def test_a_carriers_first_invoice_begins_in_the_currency_of_its_price_list(desk, northwind):
    def offered():
        pages = [f"/margin/carrier-invoices/{name}/" for name in ("new", "totals")]
        return {desk.get(page).context["form"]["currency"].value() for page in pages}

    assert offered() == {"EUR"}
    with contexts.msp(northwind):
        trunk = Trunk.objects.create(msp=northwind, name="Carrier A", host="192.0.2.1")
        ask(stored_deck(northwind, "Carrier A", "buy", currency="GBP"), trunk.pk)
    assert offered() == {"GBP"}


def test_margins_are_for_owner_and_billing_alone(month, northwind, desk):
    assert [desk.get(page).status_code for page in PAGES] == [200, 200, 200]
    for role in ("engineer", "support"):
        user = User.objects.create_user(f"{role}@northwind.example", "x")
        with contexts.msp(northwind):
            Membership(user=user, msp=northwind, role=role).save()
        browser = client_of(user, northwind)
        assert [browser.get(page).status_code for page in (*PAGES, "/api/v1/margin-sums/")] == [403] * 4


def test_the_first_page_says_what_is_left_and_what_is_not_in_it(month, desk):
    text = desk.get("/margin/?currency=EUR").content.decode()

    assert "€10.00" in text and "€3.00" in text and "30.0 %" in text
    assert "Amounts in USD are not in these figures" in text
    assert "2 answered calls have no price" in text and "1 call over a trunk has no cost" in text
    assert "Austria, mobile" in text and "destination=Austria%2C+mobile&amp;trunk=Carrier+A" in text
    assert f'data-day="{this_month()}" data-earned="10000000"' in text and 'data-cost="7000000"' in text


def test_the_month_before_the_first_call_says_so(desk):
    text = desk.get("/margin/").content.decode()
    assert "No calls and no fees in this month." in text


def test_a_line_of_the_lists_leads_to_the_calls_behind_it(month, acme, desk):
    routes = desk.get("/margin/routes/?currency=EUR").content.decode()
    assert "Carrier A" in routes and "Below zero" in routes
    link = f"from={this_month()}&amp;to="
    assert link in routes
    by_trunk = desk.get("/margin/routes/?currency=EUR&by=trunk").content.decode()
    assert "Austria, mobile" not in by_trunk and "Carrier A" in by_trunk
    mine = desk.get(f"/margin/customers/{acme.pk}/?currency=EUR").content.decode()
    assert f"customer={acme.pk}" in mine and "€3.00" in mine
    assert desk.get("/margin/customers/999999/").status_code == 404
    calls = desk.get("/calls/?destination=Austria, mobile&trunk=Carrier A&result=answered")
    assert calls.status_code == 200


def test_lists_are_narrowed_sorted_and_exported(month, desk):
    lossy = desk.get("/margin/routes/?currency=EUR&standing=loss&sort=-spent").content.decode()
    assert "Austria, mobile" in lossy and "Germany" not in lossy
    assert "Nothing matches" in desk.get("/margin/routes/?currency=EUR&q=Chile").content.decode()
    text = desk.get("/margin/customers/?currency=EUR&export=csv").getvalue().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:4] == ["Standing", "Customer", "Plan", "Revenue"]
    assert {row[1]: row[3] for row in rows[1:]}["Acme"] == "€10.00"


def test_an_address_that_means_nothing_shows_the_page_as_it_is(month, desk):
    for page in PAGES:
        assert desk.get(f"{page}?by=x&currency=%00%00%00&month=9999-12").status_code == 200


def test_a_target_is_set_on_its_page_and_by_programs(month, acme, northwind, desk):
    refused = desk.post(f"/margin/customers/{acme.pk}/target/", {"percent": "100"})
    assert refused.status_code == 200 and "99.9" in refused.content.decode()
    assert desk.post(f"/margin/customers/{acme.pk}/target/", {"percent": "42.5"}).status_code == 302
    with contexts.msp(northwind):
        assert list(Target.objects.values_list("tenant", "per_mille")) == [(acme.pk, 425)]
    assert "Below target" in desk.get("/margin/customers/?currency=EUR").content.decode()

    made = desk.post("/api/v1/margin-targets/", {"per_mille": 300}, content_type="application/json")
    assert (made.status_code, made.json()["per_mille"], made.json()["customer"]) == (201, 300, None)
    other = desk.post(
        "/api/v1/margin-targets/", {"customer": 999_999, "per_mille": 300}, content_type="application/json"
    )
    assert other.status_code == 400
    sums = desk.get(f"/api/v1/margin-sums/?grain=month&customer={acme.pk}").json()["results"]
    assert [(row["currency"], row["earned"], row["cost"]) for row in sums] == [("EUR", 10_000_000, 7_000_000)]


def test_what_customers_do_not_accept_stands_beside_the_month_until_it_is_answered(month, acme, northwind, desk):
    with contexts.msp(northwind):
        billed = make.profile(make.entity(northwind), acme)
        issued = make.issued(billed, 2_000_000, period=(this_month(), next_month(this_month())))
        facts = {"msp": northwind, "tenant": acme, "invoice": issued, "position": 1, "text": "Why?", "currency": "EUR"}
        made = [LineQuestion.objects.create(disputed=micros, **facts) for micros in (1_230_000, 0)]
    link = f"/invoices/questions/?state=open&amp;disputed=yes&amp;month={this_month():%Y-%m}"

    overview = desk.get("/margin/?currency=EUR").content.decode()
    own = desk.get(f"/margin/customers/{acme.pk}/?currency=EUR").content.decode()
    told = desk.get("/api/v1/margin-customers/?currency=EUR").json()["results"]
    text = desk.get("/margin/customers/?currency=EUR&export=csv").getvalue().decode("utf-8-sig")

    assert f"{link}" in overview and "€1.23" in overview and "Disputed by customers" in overview
    assert f"{link}&amp;customer={acme.pk}" in own and "€1.23" in own
    assert [(row["disputed_by_customer"], row["revenue"]) for row in told if row["customer"] == acme.pk] == [
        (1_230_000, 12_000_000)
    ]
    assert {row["Customer"]: row["Disputed by the customer"] for row in csv.DictReader(io.StringIO(text))}[
        "Acme"
    ] == "€1.23"

    with contexts.msp(northwind):
        LineQuestion.objects.filter(pk=made[0].pk).update(state="answered", answer="Yes.", answered_at=now())
    assert "€1.23" not in desk.get("/margin/?currency=EUR").content.decode()
