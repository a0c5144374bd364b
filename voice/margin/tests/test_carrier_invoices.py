"""A carrier's invoice on its way: read, asked about, compared, disputed, exported, dropped."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from portal.core.audit import Actor
from portal.core.models import AuditEntry, Job, JobFile
from portal.core.tasks import sweep
from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.tests.clients import client_of
from voice.calls.tests.make import cdr
from voice.carriers.models import Carrier, Trunk
from voice.currencies.models import ExchangeRate
from voice.margin import carrier_checks, tasks  # noqa: F401  registers the jobs
from voice.margin.models import CarrierCall, CarrierFormat, CarrierInvoice
from voice.margin.pages_carriers import words_of
from voice.rerating.models import CostAdjustment

pytestmark = pytest.mark.django_db
BY = Actor(email="nadia@northwind.example")
DAY = date(2026, 10, 1)
HEAD = "Start;Called;Duration;Amount"
# Digits, seconds, our micros: what happened on the day, an hour apart.
CALLS = [("4930900001", 60, 10_000), ("4930900002", 120, 20_000), ("4930900003", 30, 5_000), ("4930900004", 60, 10_000)]


@pytest.fixture
def carrier(northwind):
    contexts.use_msp(northwind)
    return Carrier.objects.create(msp=northwind, name="Carrier A")


@pytest.fixture
def calls(carrier, northwind, globex):
    """Calls of Globex over the carrier's trunk, with what they cost."""
    trunk = Trunk.objects.create(msp=northwind, carrier=carrier, name="A 1", host="192.0.2.1")
    for table in ("calls_cdr", "rating_cost"):
        ensure_days(table, [DAY])
    made = []
    for hour, (called, seconds, micros) in enumerate(CALLS, 8):
        at = datetime(2026, 10, 1, hour, 0, 3, tzinfo=UTC)
        with contexts.ingest():
            began = at - timedelta(seconds=3)
            call = cdr(globex, began, called=f"+{called}", egress=trunk.gateway, answered=at)
            call.save(force_insert=True)
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO rating_cost (tenant_id, msp_id, invited, id, answered, direction, destination, prefix,"
                    " outcome, micros, currency, seconds, billed, rated_at, trunk) VALUES"
                    " (%s, %s, %s, %s, %s, 'out', 'Germany', '49', 'rated', %s, 'EUR', %s, %s, now(), %s)",
                    [globex.pk, northwind.pk, call.invited, call.id, at, micros, seconds, seconds, trunk.pk],
                )
        made.append(call)
    contexts.use_msp(northwind)
    return made


@pytest.fixture
def bring(carrier, northwind, django_capture_on_commit_callbacks):
    def bring(text, **facts):
        told = {
            "carrier": carrier,
            "name": "october.csv",
            "begins": DAY,
            "ends": DAY,
            "zone": "UTC",
            "currency": "EUR",
        } | facts
        with django_capture_on_commit_callbacks(execute=True):
            content = text if isinstance(text, bytes) else text.encode()
            made = carrier_checks.start(CarrierInvoice(msp=northwind, **told), content, by=BY)
        made.refresh_from_db()
        return made

    return bring


def lines(*rows):
    return "\n".join([HEAD, *rows])


# The first agrees, the second is dearer, the third longer; one is theirs alone, and our fourth is missing.
THREE = lines(
    "2026-10-01 08:00:03;+4930900001;60;0.01",
    "2026-10-01 09:00:05;+4930900002;120;0.05",
    "2026-10-01 10:00:03;+4930900003;90;0.015",
    "2026-10-01 12:30:00;+33140000000;60;0.2",
    "2026-10-01 12:30:00;nobody;60;0.2",
)


def test_a_file_is_compared_call_by_call_in_money(calls, bring, globex):
    made = bring(THREE)

    assert (made.stage, made.state, made.total, made.bad, made.message) == ("checked", "open", 4, 1, "")
    kinds = {kind: tuple(sums) for kind, sums in made.summary["kinds"].items()}
    assert kinds == {
        "same": (1, 10_000, 10_000, 0), "price": (1, 50_000, 20_000, 30_000), "duration": (1, 15_000, 5_000, 10_000),
        "theirs": (1, 200_000, 0, 200_000), "ours": (1, 0, 10_000, -10_000),
    }  # fmt: skip
    assert made.difference == 230_000
    told = {row.kind: (row.row, row.called, row.tenant_id, row.record) for row in made.calls.all()}
    assert told["price"] == (3, "+4930900002", globex.pk, calls[1].id)
    assert told["theirs"] == (5, "+33140000000", None, None) and told["ours"][0] is None
    assert [(fault.row, fault.column) for fault in made.faults.all()] == [(6, "called")]


