"""Reminders: step by step, once each, never over what is paid or disputed; calls stop and go on."""

import io
import threading
from datetime import date, timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from pypdf import PdfReader

from portal.db import contexts
from tenants.models import Customer
from tenants.services import resume_customer, suspend_customer
from voice.payments import tasks
from voice.payments.models import DunningPause, DunningSetting, DunningStep, Reminder, ReminderLine
from voice.payments.services import dunning, ladder
from voice.rating import accounts
from voice.rating.models import Account, Movement
from voice.receivables import selectors as books
from voice.receivables import services
from voice.receivables.models import Entry, Invoice
from voice.receivables.services import record_payment
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
EUR = 1_000_000
DUE = make.TODAY + timedelta(days=14)


def step(msp, after_days, **facts):
    told = {"title": f"Step {after_days}", "words": "Please pay.", "fee": 0}
    return ladder.save_step(DunningStep(msp=msp, after_days=after_days, **(told | facts)), by=make.BY)


@pytest.fixture
def steps(billed, northwind):
    """A reminder after a week, one with a fee and interest after two, and an end of calls after four."""
    return [
        step(northwind, 7),
        step(northwind, 14, fee=5 * EUR, interest_per_million=90_000),
        step(northwind, 28, suspends=True, tells_msp=True),
    ]


def night(msp, days):
    return dunning.propose(msp, today=DUE + timedelta(days=days), by=make.BY)


def send(reminder, days):
    return dunning.release(reminder, today=DUE + timedelta(days=days), by=make.BY)


def pay(billed, amount, reference="4711"):
    return record_payment(make.payment(billed, amount, reference), by=make.BY)


def owed(billed):
    return books.balance(billed.tenant_id, billed.entity_id, "EUR")


def state_of(billed):
    return Customer.objects.get(pk=billed.tenant_id).state


def test_each_step_comes_once_and_not_before_the_one_before_it(
    billed, northwind, steps, django_capture_on_commit_callbacks
):
    make.issued(billed, 100 * EUR)
    assert [len(night(northwind, days)) for days in (0, 6, 7, 7, 30)] == [0, 0, 1, 0, 0]
    with django_capture_on_commit_callbacks(execute=True):
        send(Reminder.objects.get(), 30)
    assert mail.outbox[0].to == ["ap@acme.example"] and "119,00" in mail.outbox[0].body
    # However late the first went out, the second keeps its distance.
    assert [len(night(northwind, days)) for days in (31, 36, 37)] == [0, 0, 1]
    assert ReminderLine.objects.count() == 2


@pytest.mark.parametrize(
    ("language", "words"),
    [("", ["fällig am 04.12.2026", "Mahngebühr: 5,00", "Jetzt bezahlen", "liegen bei"]),
     ("fr", ["échéance le 4 déc. 2026", "Frais de rappel", "Payer maintenant", "sont jointes"]),
     ("en", ["due on 4 Dec 2026", "Reminder fee: €5.00", "Pay now", "are attached"])],
)  # fmt: skip
def test_a_reminder_speaks_the_customers_language_and_brings_letter_and_invoices(
    billed, northwind, django_capture_on_commit_callbacks, language, words
):
    billed.language = language
    services.save_profile(billed, by=make.BY)
    step(northwind, 7, words="Bitte zahlen Sie.", fee=5 * EUR, suspends=True)
    invoice = make.issued(billed, 100 * EUR)
    night(northwind, 7)
    with django_capture_on_commit_callbacks(execute=True):
        send(Reminder.objects.get(), 7)

    (sent,) = mail.outbox
    html = sent.alternatives[0][0]
    assert all(each in sent.body and each in html for each in ["Bitte zahlen Sie.", invoice.number, *words])
    names = [name for name, _content, _kind in sent.attachments]
    assert names[1:] == [f"{invoice.number}.pdf"] and names[0].endswith(".pdf")
    told = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(sent.attachments[0][1])).pages)
    assert "Step 7" in told and invoice.number in told and "124" in told and "DE02120300000000202051" in told
    assert words[1].partition(":")[0] in told


def test_a_fee_and_interest_are_booked_when_it_is_sent(billed, northwind, steps):
    make.issued(billed, 100 * EUR)
    send(night(northwind, 7)[0], 7)
    (second,) = night(northwind, 14)
    assert owed(billed) == 119 * EUR

    send(second, 14)

    # 119.00 at 9 % a year for 14 days is 0.4108…
    second.refresh_from_db()
    assert (second.fee, second.interest, second.total) == (5 * EUR, 410_000, 124_410_000)
    assert owed(billed) == 124_410_000
    assert Entry.objects.get(kind="fee").text == "Fee: Step 14"


