"""The pages and the API of invoice runs: from the month to the numbers, and for whom."""

import pytest

from portal.core.models import AuditEntry
from portal.db import contexts
from voice.receivables.models import BillingProfile, Invoice, InvoiceRun, RunFinding
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges
from voice.receivables.tests.test_pages import member

pytestmark = pytest.mark.django_db
EUR = 1_000_000


@pytest.fixture
def month(billed, globex):
    """October with calls of Acme, and some of Globex that nobody set how to bill."""
    for customer in (billed.tenant, globex):
        make.contract(customer)
    make.issued(billed, 10 * EUR, on=make.OCTOBER[0], period=(make.OCTOBER[0].replace(month=9), make.OCTOBER[0]))
    charges(billed.tenant, 30 * EUR)
    charges(globex, 5 * EUR)
    contexts.use_public()


@pytest.fixture
def office(client_of, nadia, northwind):
    return client_of(nadia, northwind)


def text(answer):
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_from_the_month_to_the_numbers(office, northwind, month, acme, django_capture_on_commit_callbacks):
    contexts.use_public()
    form = text(office.get("/invoices/runs/new/"))
    assert "October 2026" in form
    with django_capture_on_commit_callbacks(execute=True):
        made = office.post("/invoices/runs/new/", {"month": "2026-10"})
    page = made["Location"]
    shown = text(office.get(page))
    assert "€30.00 net, +200 % against €10.00" in shown and "it is not set how it is billed" in shown
    assert office.get(f"{page}?findings=error").context["list"].count == 1

    office.post(f"{page}approve/", {"all": "1"})
    assert "nobody has ticked" in text(office.get(page))
    with contexts.msp(northwind):
        finding = RunFinding.objects.get(code="change")
        run = InvoiceRun.objects.get()
        draft = Invoice.objects.get(source="run").pk
    shown = text(office.get(f"/invoices/{draft}/"))
    assert f"/invoices/runs/findings/{finding.pk}/tick/" in shown and f"/invoices/{draft}/approve/" not in shown
    assert "tick it, first" in text(office.post(f"/invoices/{draft}/approve/", follow=True))
    assert office.post(f"/api/v1/invoices/{draft}/approve/").status_code == 400
    own = f"{page}customers/{finding.customer_id}/"
    approve = f'action="{page}approve/"'
    assert "bill it all the same" in text(office.get(own)) and approve not in text(office.get(own))
    assert "nadia" in text(office.post(f"/invoices/runs/findings/{finding.pk}/tick/", follow=True))
    assert approve in text(office.get(own)), "what had to be looked at was looked at"
    assert "no warning among them" in text(
        office.post(f"{page}tick/", {"every": "1", "query": "findings=any"}, follow=True)
    )
    office.post(f"{page}approve/", {"pick": finding.customer_id})
    assert "Issue what is approved" in text(office.get(page))
    with django_capture_on_commit_callbacks(execute=True):
        assert office.post(f"{page}issue/", {"on": "2026-11-20"})["Location"] == page
    assert "Issued" in text(office.get(f"{page}?standing=issued"))
    runs = text(office.get("/invoices/runs/"))
    assert "October 2026" in runs and "€30.00" in runs
    with contexts.msp(northwind):
        assert Invoice.objects.get(source="run").number == "2026-00002"
        verbs = set(AuditEntry.objects.filter(object_id=str(run.pk)).values_list("verb", flat=True))
        assert verbs >= {"invoice_run.collected", "invoice_run.ticked", "invoice_run.issued"}
    for path in (f"{page}?export=csv", "/invoices/runs/?export=csv"):
        assert office.get(path).status_code == 200


