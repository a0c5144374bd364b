"""Questions on the pages and in the API, and what is refused."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.core.audit import Actor
from portal.db import contexts
from voice.advisor import selectors, services
from voice.advisor.models import Assessment, FirstValues
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
BY = Actor.system("tests")
OFFICE = {"country": "DE", "profile": "office", "people": 40, "domestic": 200, "international": 20}


@pytest.fixture
def office(client_of, nadia, northwind):
    return client_of(nadia, northwind)


@pytest.fixture
def contoso(northwind):
    with contexts.msp(northwind):
        return services.save_assessment(Assessment(msp=northwind, name="Contoso"), [OFFICE], by=BY)


def posted(*groups, **changes):
    data = {"name": "Contoso", "currency": "EUR", "goal": "margin", "group-TOTAL_FORMS": str(len(groups)),
            "group-INITIAL_FORMS": "0"}  # fmt: skip
    for number, group in enumerate(groups):
        data |= {f"group-{number}-{name}": value for name, value in group.items()}
    return data | changes


def test_a_question_is_asked_and_answered(office, northwind):
    answer = office.post("/advisor/new/", posted(OFFICE, needs=["own_routing"]), follow=True)

    assert "<strong>Direct Routing</strong> suits best" in answer.text
    assert "No routing of your own: Microsoft carries every call." in answer.text
    with contexts.msp(northwind):
        row = Assessment.objects.get()
        assert (row.needs, row.groups.get().people) == (["own_routing"], 40)


def test_a_question_begins_in_the_currency_of_most_bills(office, northwind, acme):
    def offered():
        return office.get("/advisor/new/").context["form"]["currency"].value()

    assert offered() == "EUR"
    with contexts.msp(northwind):
        make.profile(make.entity(northwind), acme, currency="GBP")
    assert offered() == "GBP"


def test_one_more_group_loses_nothing_that_was_typed(office, northwind):
    answer = office.post("/advisor/new/", posted(OFFICE, name="Half typed", then="more"))

    assert 'value="Half typed"' in answer.text
    assert 'name="group-1-people"' in answer.text
    with contexts.msp(northwind):
        assert not Assessment.objects.exists()


@pytest.mark.parametrize(
    ("groups", "changes", "words"),
    [
        ([], {}, "Name at least one group of people"),
        ([OFFICE | {"people": "0"}], {}, "greater than or equal to 1"),
        ([OFFICE | {"country": "XX"}], {}, "not one of the available choices"),
        ([OFFICE], {"currency": "EURO"}, "EURO"),
        ([OFFICE], {"needs": ["pizza"]}, "pizza"),
        ([OFFICE], {"name": ""}, "required"),
    ],
)
def test_bad_questions_are_told_at_the_field(office, northwind, groups, changes, words):
    answer = office.post("/advisor/new/", posted(*groups, **changes))

    assert answer.status_code == 200
    assert words in answer.text
    with contexts.msp(northwind):
        assert not Assessment.objects.exists()


def test_what_a_customer_is_shown_has_no_cost_in_it(office, contoso):
    inside = office.get(f"/advisor/{contoso.pk}/").text
    outside = office.get(f"/advisor/{contoso.pk}/?for=customer").text

    for secret in ("Carrier&#x27;s channel, cost", "Teams Phone licence, cost", "way-margin"):
        assert secret in inside
        assert secret not in outside
    assert "Price a person and month" in outside


def test_assumptions_are_the_questions_own_then_the_msps_then_ours(office, contoso, northwind):
    with contexts.msp(northwind):
        services.save_first_values(selectors.first_values(northwind), {"months": 24, "domestic_price": 1}, by=BY)
        contoso = services.assume(contoso, {"months": 48}, by=BY)

        values = selectors.values_of(contoso)
        assert (values["months"], values["domestic_price"], values["domestic_cost"]) == (48, 1, 6_000)
        assert contoso.assumptions == {"months": 48}

        for wrong in ({"months": 0}, {"months": "36"}, {"plan_discount": 101}, {"operator_in": 1}, {"no_such": 1},
                      {"plan_countries": "DE; DROP"}, {"domestic_price": -1}):  # fmt: skip
            with pytest.raises(ValidationError):
                services.assume(contoso, wrong, by=BY)


def test_a_list_of_many_questions_takes_no_more_than_one(office, contoso, northwind):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert "Direct Routing" in office.get("/advisor/").text
        return len(queries)

    asked()
    one = asked()
    with contexts.msp(northwind):
        services.save_first_values(selectors.first_values(northwind), {"months": 24}, by=BY)
        for number in range(3):
            services.save_assessment(Assessment(msp=northwind, name=f"Contoso {number}"), [OFFICE], by=BY)
    assert asked() == one


def test_first_values_are_typed_as_amounts(office, northwind):
    page = office.get("/advisor/first-values/")
    form = page.context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}

    assert office.post("/advisor/first-values/", data | {"direct_user_price": "5.25"}).status_code == 302

    with contexts.msp(northwind):
        assert FirstValues.objects.get().assumptions == {"direct_user_price": 5_250_000}


def test_programs_ask_the_same(office, northwind, fabrikam, contoso):
    made = office.post(
        "/api/v1/assessments/", {"name": "By program", "groups": [OFFICE], "needs": []}, content_type="application/json"
    )
    assert made.status_code == 201, made.text
    pk = made.json()["id"]

    options = office.get(f"/api/v1/assessments/{pk}/advice/").json()
    assert {option["way"] for option in options} == {"direct", "operator", "calling_plan", "mobile", "mix"}
    put = office.put(
        f"/api/v1/assessments/{pk}/assumptions/", {"assumptions": {"months": 12}}, content_type="application/json"
    )
    assert put.json()["assumptions"]["months"] == 12
    with contexts.msp(fabrikam):
        assert not Assessment.objects.exists()


def test_two_who_change_one_question_are_told(northwind, contoso):
    with contexts.msp(northwind):
        other = Assessment.objects.get(pk=contoso.pk)
        services.save_assessment(contoso, [OFFICE], by=BY)

        with pytest.raises(ValidationError):
            services.save_assessment(other, [OFFICE], by=BY)