def test_calls_that_were_priced_again_are_held_against_what_they_cost_now(calls, bring, globex, northwind):
    trunk = Trunk.objects.get(msp=northwind)

    def move(call, destination, *figures):
        facts = dict(zip(("calls", "seconds", "billed", "micros"), figures, strict=True))
        CostAdjustment.objects.create(
            tenant=globex, msp=northwind, invited=call.invited, call=call.id, answered=call.answered, direction="out",
            destination=destination, currency="EUR", trunk=trunk.pk, proposal_id=1, made_at=call.answered, **facts,
        )  # fmt: skip

    with contexts.ingest():
        move(calls[0], "Germany", 0, 0, 0, 2_000)
        move(calls[1], "Germany", -1, -120, -120, -20_000)
        move(calls[1], "Germany, special", 1, 120, 120, 50_000)
    contexts.use_msp(northwind)
    made = bring(lines(
        "2026-10-01 08:00:03;+4930900001;60;0.012",
        "2026-10-01 09:00:05;+4930900002;120;0.05",
        "2026-10-01 10:00:03;+4930900003;30;0.005",
        "2026-10-01 11:00:03;+4930900004;60;0.010",
    ))  # fmt: skip

    assert {kind: sums[0] for kind, sums in made.summary["kinds"].items() if sums[0]} == {"same": 4}
    assert made.difference == 0
    assert made.summary["kinds"]["same"][2] == 77_000


def test_what_is_not_clear_is_asked_and_remembered_for_the_carrier(calls, bring, django_capture_on_commit_callbacks):
    text = "Wann,Wohin,Wie lange,Wieviel\n01/10/2026 08:00:03,4930900001,60,1.234\n"
    made = bring(text)
    assert (made.stage, made.options["asked"]) == ("asking", ["columns"])
    columns = {"at": 0, "called": 1, "seconds": 2, "amount": 3}
    said = {"columns": columns, "header": 0, "decimal": ".", "dates": "dmy"}
    with django_capture_on_commit_callbacks(execute=True):
        carrier_checks.read_again(made, said, by=BY, zone="Europe/Berlin")
    made.refresh_from_db()
    assert (made.stage, made.zone, made.total) == ("checked", "Europe/Berlin", 1)
    assert CarrierFormat.objects.get().options["headings"]["called"] == "Wohin"

    again = bring(text)
    assert (again.stage, again.options["columns"]) == ("checked", columns)


@pytest.mark.parametrize(
    "content", [b"\xd0\xcf\x11\xe0" + b"x" * 64, b"PK\x03\x04" + b"broken" * 20, b"hello", lines().encode()]
)
def test_a_file_that_cannot_be_meant_is_refused_or_asked_about(calls, bring, content):
    made = bring(content)
    assert made.stage in ("failed", "asking") and not CarrierCall.objects.exists()
    assert made.stage == "asking" or made.message


def test_nothing_is_taken_in_that_is_empty_huge_or_of_another_msp(carrier, bring, fabrikam, northwind):
    for content in (b" ", b"x" * (20 * 1024 * 1024 + 1)):
        with pytest.raises(ValidationError):
            bring(content)
    with contexts.msp(fabrikam):
        other = Carrier.objects.create(msp=fabrikam, name="Theirs")
    with pytest.raises(ValidationError):
        bring(THREE, carrier=other)
    with pytest.raises(ValidationError):
        bring(THREE, ends=DAY - timedelta(days=1))


def test_another_currency_needs_a_stored_rate(calls, bring, northwind):
    dollars = bring(THREE, currency="USD")
    assert dollars.stage == "failed" and "EUR" in dollars.message and "USD" in dollars.message
    ExchangeRate.objects.create(msp=northwind, base="EUR", quote="USD", nanos=2_000_000_000, day=DAY, source="paper")
    assert bring(THREE, currency="USD").summary["kinds"]["price"][2] == 60_000