def test_who_pays_with_fee_and_interest_has_no_more_for_calls_than_before(billed, northwind, steps):
    make.issued(billed, 100 * EUR)
    send(night(northwind, 7)[0], 7)
    (second,) = night(northwind, 14)
    send(second, 14)

    fee = Movement.objects.get(tenant=billed.tenant, kind="fee")
    assert (fee.micros, fee.reference) == (-5_410_000, f"reminder-{second.pk}")
    assert Account.objects.get(pk=billed.tenant_id).balance_micros == -owed(billed) == -124_410_000
    pay(billed, owed(billed))
    assert Account.objects.get(pk=billed.tenant_id).balance_micros == owed(billed) == 0


def test_a_fee_in_another_currency_than_the_account_counts_leaves_it_alone(billed, northwind, steps):
    with contexts.ingest():
        accounts.opened(billed.tenant_id, "USD")
    make.issued(billed, 100 * EUR)
    for days in (7, 14):
        send(night(northwind, days)[0], days)

    assert owed(billed) == 124_410_000 and not Movement.objects.exists()


def test_nothing_is_sent_over_what_was_paid_or_paused_meanwhile(billed, northwind, steps):
    first = make.issued(billed, 100 * EUR)
    second = make.issued(billed, 50 * EUR, name="more")
    (reminder,) = night(northwind, 7)
    assert reminder.total == 178_500_000
    pay(billed, first.total)
    assert send(reminder, 7).total == second.total

    (next_one,) = night(northwind, 14)
    ladder.pause(
        DunningPause(msp=northwind, tenant=billed.tenant, invoice=second, kind="dispute", note="Wrong minutes"),
        by=make.BY,
    )
    assert send(next_one, 14).state == "withdrawn"
    with pytest.raises(ValidationError):
        send(next_one, 14)
    assert Entry.objects.filter(kind="fee").count() == 0


@pytest.mark.parametrize("refunded", [0, 1])
def test_what_was_paid_and_credited_reminds_nobody_whatever_comes_after_it(billed, northwind, steps, refunded):
    invoice = make.issued(billed, 100 * EUR)
    payment = pay(billed, invoice.total)
    note = services.credit(invoice, reason="Wrong plan", by=make.BY)
    services.issue(services.approve(note, by=make.BY), on=make.TODAY, by=make.BY)
    if refunded:
        told = {"kind": "refund", "on": make.TODAY, "reference": "re_1", "by": make.BY}
        services.reverse_payment(payment, invoice.total, **told)
    else:
        make.issued(billed, 100 * EUR, name="the next month")

    assert owed(billed) == 0
    assert [night(northwind, days) for days in (7, 14, 28)] == [[], [], []]


@pytest.mark.parametrize(
    ("facts", "days"),
    [
        ({"kind": "pause"}, None),
        ({"kind": "promise", "until": DUE + timedelta(days=9)}, 10),
        ({"kind": "pause"}, "ended"),
    ],
)
def test_who_is_left_alone_is_not_proposed(billed, northwind, steps, facts, days):
    make.issued(billed, 100 * EUR)
    given = DunningPause(msp=northwind, tenant=billed.tenant, note="They called", **facts)
    # The day of the promise lies ahead of the clock of the tests.
    given.full_clean()
    given.save()
    assert night(northwind, 9) == []
    if days == "ended":
        ladder.end_pause(given, by=make.BY)
    assert len(night(northwind, 10)) == (0 if days is None else 1)


def test_pauses_need_a_reason_a_day_and_ones_own_customer(billed, northwind, initech):
    for facts in ({"note": " "}, {"kind": "promise"}, {"until": date(2020, 1, 1)}, {"tenant": initech}):
        told = {"msp": northwind, "tenant": billed.tenant, "note": "x"} | facts
        with pytest.raises(ValidationError), transaction.atomic():
            ladder.pause(DunningPause(**told), by=make.BY)


def last_step(billed, northwind):
    make.issued(billed, 100 * EUR)
    for days in (7, 14, 28):
        (reminder,) = night(northwind, days)
        send(reminder, days)
    return Reminder.objects.get(pk=reminder.pk)


def test_calls_stop_at_the_step_that_says_so_and_go_on_when_it_is_paid(billed, northwind, steps):
    reminder = last_step(billed, northwind)
    assert (state_of(billed), reminder.suspended_at is not None) == ("suspended", True)

    pay(billed, 50 * EUR)
    tasks.sweep()
    contexts.use_msp(northwind)
    assert state_of(billed) == "suspended"
    pay(billed, 69 * EUR, "rest")
    assert [dunning.resume_all_paid(northwind, by=make.BY) for _ in range(2)] == [1, 0]
    assert state_of(billed) == "active"


