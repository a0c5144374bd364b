"""Paying in the browser, and the MSP's desk for cards."""

import pytest

from portal.db import contexts
from voice.payments.gateway import lab
from voice.payments.tests.cards import EUR, owed, paid, save_card
from voice.rating.models import Movement
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db


class TestPages:
    def test_a_customer_pays_in_the_lab_and_tops_up(self, client_of, alice, acme, billed, account):
        invoice = make.issued(billed, 100 * EUR)
        contexts.use_public()
        browser = client_of(alice, acme)

        page = browser.get(f"/bills/pay/?bill={invoice.pk}")
        assert "checkout.stripe.com" in page["Content-Security-Policy"] and "RF" in page.content.decode()
        sent = browser.post("/bills/pay/", {"what": str(invoice.pk), "card": "new", "saves": "on"})
        checkout = "/" + sent["Location"].split("/", 3)[3]
        assert "no money moves" in browser.get(checkout).content.decode()
        assert browser.post(checkout, {"card": lab.DECLINED}).status_code == 302
        done = browser.post(checkout, {"card": lab.GOOD})
        assert "Thank you" in browser.get(done["Location"]).content.decode()
        assert "Nothing is to be paid" in browser.get("/bills/pay/").content.decode()
        saved = browser.get("/api/v1/saved-cards/").json()["results"]
        assert [card["last4"] for card in saved] == [lab.GOOD]
        assert browser.post(f"/bills/cards/{saved[0]['id']}/default/").status_code == 302

        sent = browser.post("/bills/top-up/", {"amount": "50"})
        assert browser.post("/" + sent["Location"].split("/", 3)[3], {"card": lab.GOOD}).status_code == 302
        with contexts.msp(acme.msp):
            assert owed(billed) == -50 * EUR
            assert Movement.objects.filter(kind="top_up").get().micros == 50 * EUR
        assert "This is refused" not in browser.post("/bills/top-up/", {"amount": "1"}).content.decode()
        assert browser.post(f"/bills/cards/{saved[0]['id']}/remove/").status_code == 302
        assert browser.get("/bills/cards/").status_code == 200

    def test_what_is_paid_ahead_is_told_apart_from_the_open_bills(self, client_of, alice, acme, billed, account):
        browser = client_of(alice, acme)
        contexts.use_msp(acme.msp)
        make.issued(billed, 100 * EUR)
        contexts.use_public()
        whole = browser.get("/bills/pay/").context["payable"]
        assert (whole.balance, whole.ahead) == (119 * EUR, 0)
        sent = browser.post("/bills/top-up/", {"amount": "50"})
        browser.post("/" + sent["Location"].split("/", 3)[3], {"card": lab.GOOD})

        page = browser.get("/bills/pay/")

        assert page.context["payable"].ahead == 50 * EUR
        assert "is to be paid: your open bills, less" in page.content.decode()

    def test_where_no_cards_are_taken_topping_up_names_the_bank_account(self, client_of, alice, acme, billed):
        contexts.use_public()
        page = client_of(alice, acme).get("/bills/top-up/").content.decode()
        assert "DE02 1203 0000 0000 2020 51" in page and "Northwind Voice GmbH" in page

    def test_with_a_saved_card_it_takes_one_step(self, client_of, alice, acme, billed, account):
        make.issued(billed, 100 * EUR)
        card = save_card(billed, account, lab.GOOD)
        contexts.use_public()
        browser = client_of(alice, acme)
        done = browser.post("/bills/pay/", {"what": "all", "card": str(card.pk)}, follow=True)
        assert "Thank you" in done.content.decode()

    def test_viewers_and_others_neither_pay_nor_see(self, client_of, victor, acme, mallory, globex, billed, attempt):
        contexts.use_public()
        viewer, other = client_of(victor, acme), client_of(mallory, globex)
        assert viewer.get("/bills/pay/").status_code == viewer.get(f"/bills/pay/{attempt.key}/").status_code == 403
        assert other.get(f"/bills/pay/{attempt.key}/").status_code == 404
        assert other.post(f"/bills/lab-checkout/{attempt.key}/", {"card": lab.GOOD}).status_code == 404
        assert other.post("/api/v1/card-payments/", {"bills": attempt.invoices}, "application/json").status_code == 400

    def test_the_msp_sets_up_looks_and_refunds(self, client_of, nadia, northwind, billed, account, attempt):
        paid(attempt, account)
        paid(attempt, account, minor=5)
        contexts.use_public()
        office = client_of(nadia, northwind)
        shown = office.get("/invoices/payments/cards/").content.decode()
        assert "Signed events that fit no payment" in shown
        path = f"/invoices/payments/cards/{attempt.pk}/"
        assert "payment_intent.succeeded" in office.get(path).content.decode()
        assert office.post(f"{path}refund/", {"amount": "500"}).status_code == 200
        assert office.post(f"{path}refund/", {"amount": "19"}).status_code == 302
        setup = f"/invoices/payments/cards/companies/{billed.entity_id}/"
        page = office.get(setup).content.decode()
        assert account.hook in page and account.webhook_secret not in page
        assert office.post(f"{setup}hook/").status_code == 302
        assert account.hook not in office.get(setup).content.decode()
        assert office.post(setup, {"kind": "stripe", "is_on": "on", "row_version": "2"}).status_code == 200
        assert "sk_ or rk_" in office.post(setup, {"kind": "stripe", "is_on": "on"}).content.decode()
        assert office.get("/invoices/payments/cards/companies/").status_code == 200
