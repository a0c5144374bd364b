from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from portal.core.models import Job
from portal.core.tasks import sweep
from portal.db import contexts
from voice.inventory.models import StockImport, StockNumber


@pytest.fixture
def browser(northwind, nadia, client_of):
    return client_of(nadia, northwind)


def bring(browser, django_capture_on_commit_callbacks, **facts):
    with django_capture_on_commit_callbacks(execute=True):
        answer = browser.post("/numbers/import/", {"country": "DE"} | facts)
    assert answer.status_code == 302, answer.context["form"].errors
    return answer["Location"]


def test_a_range_is_checked_shown_and_stored(northwind, browser, django_capture_on_commit_callbacks):
    page = bring(browser, django_capture_on_commit_callbacks, ranges="+49301234500-99\nnonsense")

    text = browser.get(page).content.decode()
    assert "100 numbers can be imported" in text
    assert "This is not a telephone number." in text
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(f"{page}confirm/").status_code == 302
    assert "100 numbers are in the stock now" in browser.get(page).content.decode()
    assert browser.get("/numbers/?q=030 123 4507").context["list"].count == 1
    assert browser.get("/numbers/?export=csv").content.decode().count("+493012345") == 100


def test_an_import_whose_worker_was_killed_is_taken_up_again_from_its_page(
    northwind, browser, django_capture_on_commit_callbacks
):
    def kill(state):
        with contexts.msp(northwind):
            draft = StockImport.objects.get()
            StockImport.objects.update(state=state)
            Job.objects.filter(pk=draft.job_id).update(state="running", updated_at=timezone.now() - timedelta(hours=1))
        assert 'hx-trigger="every 1s"' in browser.get(page).content.decode()
        sweep()
        text = browser.get(page).content.decode()
        assert 'hx-trigger="every 1s"' not in text and "was stopped before it came to the end" in text
        return text

    page = bring(browser, django_capture_on_commit_callbacks, ranges="+49301234500-99")
    assert f'action="{page}check/"' in kill("checking")
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(f"{page}check/").status_code == 302
    assert "100 numbers can be imported" in browser.get(page).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        browser.post(f"{page}confirm/")
    with contexts.msp(northwind):
        StockNumber.objects.all().delete()
        StockImport.objects.update(content=b"+49301234500-99", stored=0)
    assert f'action="{page}confirm/"' in kill("importing")
    with django_capture_on_commit_callbacks(execute=True):
        path = f"/api/v1/imports/{page.split('/')[-2]}"
        assert browser.post(f"{path}/check/").status_code == 400
        assert browser.post(f"{path}/confirm/").status_code == 200
    assert "100 numbers are in the stock now" in browser.get(page).content.decode()


def test_a_file_is_read_and_can_be_dropped(northwind, browser, django_capture_on_commit_callbacks):
    file = SimpleUploadedFile("zahlen.csv", "\ufeffnumber;country\r\n+49301234500;DE\n=1+1;DE\r".encode())
    page = bring(browser, django_capture_on_commit_callbacks, file=file)

    assert "formula" in browser.get(page).content.decode()
    assert browser.post(f"{page}cancel/").status_code == 302
    with contexts.msp(northwind):
        assert StockImport.objects.get().state == "cancelled"
        assert not StockNumber.objects.exists()


@pytest.mark.parametrize(
    "facts", [{}, {"ranges": "x", "file": SimpleUploadedFile("a.csv", b"1")}, {"ranges": "+49", "country": "D"}]
)
def test_a_form_that_says_nothing_or_both_is_refused(browser, facts):
    assert browser.post("/numbers/import/", {"country": "DE"} | facts).status_code == 200


def test_the_api_imports_in_the_same_way(northwind, browser, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        body = {"name": "api", "content": "+49301234500-09\nx", "country": "DE"}
        answer = browser.post("/api/v1/imports/", body, content_type="application/json")
    assert answer.status_code == 201
    path = f"/api/v1/imports/{answer.json()['id']}/"
    assert browser.get(path).json()["good"] == 10
    assert browser.get(f"{path}errors/").json()["results"][0]["row"] == 2

    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(f"{path}confirm/").status_code == 200

    numbers = browser.get("/api/v1/stock-numbers/?q=4505").json()["results"]
    assert [each["e164"] for each in numbers] == ["+49301234505"]
    path = f"/api/v1/stock-numbers/{numbers[0]['id']}/"
    changed = browser.patch(path, {"kind": "national", "e164": "+49309"}, content_type="application/json")
    assert (changed.json()["kind"], changed.json()["e164"]) == ("national", "+49301234505")
    assert browser.post("/api/v1/stock-numbers/", {}, content_type="application/json").status_code == 405
    assert set(browser.get("/api/v1/schema/?format=json").json()["paths"]["/api/v1/stock-numbers/"]) == {"get"}


def test_a_program_reserves_frees_and_drops_an_import(
    northwind, acme, initech, browser, django_capture_on_commit_callbacks
):
    page = bring(browser, django_capture_on_commit_callbacks, ranges="+49301234500")
    dropped = f"/api/v1{page.removeprefix('/numbers').replace('import', 'imports')}cancel/"
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(f"{page}confirm/")
    assert browser.post(dropped).status_code == 400
    (number,) = browser.get("/api/v1/stock-numbers/").json()["results"]

    def ask(what, **body):
        return browser.post(f"/api/v1/stock-numbers/{what}/", body, content_type="application/json").status_code

    assert ask("reserve", ids=[number["id"]], customer=initech.pk) == 404
    assert ask("reserve", ids=[number["id"]], customer=acme.pk) == 200
    (kept,) = browser.get("/api/v1/stock-numbers/").json()["results"]
    assert (kept["state"], kept["customer"]) == ("reserved", acme.pk)
    assert ask("unreserve", ids=[number["id"]]) == 200
    assert ask("unreserve", ids=[number["id"]]) == 400


def test_customers_have_no_stock_pages(acme, alice, client_of, browser, django_capture_on_commit_callbacks):
    bring(browser, django_capture_on_commit_callbacks, ranges="+49301234500")

    assert client_of(alice, acme).get("/api/v1/stock-numbers/").status_code == 404
    assert client_of(alice, acme).get("/numbers/import/").status_code == 404


def test_one_numbers_page_edits_what_the_msp_notes(northwind, browser, django_capture_on_commit_callbacks):
    page = bring(browser, django_capture_on_commit_callbacks, ranges="+49301234500")
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(f"{page}confirm/")
    with contexts.msp(northwind):
        number = StockNumber.objects.get()

    facts = {"kind": "national", "cost": "0.45", "row_version": number.row_version}
    assert browser.post(f"/numbers/{number.pk}/", facts).status_code == 302
    assert "changed this" in browser.post(f"/numbers/{number.pk}/", facts).content.decode()
    with contexts.msp(northwind):
        assert StockNumber.objects.get().monthly_cost == 450_000


@pytest.mark.parametrize("action", ["reserve", "unreserve", "close"])
def test_a_bulk_action_without_rows_says_so(browser, action):
    assert browser.post(f"/numbers/{action}/", {"confirmed": "1"}, follow=True).status_code == 200