def test_who_is_written_off_does_not_call_again_by_it(billed, northwind, steps):
    invoice = make.issued(billed, 100 * EUR)
    for days in (7, 14, 28):
        send(night(northwind, days)[0], days)
    entry = services.write_off(invoice, invoice.total, reason="Insolvent", left=invoice.total, by=make.BY)

    assert night(northwind, 60) == [] and dunning.resume_all_paid(northwind, by=make.BY) == 0
    services.correct(entry, reason="It pays", by=make.BY)
    pay(billed, invoice.total)
    assert dunning.resume_all_paid(northwind, by=make.BY) == 1


def test_who_was_suspended_by_somebody_else_is_not_resumed(billed, northwind, steps):
    suspend_customer(billed.tenant, reason="fraud", by=make.BY)
    reminder = last_step(billed, northwind)
    assert reminder.suspended_at is None
    pay(billed, 200 * EUR)
    assert dunning.resume_all_paid(northwind, by=make.BY) == 0 and state_of(billed) == "suspended"


def test_who_was_resumed_by_hand_stays_so(billed, northwind, steps):
    last_step(billed, northwind)
    resume_customer(Customer.objects.get(pk=billed.tenant_id), by=make.BY)
    pay(billed, 200 * EUR)
    assert dunning.resume_all_paid(northwind, by=make.BY) == 0 and state_of(billed) == "active"


