"""Every line explains itself: its steps and its calls, for MSP and customer; and it can be asked about."""

import io
import json
from csv import DictReader
from datetime import date, timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from portal.core.models import Job
from portal.db import contexts
from portal.db.partitions import ensure_days
from voice.billing.models import BillLine
from voice.calls.tests.make import cdr
from voice.receivables import exports, selectors, tasks
from voice.receivables.composer import Line
from voice.receivables.explaining import Figures, steps_of
from voice.receivables.models import BilledCharge, Invoice, LineQuestion, Notice
from voice.receivables.services import questions, runs, store_files
from voice.receivables.services.mailing import deliver
from voice.receivables.services.notices import send_notices
from voice.receivables.tax import Treatment
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges
from voice.receivables.tests.test_pages import member

pytestmark = pytest.mark.django_db
EUR = 1_000_000


@pytest.fixture
def invoice(served, northwind, monkeypatch):
    """Acme's October: three calls to Germany and one to France, issued."""
    monkeypatch.setattr("portal.core.jobs.run_job.apply_async", lambda *_args, **_facts: None)
    contexts.use_msp(northwind)
    made = charges(served.tenant, 1_234_567, 4, ("France", 250_000), 8)
    ensure_days("calls_cdr", {each.invited.date() for each in made})
    with contexts.ingest():
        for each in made:
            cdr(served.tenant, each.invited, id=each.id).save(force_insert=True)
    run = runs.start_run(northwind, make.OCTOBER[0], by=make.BY, now=make.NOW)
    runs.collect(run)
    runs.approve_customers(run, None, by=make.BY)
    run.refresh_from_db()
    runs.start_issuing(run, on=make.TODAY, by=make.BY)
    runs.issue_approved(run)
    return Invoice.objects.get(source="run")


def text(answer):
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def waiting(msp):
    return list(selectors.disputes(msp, *make.OCTOBER))


def line_of(invoice, words):
    return invoice.lines.get(text=words).position


class TestSteps:
    def line(self, **facts):
        told = {"kind": "fee", "group": "", "text": "x", "treatment": Treatment("S", 190_000, "VAT")}
        line = Line(**told)
        found = type("Row", (), {"corrects": None, "per_million": 190_000, "basis": {}, "exact": 0, "net": 0} | facts)
        assert line.basis == {}
        return found

    def test_a_fee_for_part_of_a_month(self):
        basis = {"each": 10 * EUR, "count": 3, "days": 15, "of": 30, "begins": "2026-11-16", "ends": "2026-12-01"}
        told = steps_of(self.line(basis=basis, exact=15 * EUR, net=15 * EUR), "EUR", Figures())

        assert told[:2] == [
            "3 × €10.00 a month.",
            "For 15 of the month's 30 days, from 16 Nov 2026 up to 1 Dec 2026: that share of it.",
        ]

    def test_what_an_allowance_covers_and_what_is_converted(self):
        basis = {"currency": "USD", "micros": 5 * EUR, "rate": "1 EUR = 1.0843 USD (2026-10-30)"}
        figures = Figures(3, 7 * EUR, [("500 minutes", 2, 180, 2 * EUR)])
        told = steps_of(self.line(basis=basis, exact=4_610_000, net=4_610_000), "EUR", figures)

        assert told[0] == "3 calls are charged $7.00 together."
        assert told[1] == "“500 minutes” covers 3 min 0 s of 2 calls: $2.00 less."
        assert "$5.00 are converted" in told[2] and "1.0843" in told[2]


@pytest.mark.parametrize("place", ["msp", "customer"])
def test_from_the_line_to_its_calls_and_their_price(client_of, nadia, alice, northwind, acme, invoice, place):
    contexts.use_public()
    browser, root = (client_of(nadia, northwind), "/invoices") if place == "msp" else (client_of(alice, acme), "/bills")
    position = line_of_public(invoice, northwind)
    page = f"{root}/{invoice.pk}/lines/{position}/"

    assert page in text(browser.get(f"{root}/{invoice.pk}/"))
    shown = text(browser.get(page))
    assert "3 calls are charged €1.234579 together." in shown and "are rounded once, to €1.23." in shown
    assert browser.get(page).context["list"].page.rows[0].micros == 1_234_567
    assert "+44 20 7946 0018" in shown
    assert len(browser.get(f"{root}/{invoice.pk}/calls/").context["list"].page.rows) == 4
    assert browser.get(f"{root}/{invoice.pk}/lines/99/").status_code == 404


def line_of_public(invoice, northwind):
    with contexts.msp(northwind):
        return line_of(invoice, "Calls to Germany")


