"""Exchange rates from the European Central Bank's file, from its address, by hand, by page and by program."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants.models import Membership, User
from voice.currencies import ecb, services, tasks
from voice.currencies.models import ExchangeRate
from voice.currencies.selectors import rate_on

BY = Actor(email="nadia@northwind.example")
FRIDAY = date(2026, 11, 27)
FILE = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
    xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <Cube>
    <Cube time="2026-11-27"><Cube currency="USD" rate="1.1601"/><Cube currency="JPY" rate="178.12"/></Cube>
    <Cube time="2026-11-26"><Cube currency="USD" rate="1.1588"/></Cube>
  </Cube>
</gesmes:Envelope>"""


def test_the_banks_file_is_read_as_it_is_published():
    assert ecb.read(FILE) == [
        ecb.Published(FRIDAY, "USD", 1_160_100_000),
        ecb.Published(FRIDAY, "JPY", 178_120_000_000),
        ecb.Published(date(2026, 11, 26), "USD", 1_158_800_000),
    ]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (b"", "no XML"),
        (b"<html><body>Maintenance</body></html>", "no rate"),
        (FILE.replace(b"1.1601", b"1,1601"), "not an amount"),
        (FILE.replace(b"1.1601", b"0"), "no rate of the euro"),
        (FILE.replace(b"1.1601", b"-1"), "no rate of the euro"),
        (FILE.replace(b'"JPY"', b'"XYZ"'), "ISO 4217"),
        (FILE.replace(b'"JPY"', b'"USD"'), "two rates"),
        (FILE.replace(b"2026-11-26", b"yesterday"), "yesterday"),
        (b'<?xml version="1.0" encoding="klingon"?>' + FILE.split(b"?>", 1)[1], "no XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + FILE.split(b"?>", 1)[1], "no XML"),
    ],
)
def test_what_is_not_the_banks_file_is_refused_as_a_whole(wrong, words):
    with pytest.raises(ecb.Unreadable, match=words):
        ecb.read(wrong)


@contextmanager
def bank(status: int = 200, body: bytes = FILE) -> Iterator[str]:
    """Run a bank; yields its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/daily.xml"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.django_db
def test_who_began_to_import_goes_on_by_itself_and_nothing_is_added_twice(northwind, fabrikam, settings):
    with bank() as url:
        settings.ECB_RATES_URL = url
        contexts.use_public()
        tasks.import_latest()
        with contexts.msp(northwind):
            assert not ExchangeRate.objects.exists()
            assert services.import_latest(northwind, by=BY) == 3
        tasks.import_latest()
    with contexts.msp(fabrikam):
        assert not ExchangeRate.objects.exists()
    with contexts.msp(northwind):
        assert ExchangeRate.objects.count() == 3
        assert rate_on("JPY", "USD", date(2026, 11, 29)).day == FRIDAY
        assert AuditEntry.objects.filter(verb="exchange_rates.imported").count() == 1


@pytest.mark.django_db
def test_a_bank_that_is_away_adds_nothing_and_says_so(northwind, settings):
    contexts.use_msp(northwind)
    with bank(503) as url:
        settings.ECB_RATES_URL = url
        with pytest.raises(ValidationError, match="503"):
            services.import_latest(northwind, by=BY)
    settings.ECB_RATES_URL = "http://127.0.0.1:9/daily.xml"
    with pytest.raises(ValidationError, match="does not answer"):
        services.import_latest(northwind, by=BY)


@pytest.fixture
def office(client_of, nadia, northwind):
    return client_of(nadia, northwind)


@pytest.mark.django_db
def test_the_pages_import_enter_and_list(office, northwind):
    contexts.use_public()
    sent = office.post("/invoices/rates/import/", {"file": SimpleUploadedFile("daily.xml", FILE)}, follow=True)
    assert b"3 rates added" in sent.content and b"1.1601" in sent.content
    again = office.post("/invoices/rates/import/", {"file": SimpleUploadedFile("x.xml", b"<a/>")})
    assert b"There is no rate in this file" in again.content

    facts = {"day": "2026-11-27", "base": "eur", "quote": "GBP", "nanos": "0.8", "source": "Bank of Demo"}
    assert b"Rate added" in office.post("/invoices/rates/new/", facts, follow=True).content
    for wrong, words in (
        ({"nanos": "0"}, b"more than nothing"),
        ({"quote": "EUR"}, b"two currencies"),
        ({"quote": "ZZZ"}, b"ISO 4217"),
        ({"day": "2999-01-01"}, b"published on its day"),
        ({"source": ""}, b"This field is required"),
    ):
        assert words in office.post("/invoices/rates/new/", facts | wrong).content
    exported = office.get("/invoices/rates/?export=csv&quote=GBP").content
    assert exported.count(b"GBP") == 1 and b"0.8" in exported


@pytest.mark.django_db
def test_programs_do_the_same_and_support_only_looks(office, client_of, northwind):
    contexts.use_public()
    post = {"content_type": "application/json"}
    assert office.post("/api/v1/exchange-rates/import/", {"file": FILE.decode()}, **post).json() == {"added": 3}
    made = office.post(
        "/api/v1/exchange-rates/",
        {"day": "2026-11-27", "base": "EUR", "quote": "USD", "nanos": 1_200_000_000, "source": "By contract"},
        **post,
    )
    assert made.status_code == 201
    assert len(office.get("/api/v1/exchange-rates/?day=2026-11-27&quote=USD").json()["results"]) == 2
    assert office.get("/api/v1/exchange-rates/?day=soon").status_code == 400
    assert office.patch(f"/api/v1/exchange-rates/{made.json()['id']}/", {"nanos": 1}, **post).status_code == 405
    with contexts.msp(northwind):
        assert rate_on("EUR", "USD", FRIDAY).exact(100) == 120
        helper = User.objects.create_user("support@rates.example", "x", name="Sam")
        Membership(user=helper, msp=northwind, role="support").save()
    contexts.use_public()
    client = client_of(helper, northwind)
    assert client.get("/invoices/rates/").status_code == 200
    assert client.post("/invoices/rates/new/", {}).status_code == 403
