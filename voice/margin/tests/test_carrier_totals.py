"""A carrier's invoice without calls: read, held against our costs by destination or in total, disputed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.timezone import localdate

from portal.core.audit import Actor
from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.tests.clients import client_of
from voice.carriers.models import Carrier, Trunk
from voice.currencies.models import ExchangeRate
from voice.margin import carrier_checks, selectors, tasks  # noqa: F401  registers the jobs
from voice.margin.carrier_totals import compare, read_totals, typed_rows
from voice.margin.lens import lens_of
from voice.margin.models import CarrierInvoice
from voice.rating.files.tables import read_table

DAY = date(2026, 10, 1)
BY = Actor(email="nadia@northwind.example")
COIN = 10_000


def told(text, decimal="."):
    found, faults = read_totals(typed_rows(text), decimal)
    return [(each.row, each.name, each.micros) for each in found], [fault.row for fault in faults]


def test_amounts_are_read_as_typed_and_from_files_and_what_adds_them_up_is_left_out():
    text = "Germany; 120.50\n\nGermany, mobile; 1,048.10\nFrance; much\nTotal; 1168.60"
    assert told(text) == ([(1, "Germany", 120_500_000), (3, "Germany, mobile", 1_048_100_000)], [4])
    assert told("512,30", ",") == ([(1, "", 512_300_000)], [])
    assert told("Gesamt; 512,30", ",") == ([(1, "", 512_300_000)], [])
    assert told("Credit; -3.00\n=1+1; 4") == ([(1, "Credit", -3_000_000)], [2])
    file = read_table(b"Ziel;Minuten;Betrag\nItalien;12;3,40\nSumme;;3,40\n").rows
    assert [each[1:] for each in read_totals(file, ",")[0]] == [("Italien", 3_400_000)]
    assert told("Germany") == ([], [1])


def test_destinations_agree_by_name_and_the_difference_is_that_of_all():
    asked, _faults = read_totals(typed_rows("GERMANY mobile; 5\nItaly; 2\nItaly; 1\nMars; 7\nMalta (fixed); 1"), ".")
    ours = {"Germany, mobile": 4_995_000, "Italy": 2_000_000, "Malta (mobile)": 300_000, "Chile": 0}
    held = {each.name: (each.kind, each.theirs, each.ours, each.difference) for each in compare(asked, ours, COIN)}
    assert held == {
        "Mars": ("theirs", 7_000_000, None, 7_000_000), "Italy": ("price", 3_000_000, 2_000_000, 1_000_000),
        "Malta (fixed)": ("theirs", 1_000_000, None, 1_000_000), "Malta (mobile)": ("ours", None, 300_000, -300_000),
        "Germany, mobile": ("same", 5_000_000, 4_995_000, 5_000),
    }  # fmt: skip
    [whole] = compare(read_totals(typed_rows("9"), ".")[0], ours, COIN)
    assert (whole.kind, whole.ours, whole.difference) == ("price", 7_295_000, 1_705_000)


@pytest.fixture
def carrier(northwind, globex):
    """A carrier whose trunk cost a euro to Germany, and two for what was priced again."""
    contexts.use_msp(northwind)
    carrier = Carrier.objects.create(msp=northwind, name="Carrier A")
    trunk = Trunk.objects.create(msp=northwind, carrier=carrier, name="A 1", host="192.0.2.1")
    ensure_days("rating_cost", [DAY, DAY + timedelta(days=1)])
    with contexts.ingest(), connection.cursor() as cursor:
        for hour, micros in ((8, 600_000), (9, 400_000), (25, 50_000_000)):
            at = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=hour)
            cursor.execute(
                "INSERT INTO rating_cost (tenant_id, msp_id, invited, id, answered, direction, destination, prefix,"
                " outcome, micros, currency, seconds, billed, rated_at, trunk) VALUES (%s, %s, %s, gen_random_uuid(),"
                " %s, 'out', 'Germany', '49', 'rated', %s, 'EUR', 60, 60, now(), %s)",
                [globex.pk, northwind.pk, at, at, micros, trunk.pk],
            )
        cursor.execute(
            "INSERT INTO rerating_costadjustment (tenant_id, msp_id, invited, call, answered, direction, destination,"
            " currency, calls, seconds, billed, micros, proposal_id, made_at, trunk) VALUES"
            " (%s, %s, %s, gen_random_uuid(), %s, 'out', 'Germany', 'EUR', 0, 0, 0, 2000000, 1, now(), %s)",
            [globex.pk, northwind.pk, DAY, datetime(2026, 10, 1, 8, tzinfo=UTC), trunk.pk],
        )
    contexts.use_msp(northwind)
    return carrier


@pytest.fixture
def bring(carrier, northwind, django_capture_on_commit_callbacks):
    def bring(text, decimal="", typed=True, **facts):
        given = {"carrier": carrier, "name": "typed", "begins": DAY, "ends": DAY, "currency": "EUR"} | facts
        with django_capture_on_commit_callbacks(execute=True):
            made = carrier_checks.start_totals(
                CarrierInvoice(msp=northwind, **given), text.encode(), typed=typed, decimal=decimal, by=BY
            )
        made.refresh_from_db()
        return made

    return bring


@pytest.mark.django_db
def test_a_total_is_held_against_the_costs_of_the_period_and_can_be_disputed(bring, northwind):
    made = bring("Total; 4.50")
    assert (made.stage, made.difference, made.total) == ("checked", 1_500_000, 1)
    decided = carrier_checks.decide(made, "disputed", "Germany was agreed at 0.01.", by=BY)
    assert decided.state == "disputed"
    assert selectors.disputed_with_carriers(lens_of(northwind, DAY, "EUR")) == 1_500_000
    ExchangeRate.objects.create(msp=northwind, base="EUR", quote="USD", nanos=2_000_000_000, day=DAY, source="paper")
    assert bring("6.00", currency="USD").difference == 0
    assert bring("6.00", currency="GBP").stage == "failed"


@pytest.mark.django_db
def test_what_cannot_be_meant_is_refused_with_words(bring):
    for text, facts in ((" ", {}), ("Germany; lots", {}), ("Germany; 1.234", {}), ("1", {"currency": "XXQ"})):
        with pytest.raises(ValidationError):
            bring(text, **facts)
    assert bring("Germany; 1.234", ".").difference == 1_234_000 - 3_000_000
    assert not bring("Destination;Amount\nGermany;3.00\n", typed=False).difference


@pytest.mark.django_db
def test_the_pages_and_programs_take_amounts_in(carrier, northwind, nadia, django_capture_on_commit_callbacks):
    desk = client_of(nadia, northwind)
    facts = {"carrier": carrier.pk, "begins": DAY, "ends": DAY, "zone": "UTC", "currency": "eur", "number": "T-9"}
    page = "/margin/carrier-invoices/totals/"
    assert f'value="{localdate().replace(day=1) - timedelta(days=1)}"' in desk.get(page).content.decode()
    assert "one of them" in desk.post(page, facts).content.decode()
    assert "two ways" in desk.post(page, facts | {"totals": "Germany; 1.234"}).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        made = desk.post(page, facts | {"totals": "Germany; 3.20\nMars; 7"})["Location"]
    text = desk.get(made).content.decode()
    assert "€7.20" in text and "Mars" in text and "Read it differently" not in text
    assert desk.get(f"{made}read/")["Location"] == made
    export = desk.get(f"{made}?export=csv").getvalue().decode("utf-8-sig")
    assert "Mars" in export and "Their seconds" not in export

    given = {"carrier": carrier.pk, "name": "api", "begins": f"{DAY}", "ends": f"{DAY}", "zone": "UTC"}
    with django_capture_on_commit_callbacks(execute=True):
        for way in ({"totals": "3.20"}, {"content": "Destination,Amount\nGermany,3.20\n", "by_destination": True}):
            answer = desk.post("/api/v1/carrier-invoices/", given | way, content_type="application/json")
            assert answer.status_code == 201, answer.content
    with contexts.msp(northwind):
        found = CarrierInvoice.objects.filter(name="api").values_list("stage", "difference")
        assert list(found) == [("checked", 200_000)] * 2
