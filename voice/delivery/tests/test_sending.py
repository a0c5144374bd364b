"""Webhooks that arrive, do not arrive, and arrive twice; where they may go; what is signed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from portal.core.models import AuditEntry
from portal.db import contexts
from voice.delivery import feed, pump, services, tasks
from voice.delivery.models import Delivery, Endpoint, Kind
from voice.delivery.retries import PAUSES, next_attempt
from voice.delivery.sending import Letter, Outcome, send
from voice.delivery.tests.conftest import BY, NOW
from voice.delivery.tests.make import priced

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(desk, receiver):
    made = Endpoint(msp=desk, name="Billing", url=receiver.url, kinds=[Kind.CALLS])
    return services.save_endpoint(made, by=BY)


@pytest.fixture
def waiting(desk, acme, endpoint):
    contexts.use_msp(desk)
    priced(acme, NOW - timedelta(seconds=1))
    feed.collect(desk, NOW)
    return Delivery.objects.get()


def state(delivery):
    delivery.refresh_from_db()
    return delivery.state, delivery.attempts, delivery.status


def test_a_message_arrives_signed_and_is_told_no_more(desk, receiver, endpoint, waiting):
    assert [pump.send_due(desk, now=NOW), pump.send_due(desk, now=NOW)] == [1, 0]

    assert state(waiting) == ("done", 1, 200)
    headers, body = receiver.got[0]
    secret = Endpoint.objects.get().secret
    # The time in the header is the clock's: the library refuses old ones.
    assert Webhook(secret).verify(body, headers)["data"]["calls"][0]["destination"] == "Germany"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace("180000", "180001"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(services.new_secret()).verify(body, headers)


def test_what_does_not_get_through_is_tried_again_under_the_same_id(desk, receiver, endpoint, waiting):
    receiver.answer, receiver.headers = 503, {"retry-after": "60"}
    pump.send_due(desk, now=NOW)

    assert state(waiting) == ("waiting", 1, 503)
    assert waiting.next_at == NOW + timedelta(seconds=60)
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.last_error) == (NOW, "Answered 503.")

    receiver.answer = 204
    pump.send_due(desk, now=NOW + timedelta(seconds=61))
    assert state(waiting) == ("done", 2, 204)
    assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_it_is_given_up_after_three_days_and_goes_out_again_when_asked(desk, receiver, endpoint, waiting):
    receiver.answer = 500
    now = NOW
    for _ in range(len(PAUSES) + 1):
        pump.send_due(desk, now=now)
        waiting.refresh_from_db()
        now = waiting.next_at
    assert state(waiting)[0] == "failed"
    assert timedelta(days=2) < now - NOW < timedelta(days=4)

    receiver.answer = 200
    services.send_again([waiting], by=BY)
    pump.send_due(desk)
    assert state(waiting) == ("done", 1, 200)


def test_a_receiver_that_says_gone_is_paused(desk, receiver, endpoint, waiting):
    receiver.answer = 410
    pump.send_due(desk, now=NOW)

    endpoint.refresh_from_db()
    assert endpoint.state == "paused"
    assert AuditEntry.objects.filter(verb="webhook.gone").exists()


def test_a_worker_that_dies_while_it_sends_leaves_the_message_to_the_next(desk, endpoint, waiting):
    def die(letter):
        raise SystemExit

    with pytest.raises(SystemExit):
        pump.send_due(desk, now=NOW, post=die)

    assert state(waiting)[:2] == ("waiting", 1)
    assert pump.send_due(desk, now=NOW + timedelta(seconds=30)) == 0
    assert pump.send_due(desk, now=NOW + timedelta(minutes=3), post=lambda letter: Outcome("", 200)) == 1
    assert state(waiting)[0] == "done"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/", "not an address of the public network"),
        ("https://127.0.0.1/", "not an address of the public network"),
        ("https://[::1]/", "not an address of the public network"),
        ("https://10.0.0.1/", "not an address of the public network"),
        ("https://169.254.169.254/latest/meta-data/", "not an address of the public network"),
        ("http://192.0.2.1/", "not an address of the public network"),
        ("http://1.1.1.1/", "https:// only"),
        ("https://0x7f000001/", "not an address of the public network"),
        ("https://[::ffff:169.254.169.254]/", "not an address of the public network"),
        ("https://[64:ff9b::a9fe:a9fe]/", "not an address of the public network"),
        ("https://[64:ff9b:1::a00:1]/", "not an address of the public network"),
        ("https://[2002:a00:1::1]/", "not an address of the public network"),
        ("https://[::127.0.0.1]/", "not an address of the public network"),
        ("https://no-such-host.invalid/", "no address in DNS"),
    ],
)
def test_messages_go_nowhere_inside(settings, url, words):
    settings.DELIVERY_NETWORKS = []

    assert words in send(Letter(url, services.new_secret(), "msg_1", "{}")).error


def test_a_receiver_that_answers_by_the_drop_is_not_waited_for(receiver, monkeypatch):
    monkeypatch.setattr("voice.delivery.sending.WHOLE", 0.3)
    receiver.drops = 50

    assert "No answer" in send(Letter(receiver.url, services.new_secret(), "msg_1", "{}")).error


@pytest.mark.parametrize("wish", ["²", "9" * 5000, "soon", "-1", ""])
def test_a_wish_that_is_no_number_is_not_heard(receiver, wish):
    receiver.answer, receiver.headers = 503, {"retry-after": wish}

    outcome = send(Letter(receiver.url, services.new_secret(), "msg_1", "{}"))
    assert (outcome.error, outcome.wait) == ("Answered 503.", None)


def test_of_a_receiver_that_fails_one_message_is_tried_at_a_time(desk, receiver, endpoint):
    for _ in range(3):
        services.send_test(endpoint, by=BY)
    dead = Outcome("No answer.")
    assert pump.send_due(desk, post=lambda letter: dead) == 3

    later = datetime.now(UTC) + timedelta(minutes=1)
    assert pump.send_due(desk, now=later, post=lambda letter: dead) == 1
    assert pump.send_due(desk, now=later, post=lambda letter: Outcome("", 200)) == 1
    assert pump.send_due(desk, now=later, post=lambda letter: Outcome("", 200)) == 1
    assert Delivery.objects.filter(state="done").count() == 2


def test_what_one_msp_breaks_is_not_the_next_ones_trouble(northwind, fabrikam, monkeypatch, caplog):
    tried = []

    def work(msp):
        tried.append(msp.slug)
        raise ValueError("a message that cannot be made")

    contexts.use_public()
    monkeypatch.setattr(pump, "send_due", work)
    tasks.deliver()

    assert set(tried) >= {"northwind", "fabrikam"}
    assert "systems of" in caplog.text


def test_no_redirect_is_followed(receiver):
    receiver.answer, receiver.headers = 302, {"location": receiver.url}

    assert send(Letter(receiver.url, services.new_secret(), "msg_1", "{}")).status == 302
    assert len(receiver.got) == 1


def test_pauses_grow_and_a_wish_is_heard_up_to_an_hour():
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert next_attempt(1, now) == now + timedelta(seconds=5)
    assert next_attempt(1, now, 10**9) == now + timedelta(hours=1)
    assert next_attempt(1, now, -5) == now + timedelta(seconds=5)
    assert next_attempt(len(PAUSES) + 1, now) is None


@pytest.mark.parametrize("wrong", [{"url": "ftp://x.example"}, {"kinds": []}, {"kinds": ["ping"]}, {"name": ""}])
def test_bad_webhooks_are_refused(desk, wrong):
    facts = {"msp": desk, "name": "x", "url": "https://x.example", "kinds": [Kind.CALLS]} | wrong

    with pytest.raises(ValidationError):
        services.save_endpoint(Endpoint(**facts), by=BY)


def test_a_test_message_goes_to_one_webhook_alone(desk, receiver, endpoint):
    services.send_test(endpoint, by=BY)

    assert pump.send_due(desk) == 1
    assert '"type":"ping"' in receiver.got[0][1]