def rows_of(answer):
    return list(DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def test_the_calls_as_a_file_sum_to_the_lines(client_of, alice, acme, invoice):
    contexts.use_public()
    rows = rows_of(client_of(alice, acme).get(f"/bills/{invoice.pk}/calls/?export=csv"))

    assert [row["Line"] for row in rows] == ["Calls to Germany"] * 2 + ["Calls to France", "Calls to Germany"]
    assert [row["Billed amount"] for row in rows] == ["€1.234567", "€0.000004", "€0.25", "€0.000008"]
    assert rows[0]["To"] == "+442079460018"


def test_numbers_are_cut_for_who_may_not_see_them(client_of, northwind, acme, invoice):
    contexts.use_public()
    browser = client_of(member(northwind, "support"), northwind)

    shown = text(browser.get(f"/invoices/{invoice.pk}/calls/"))
    assert "0018" not in shown and "0018" not in str(rows_of(browser.get(f"/invoices/{invoice.pk}/calls/?export=csv")))
    with contexts.msp(northwind):
        job = Job(params={"query": "", "document": invoice.pk, "position": 0, "sight": "short"}, msp_id=northwind.pk)
        job.save(force_insert=True)
        exports.export(job, lambda *_args: None)
        assert "0018" not in bytes(job.files.get().content).decode()


def test_nobody_else_sees_lines_or_calls(client_of, mallory, globex, victor, acme, invoice):
    contexts.use_public()
    other = client_of(mallory, globex)
    for path in ("lines/1/", "calls/", "lines/1/ask/"):
        assert other.get(f"/bills/{invoice.pk}/{path}").status_code == 404
        assert client_of(victor, acme).get(f"/bills/{invoice.pk}/{path}").status_code == 403


class TestAsking:
    def test_from_the_question_to_the_answer(self, client_of, alice, acme, nadia, northwind, invoice):
        contexts.use_public()
        browser, office = client_of(alice, acme), client_of(nadia, northwind)
        position = line_of_public(invoice, northwind)
        page = f"/bills/{invoice.pk}/lines/{position}/"
        assert f"{page}ask/" in text(browser.get(page))
        assert "That is more than the line" in text(browser.post(f"{page}ask/", {"text": "Why?", "disputed": "1.24"}))
        asked = browser.post(f"{page}ask/", {"text": "Who called <Cuba>?", "disputed": "1.00"})["Location"]
        tasks.send_notices()
        tasks.send_notices()
        assert [each.to for each in mail.outbox] == [["nadia@northwind.example"]]
        assert "Who called <Cuba>?" in mail.outbox[0].body and "asks about" in mail.outbox[0].subject
        with contexts.msp(northwind):
            assert [(each.tenant_id, each.disputed) for each in waiting(northwind)] == [(acme.pk, EUR)]
            assert not selectors.disputes(northwind, date(2026, 11, 1), date(2026, 12, 1))
            question = LineQuestion.objects.get()
        assert question.attached["steps"][0] == "3 calls are charged €1.234579 together."

        listed = text(office.get("/invoices/questions/"))
        assert "Acme" in listed and "€1.00" in listed
        assert "€1.00" in text(office.get("/invoices/questions/?state=open&disputed=yes&month=2026-10"))
        assert "Nothing matches" in text(office.get("/invoices/questions/?month=2026-09"))
        own = f"/invoices/questions/{question.pk}/"
        assert "rounded once, to €1.23" in text(office.get(own))
        assert office.post(f"{own}answer/", {"answer": ""}).status_code == 200
        assert office.post(f"{own}answer/", {"answer": "Your sales team."})["Location"] == own
        tasks.send_notices()
        assert mail.outbox[-1].to == ["alice@acme.example"] and "Your sales team." in mail.outbox[-1].body
        assert "Northwind" in mail.outbox[-1].from_email
        assert "Your sales team." in text(browser.get(asked))
        with contexts.msp(northwind):
            assert not waiting(northwind)
        assert "already" in text(office.post(f"{own}answer/", {"answer": "Once more"}))

    def test_a_customer_changes_nothing_that_was_asked(self, acme, invoice):
        with contexts.customer(acme):
            made = questions.ask(BillLine.objects.first(), acme, text="Why?", by=make.BY)
            for wrong in ("UPDATE receivables_linequestion SET answer = 'x'", "DELETE FROM receivables_linequestion"):
                with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(wrong)
            with pytest.raises(ValidationError):
                questions.ask(BillLine.objects.first(), acme, text="  ", by=make.BY)
        assert made.state == "open"

    def test_a_line_is_disputed_once(self, acme, northwind, invoice):
        with contexts.customer(acme):
            line = BillLine.objects.order_by("position").first()

            def ask(disputed):
                return questions.ask(line, acme, text="Why?", disputed=disputed, by=make.BY)

            first = ask(line.net - 10_000)
            with pytest.raises(ValidationError, match=r"in dispute already.*: 0\.01 more at most"):
                ask(line.net)
            ask(10_000)
            ask(0)
        with contexts.msp(northwind):
            assert sum(each.disputed for each in waiting(northwind)) == line.net
            questions.answer(LineQuestion.objects.get(pk=first.pk), text="It is right.", by=make.BY)
        with contexts.customer(acme):
            ask(line.net - 10_000)

    def test_nobodys_post_is_flooded_with_questions(self, acme, invoice, monkeypatch):
        """Each is a mail to everybody who looks after bills at the MSP."""
        with contexts.customer(acme):
            line = BillLine.objects.order_by("position").first()
            for _ in range(questions.MOST_AN_HOUR):
                questions.ask(line, acme, text="Why?", by=make.BY)
            with pytest.raises(ValidationError, match="too many questions"):
                questions.ask(line, acme, text="Why?", by=make.BY)
            assert Notice.objects.filter(kind=Notice.Kind.QUESTION).count() == questions.MOST_AN_HOUR
            monkeypatch.setattr(questions, "HOUR", timedelta(0))
            questions.ask(line, acme, text="Why?", by=make.BY)

    def test_questions_are_their_customers_and_its_msps(self, client_of, acme, globex, mallory, invoice, fabrikam):
        with contexts.customer(acme):
            made = questions.ask(BillLine.objects.first(), acme, text="Why?", by=make.BY)
        contexts.use_public()
        assert client_of(mallory, globex).get(f"/bills/questions/{made.pk}/").status_code == 404
        assert client_of(member(fabrikam, "owner"), fabrikam).get(f"/invoices/questions/{made.pk}/").status_code == 404

    def test_programs_ask_and_answer(self, client_of, alice, acme, nadia, northwind, invoice):
        contexts.use_public()
        data = {"bill": invoice.pk, "position": 1, "text": "Why?"}
        made = client_of(alice, acme).post("/api/v1/bill-questions/", data, content_type="application/json")
        assert made.status_code == 201, made.content
        office = client_of(nadia, northwind)
        path = f"/api/v1/questions/{made.json()['id']}/"
        assert json.loads(office.get(path).content)["attached"]["steps"]
        done = office.post(f"{path}answer/", {"answer": "So."}, content_type="application/json")
        assert (done.status_code, done.json()["state"]) == (200, "answered")


class TestMailsOfBills:
    def test_an_issued_bill_goes_to_the_billing_contacts_with_its_pdf(self, billed, acme, northwind, invoice):
        member(acme, "billing_contact")
        assert send_notices() == 0 and mail.outbox == []  # no file yet
        store_files(invoice)
        assert (send_notices(), send_notices()) == (1, 0)

        assert sorted(each.to[0] for each in mail.outbox) == ["ap@acme.example", "billing_contact@bills.example"]
        sent = mail.outbox[0]
        assert invoice.number in sent.subject and "€1.76" in sent.body and f"/bills/{invoice.pk}/" in sent.body
        (attached,) = sent.attachments
        assert attached[0] == f"{invoice.number}.pdf" and attached[1].startswith(b"%PDF")

    def test_a_mail_server_that_is_away_is_asked_again(self, billed, northwind, monkeypatch):
        invoice = make.issued(billed, EUR, on=date(2026, 11, 20))
        store_files(invoice)
        with monkeypatch.context() as away:
            away.setattr("voice.receivables.services.notices.deliver", lambda *_args: False)
            assert send_notices() == 0
        assert Notice.objects.get().tries == 1
        assert send_notices() == 1 and len(mail.outbox) == 1

    def test_a_worker_that_dies_over_a_mail_sends_that_one_again_and_as_the_same_mail(
        self, billed, acme, northwind, monkeypatch
    ):
        member(acme, "billing_contact")
        contexts.use_msp(northwind)
        store_files(make.issued(billed, EUR, on=date(2026, 11, 20)))
        with monkeypatch.context() as dying:

            def deliver_and_die(*args):
                assert deliver(*args)
                if len(mail.outbox) == 2:
                    raise SystemExit

            dying.setattr("voice.receivables.services.notices.deliver", lambda *args: deliver_and_die(*args) is None)
            with pytest.raises(SystemExit):
                send_notices()
        assert send_notices() == 1

        first, second, again = mail.outbox
        assert (first.to, second.to) == (["ap@acme.example"], ["billing_contact@bills.example"])
        assert again.to == second.to and again.extra_headers == second.extra_headers
        assert first.extra_headers["Message-ID"] != second.extra_headers["Message-ID"]
        assert Notice.objects.get().tries == 2


def test_the_copy_and_the_calls_agree(acme, invoice):
    with contexts.customer(acme):
        for line in BillLine.objects.filter(kind="usage"):
            calls = BilledCharge.objects.filter(line__invoice=line.bill_id, line__position=line.position)
            assert (calls.count(), sum(each.micros - each.off for each in calls)) == (line.quantity, line.exact)