def test_a_dispute_says_why_and_what_was_decided_stays(calls, bring):
    made = bring(THREE)
    with pytest.raises(ValidationError):
        carrier_checks.decide(made, "disputed", " ", by=BY)
    decided = carrier_checks.decide(made, "disputed", "Line 5 is not ours.", by=BY)
    assert (decided.state, decided.row_version) == ("disputed", 1)
    assert AuditEntry.objects.filter(verb="carrier_invoice.disputed").count() == 1
    decided.row_version = 7
    with pytest.raises(ValidationError):
        carrier_checks.decide(decided, "accepted", "", by=BY)
    with pytest.raises(ValidationError):
        carrier_checks.remove(made, by=BY)
    carrier_checks.decide(CarrierInvoice.objects.get(), "open", "", by=BY)
    carrier_checks.remove(CarrierInvoice.objects.get(), by=BY)
    assert not CarrierCall.objects.exists()


def test_no_customer_and_no_other_msp_sees_any_of_it(calls, bring, globex, fabrikam):
    bring(THREE)
    for place in (contexts.customer(globex), contexts.msp(fabrikam)):
        with place:
            assert not CarrierInvoice.objects.exists() and not CarrierCall.objects.exists()


def test_the_pages_show_it_and_cut_numbers_that_a_customer_hides(
    calls, bring, carrier, northwind, nadia, globex, django_capture_on_commit_callbacks
):
    desk = client_of(nadia, northwind)
    upload = SimpleUploadedFile("october.csv", THREE.encode())
    facts = {"carrier": carrier.pk, "begins": DAY, "ends": DAY, "zone": "UTC", "currency": "eur", "number": "R-17",
             "time_tolerance": 60, "seconds_tolerance": 1}  # fmt: skip
    assert "required" in desk.post("/margin/carrier-invoices/new/", facts).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        made = desk.post("/margin/carrier-invoices/new/", facts | {"file": upload})
    text = desk.get(made["Location"]).content.decode()
    assert "€0.23" in text and "+49 30 900002" in text and "Only theirs" in text
    assert "R-17" in desk.get("/margin/carrier-invoices/").content.decode()
    assert desk.get(f"{made['Location']}faults/").status_code == 200
    assert desk.get(f"{made['Location']}read/").status_code == 200
    refused = desk.post(f"{made['Location']}decide/", {"state": "disputed", "note": ""}).content.decode()
    assert "Say in the note what you dispute." in refused
    assert desk.post(f"{made['Location']}decide/", {"state": "disputed", "note": "no"}).status_code == 302

    with contexts.msp(northwind):
        globex.hide_numbers = True
        globex.save(update_fields=["hide_numbers"])
    pk = CarrierInvoice.objects.get().pk
    export = desk.get(f"{made['Location']}?export=csv&kind=price").getvalue().decode("utf-8-sig")
    shown = [desk.get(made["Location"]).content.decode(), export,
             desk.get(f"/api/v1/carrier-invoices/{pk}/calls/").content.decode()]  # fmt: skip
    assert not any("900002" in text or "900003" in text for text in shown)
    [row] = list(csv.DictReader(io.StringIO(export)))
    assert (row["They ask"], row["You counted"], row["Difference"]) == ("€0.05", "€0.02", "€0.03")


def test_the_file_that_is_said_to_work_works(carrier, northwind, nadia, django_capture_on_commit_callbacks):
    desk = client_of(nadia, northwind)
    shown = desk.get("/margin/carrier-invoices/new/").content.decode()
    lines = re.findall("<code>(.*?)</code>", shown[shown.index('class="sample"') :])[:3]
    facts = {"carrier": carrier.pk, "begins": "2026-10-01", "ends": "2026-10-01", "zone": "UTC", "currency": "eur",
             "time_tolerance": 60, "seconds_tolerance": 1}  # fmt: skip
    file = SimpleUploadedFile("sample.csv", "\n".join(lines).encode())
    with django_capture_on_commit_callbacks(execute=True):
        desk.post("/margin/carrier-invoices/new/", facts | {"file": file})

    with contexts.msp(northwind):
        theirs = CarrierCall.objects.order_by("row").values_list("called", "seconds", "micros")
        assert list(theirs) == [("+493012345", 65, 5_400), ("+44770090012", 9, 48_000)]
    assert max(map(len, lines)) <= 38, "longer lines do not fit beside the form"