def test_days_that_a_month_without_an_invoice_closed_are_opened_again(
    office, northwind, globex, company, django_capture_on_commit_callbacks
):
    make.contract(globex)
    contexts.use_public()

    def post(path, data, **how):
        with django_capture_on_commit_callbacks(execute=True):
            return office.post(path, data, **how)

    page = post("/invoices/runs/new/", {"month": "2026-10"})["Location"]
    with contexts.msp(northwind):
        row = InvoiceRun.objects.get().customers.get(tenant=globex)
    own = f"{page}customers/{row.pk}/"
    assert "gets no invoice" in text(office.get(own)) and f"{own}open/" in text(office.get(own))
    assert "Nobody had anything to pay" in text(office.get(page))
    assert "can be changed for these days" in text(post(f"{own}open/", {}))
    assert post(f"{own}open/", {"confirmed": "1"})["Location"] == own
    assert "opened again" in text(office.get(own)) and "Open its days again" not in text(office.get(own))

    path = f"/api/v1{page.removeprefix('/invoices').replace('/runs/', '/invoice-runs/')}"
    post(f"{path}collect/", {}, content_type="application/json")
    told = {"customer": globex.pk}
    assert post(f"{path}open-days/", told, content_type="application/json").json()["left_out"] == 1
    for wrong in (told, {"customer": 0}):
        assert post(f"{path}open-days/", wrong, content_type="application/json").status_code == 400


def test_who_may_not_change_looks_on(client_of, northwind, month, office, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        page = office.post("/invoices/runs/new/", {"month": "2026-10"})["Location"]
    browser = client_of(member(northwind, "support"), northwind)

    shown = text(browser.get(page))
    assert "/approve/" not in shown and "/collect/" not in shown
    assert browser.post(f"{page}approve/", {"all": "1"}).status_code == 403
    assert browser.get("/invoices/runs/new/").status_code == 403


def test_a_run_of_another_msp_is_not_there(client_of, fabrikam, month, office, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        page = office.post("/invoices/runs/new/", {"month": "2026-10"})["Location"]

    assert client_of(member(fabrikam, "owner"), fabrikam).get(page).status_code == 404


def test_a_month_without_a_run_is_refused_in_the_form(office, northwind, month):
    with contexts.msp(northwind):
        InvoiceRun.objects.create(msp=northwind, begins="2026-09-01", ends="2026-10-01")
    answer = office.post("/invoices/runs/new/", {"month": "2026-10"})

    assert answer.status_code == 200 and "at work" in answer.content.decode()


def test_a_program_bills_a_month(office, northwind, month, acme, django_capture_on_commit_callbacks):
    contexts.use_public()

    def post(path, data=None):
        with django_capture_on_commit_callbacks(execute=True):
            return office.post(f"/api/v1/{path}", data or {}, content_type="application/json")

    assert post("invoice-runs/", {"begins": "2027-10-01"}).status_code == 400
    made = post("invoice-runs/", {"begins": "2026-10-01"})
    assert made.status_code == 201
    path = f"invoice-runs/{made.json()['id']}/"
    (drafted,) = [
        each for each in office.get(f"/api/v1/{path}customers/").json()["results"] if each["state"] == "drafted"
    ]
    assert (drafted["customer"], drafted["net"], drafted["before"]) == (acme.pk, 30 * EUR, 10 * EUR)
    found = office.get(f"/api/v1/run-findings/?run={made.json()['id']}").json()["results"]
    assert {each["code"] for each in found} == {"change", "no_profile"}
    assert post(f"{path}approve/", {"customers": [acme.pk]}).json()["held_back"] == 1
    (warning,) = [each["id"] for each in found if each["level"] == "warning"]
    assert post(f"{path}tick/", {"customers": [acme.pk + 1]}).json()["ticked"] == 0
    assert post(f"{path}tick/").json()["ticked"] == 1
    assert post(f"run-findings/{warning}/tick/").json()["ticked_by"]
    assert post(f"{path}approve/", {"customers": [acme.pk]}).json()["newly_approved"] == 1
    assert post(f"{path}issue/", {"on": "2026-11-20"}).status_code == 200
    assert office.get(f"/api/v1/{path}").json()["issued"] == 1
    with contexts.msp(northwind):
        assert BillingProfile.objects.count() == 1
