"""The pages and the API: what is shown once, what is shown never, and who may."""

import pytest

from portal.db import contexts
from voice.delivery import services
from voice.delivery.models import Endpoint, Kind, Store
from voice.delivery.tests.conftest import BY

pytestmark = pytest.mark.django_db
WEBHOOK = {"name": "Billing", "url": "https://billing.example/hook", "kinds": ["calls.rated", "invoice.issued"]}


def test_a_webhook_is_made_and_its_secret_shown_once(office, northwind):
    made = office.post("/integrations/new/", WEBHOOK)

    with contexts.msp(northwind):
        endpoint = Endpoint.objects.get()
        secret = endpoint.secret
    assert secret in made.text
    assert made["Cache-Control"] == "no-store"
    for page in (
        f"/integrations/{endpoint.pk}/",
        f"/integrations/{endpoint.pk}/edit/",
        f"/api/v1/webhooks/{endpoint.pk}/",
    ):
        assert secret not in office.get(page).text


def test_a_program_gets_the_secret_with_the_answer_and_not_with_the_same_call_again(office, northwind):
    asked = {"content_type": "application/json", "headers": {"Idempotency-Key": "one"}}

    first, again = (office.post("/api/v1/webhooks/", WEBHOOK, **asked).json() for _ in range(2))

    assert first["secret"].startswith("whsec_")
    assert "secret" not in again
    assert first["id"] == again["id"]


def test_a_store_keeps_its_secret_when_the_form_says_nothing(office, northwind):
    form = {"name": "Files", "way": "sftp", "host": "files.example", "port": 22, "folder": "cdr", "username": "u",
            "secret": "s3cret", "host_key": "files.example ssh-ed25519 AAAA", "content": "calls", "every": "day",
            "enabled": "on"}  # fmt: skip
    assert office.post("/integrations/places/new/", form).status_code == 302
    with contexts.msp(northwind):
        stored = Store.objects.get()
        assert (stored.secret, stored.host_key) == ("s3cret", "ssh-ed25519 AAAA")

    page = office.get(f"/integrations/places/{stored.pk}/edit/")
    assert "s3cret" not in page.text
    edited = form | {"secret": "", "port": 2222, "row_version": stored.row_version}
    assert office.post(f"/integrations/places/{stored.pk}/edit/", edited).status_code == 302
    with contexts.msp(northwind):
        stored = Store.objects.get()
        assert (stored.secret, stored.port) == ("s3cret", 2222)


def test_a_password_is_not_said_to_a_server_that_it_was_not_given_for(office, northwind):
    facts = {"name": "Files", "way": "sftp", "host": "files.example", "username": "u", "secret": "s3cret",
             "host_key": "ssh-ed25519 AAAA", "folder": "cdr"}  # fmt: skip
    made = office.post("/api/v1/file-stores/", facts, content_type="application/json").json()
    place = f"/api/v1/file-stores/{made['id']}/"
    elsewhere = {"host": "mallory.example", "host_key": "ssh-ed25519 BBBB"}

    refused = office.patch(place, elsewhere, content_type="application/json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["secret"])
    assert office.patch(place, elsewhere | {"secret": "other"}, content_type="application/json").status_code == 200
    with contexts.msp(northwind):
        assert Store.objects.get().secret == "other"


def test_pausing_testing_and_removing(office, northwind):
    with contexts.msp(northwind):
        made = services.save_endpoint(
            Endpoint(msp=northwind, name="B", url="https://b.example", kinds=[Kind.CALLS]), by=BY
        )
    page = f"/integrations/{made.pk}/"

    assert "on its way" in office.post(f"{page}test/", follow=True).text
    assert "Paused" in office.post(f"{page}pause/", follow=True).text
    assert "Let it go on first" in office.post(f"{page}test/", follow=True).text
    assert office.post("/integrations/deliveries/again/", {"every": "1", "query": ""}, follow=True).status_code == 200
    assert office.post(f"{page}resume/").status_code == 302
    assert office.post(f"{page}remove/", {"sure": "yes", "confirmed": "1"}, follow=True).status_code == 200