def test_a_long_export_is_a_job_and_shows_no_more(
    calls, bring, northwind, nadia, globex, monkeypatch, django_capture_on_commit_callbacks
):
    made = bring(THREE)
    with contexts.msp(northwind):
        globex.hide_numbers = True
        globex.save(update_fields=["hide_numbers"])
    monkeypatch.setattr("voice.margin.pages_carriers.EXPORT_AT_ONCE", 1)
    desk = client_of(nadia, northwind)
    with django_capture_on_commit_callbacks(execute=True):
        went = desk.get(f"/margin/carrier-invoices/{made.pk}/?export=csv")
    assert went["Location"].startswith("/jobs/")
    with contexts.msp(northwind):
        text = bytes(JobFile.objects.get().content).decode("utf-8-sig")
    assert "900002" not in text and "+4930900***" in text and "+33140000000" in text
    assert text.splitlines()[0].startswith("Result,Line,When")


def test_programs_do_the_same(calls, carrier, northwind, nadia, django_capture_on_commit_callbacks):
    desk, kind = client_of(nadia, northwind), {"content_type": "application/json"}
    facts = {"carrier": carrier.pk, "name": "x.csv", "begins": "2026-10-01", "ends": "2026-10-01", "content": THREE}
    with django_capture_on_commit_callbacks(execute=True):
        made = desk.post("/api/v1/carrier-invoices/", facts, **kind).json()
    url = f"/api/v1/carrier-invoices/{made['id']}/"
    assert desk.get(url).json()["difference"] == 230_000
    assert [row["kind"] for row in desk.get(f"{url}calls/?kind=theirs").json()["results"]] == ["theirs"]
    assert desk.post(f"{url}decide/", {"state": "disputed"}, **kind).status_code == 400
    assert desk.post(f"{url}decide/", {"state": "disputed", "note": "no"}, **kind).json()["state"] == "disputed"
    assert desk.delete(url).status_code == 400
    del facts["content"]
    for wrong in ({"content_base64": "?"}, {"content_base64": "ü"}, {"content": "x", "totals": "Germany; 1.00"}):
        assert desk.post("/api/v1/carrier-invoices/", facts | wrong, **kind).status_code == 400


def test_a_check_that_breaks_says_so_and_can_be_tried_again(calls, bring, monkeypatch):
    monkeypatch.setattr(carrier_checks.storing, "write_calls", lambda *_: 1 / 0)
    made = bring(THREE)
    assert made.stage == "failed" and "once more" in made.message
    assert Job.objects.get(pk=made.job_id).state == "failed"


def test_a_check_whose_worker_was_killed_can_be_tried_again(calls, bring):
    made = bring(THREE)
    CarrierInvoice.objects.update(stage="checking")
    Job.objects.filter(pk=made.job_id).update(state="running", updated_at=datetime.now(UTC) - timedelta(hours=1))

    sweep()

    made.refresh_from_db()
    assert made.stage == "failed" and "once more" in made.message


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        ({"kind": "shift", "minutes": 60, "calls": 9, "share": 98}, "98 % of the calls begin 1 h later"),
        ({"kind": "seconds", "seconds": 3, "share": 90, "micros": 12_340_000}, "3 s more on 90 %"),
        ({"kind": "seconds", "seconds": -2, "share": 90, "micros": -1}, "2 s less"),
        ({"kind": "minutes", "share": 99, "micros": 0}, "whole minutes"),
        ({"kind": "factor", "factor": 1.0843, "share": 88, "micros": 5}, "1.0843 times yours on 88 %"),
        ({"kind": "rounding", "unit": 10_000, "way": "up", "micros": 12_340_000, "calls": 7}, "up to €0.01 on 7 calls"),
    ],
)
def test_what_they_have_in_common_is_said_in_words(finding, words):
    assert words in words_of(finding, "EUR")