@pytest.mark.parametrize("sweeps", [True, False])
def test_a_write_off_has_no_say_in_a_later_suspension(billed, northwind, steps, sweeps):
    first = last_step(billed, northwind)
    invoice = Invoice.objects.get()
    services.write_off(invoice, invoice.total, reason="Insolvent", left=invoice.total, by=make.BY)
    resume_customer(Customer.objects.get(pk=billed.tenant_id), by=make.BY)
    if sweeps:
        assert dunning.resume_all_paid(northwind, by=make.BY) == 0
    make.issued(billed, 50 * EUR, name="later", on=make.TODAY)
    for days in (7, 14, 28):
        send(night(northwind, days)[0], days)
    first.refresh_from_db()
    assert state_of(billed) == "suspended" and first.resumed_at is not None
    pay(billed, 50 * EUR * 119 // 100)
    assert dunning.resume_all_paid(northwind, by=make.BY) == 1 and state_of(billed) == "active"


def test_what_was_written_off_before_calls_stopped_keeps_nobody_from_calling_again(billed, northwind, steps):
    invoice = make.issued(billed, 100 * EUR)
    services.write_off(invoice, EUR, reason="The bank's charge", left=invoice.total, by=make.BY)
    for days in (7, 14, 28):
        send(night(northwind, days)[0], days)
    pay(billed, invoice.total - EUR)
    assert dunning.resume_all_paid(northwind, by=make.BY) == 1 and state_of(billed) == "active"


def test_a_reminder_that_is_dropped_is_not_proposed_again(billed, northwind, steps):
    make.issued(billed, 100 * EUR)
    (reminder,) = night(northwind, 7)
    dunning.drop(reminder, by=make.BY)
    assert [len(night(northwind, days)) for days in (8, 14)] == [0, 1]


def test_the_night_sends_by_itself_only_where_that_is_set(billed, northwind, steps):
    make.issued(billed, 100 * EUR, on=date(2026, 1, 1), period=(date(2025, 12, 1), date(2026, 1, 1)))
    tasks.remind()
    contexts.use_msp(northwind)
    assert Reminder.objects.get().state == "proposed"
    ladder.save_setting(DunningSetting(msp=northwind, releases_itself=True), by=make.BY)
    contexts.use_public()
    tasks.remind()
    contexts.use_msp(northwind)
    assert Reminder.objects.get().state == "released"


def test_a_customer_sees_what_was_sent_and_no_proposal(client_of, alice, billed, northwind, steps, globex):
    make.issued(billed, 100 * EUR)
    (reminder,) = night(northwind, 7)
    with contexts.customer(billed.tenant):
        assert Reminder.objects.count() == ReminderLine.objects.count() == DunningStep.objects.count() == 0
    send(reminder, 7)
    with contexts.customer(billed.tenant):
        assert Reminder.objects.count() == ReminderLine.objects.count() == 1
    with contexts.customer(globex):
        assert Reminder.objects.count() == 0
    contexts.use_public()
    assert "Reminders" in client_of(alice, billed.tenant).get("/bills/pay/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_payment_and_a_reminder_at_once_take_turns(northwind, acme):
    """Whoever is first: either it is paid and nothing is sent, or it is sent, paid, and calls go on."""
    with contexts.msp(northwind):
        billed = make.profile(make.entity(northwind), acme)
        step(northwind, 7, suspends=True, fee=5 * EUR)
        make.issued(billed, 100 * EUR)
        (reminder,) = night(northwind, 7)
    start = threading.Barrier(2)

    def run(act):
        try:
            start.wait()
            with contexts.msp(northwind):
                act()
        finally:
            connection.close()

    both = [
        threading.Thread(target=run, args=(lambda: send(reminder, 7),)),
        threading.Thread(target=run, args=(lambda: pay(billed, 119 * EUR),)),
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    with contexts.msp(northwind):
        dunning.resume_all_paid(northwind, by=make.BY)
        sent = Reminder.objects.get().state
        assert sent in ("released", "withdrawn") and state_of(billed) == "active"
        assert owed(billed) == (5 * EUR if sent == "released" else 0)


def test_the_clerk_sets_the_ladder_looks_and_sends(client_of, nadia, northwind, billed):
    make.issued(billed, 100 * EUR, on=date(2026, 1, 1), period=(date(2025, 12, 1), date(2026, 1, 1)))
    contexts.use_public()
    office = client_of(nadia, northwind)
    base = "/invoices/payments/reminders/"
    form = {"after_days": "7", "is_on": "on", "title": "Reminder", "words": "Please pay."}
    form |= {"fee": "2.50", "percent": "9"}
    assert office.post(f"{base}ladder/new/", form | {"fee": "x"}).status_code == 200
    assert office.post(f"{base}ladder/new/", form).status_code == 302
    assert "on this day already" in office.post(f"{base}ladder/new/", form).content.decode()
    with contexts.msp(northwind):
        row = DunningStep.objects.get()
        assert (row.fee, row.interest_per_million) == (2_500_000, 90_000)
    assert 'value="2.50"' in office.get(f"{base}ladder/{row.pk}/").content.decode()
    assert office.post(f"{base}propose/").status_code == 302
    assert "Send the one proposed" in office.get(base).content.decode()
    with contexts.msp(northwind):
        pk = Reminder.objects.get().pk
    shown = office.get(f"{base}{pk}/").content.decode()
    assert "Please pay." in shown and "reckoned anew when it is sent" in shown
    pause = {"tenant": billed.tenant_id, "kind": "promise", "note": "Friday", "until": "2099-01-01"}
    assert office.post(f"{base}pauses/new/", pause | {"until": ""}).status_code == 200
    assert office.post(f"{base}pauses/new/", pause).status_code == 302
    listed = office.get(f"{base}pauses/").content.decode()
    assert "Friday" in listed and "End it" in listed
    shown = office.post(f"{base}{pk}/send/", follow=True).content.decode()
    # It is promised and not paid: no word of the page says that it was.
    assert "not sent" in shown and "No longer needed" in shown and "Letter</a>" not in shown
    assert office.post(f"{base}ladder/automatic/", {"releases_itself": "1"}).status_code == 302
    assert "by themselves each night" in office.get(f"{base}ladder/").content.decode()
    for path in ("", "ladder/", "pauses/"):
        assert office.get(f"{base}{path}?export=csv&q=x").status_code == 200


def test_a_program_reminds(client_of, nadia, northwind, billed):
    make.issued(billed, 100 * EUR, on=date(2026, 1, 1), period=(date(2025, 12, 1), date(2026, 1, 1)))
    contexts.use_public()
    office = client_of(nadia, northwind)

    def post(path, data=None):
        return office.post(f"/api/v1/{path}", data or {}, content_type="application/json")

    assert post("dunning-steps/", {"after_days": 7, "title": "One", "words": "Pay"}).status_code == 201
    (pk,) = post("reminders/").json()["proposed"]
    assert post(f"reminders/{pk}/send/").json()["state"] == "released"
    assert post(f"reminders/{pk}/drop/").status_code == 400
    made = post("dunning-pauses/", {"customer": billed.tenant_id, "kind": "pause", "note": "x"})
    assert made.status_code == 201
    assert post(f"dunning-pauses/{made.json()['id']}/end/").json()["ended_at"]
    assert post("dunning-steps/automatic/", {"releases_itself": True}).json() == {"releases_itself": True}
    assert post("reminders/send-all/").json() == {"sent": 0}
