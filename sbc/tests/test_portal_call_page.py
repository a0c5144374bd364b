"""Why did this call fail? What a call's page says of its line and its trunks."""

import csv
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.db import contexts
from sbc import ingest, protocol, services
from sbc.models import Node
from sbc.tests.fake_node import record
from tenants.models import Customer, Region
from voice.calls.models import Cdr
from voice.carriers.models import Trunk, TrunkGrant
from voice.routing.models import Route

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def trunks(acme: Customer) -> list[Trunk]:
    with contexts.msp(acme.msp):
        made = [Trunk(msp=acme.msp, name=name, host="127.0.9.1") for name in ("Carrier A", "Carrier B", "Carrier C")]
        for trunk in made:
            trunk.save()
        for trunk in made[:2]:
            TrunkGrant.objects.create(trunk=trunk, tenant=acme, msp=acme.msp)
        Trunk.objects.filter(pk=made[0].pk).update(
            health="down", health_code=478, health_since=now() - timedelta(hours=2)
        )
        Trunk.objects.filter(pk=made[1].pk).update(health="up", health_code=200, health_since=now() - timedelta(days=3))
    return made


def stored(region: Region, item: dict[str, Any]) -> str:
    node = services.add_node(Node(region=region, name="sbc-lab-1"), by=Actor.system("tests"))[0]
    with contexts.ingest():
        spool = node.spools.create(id=uuid.uuid4())
    ingest.take_records(node, spool.pk, protocol.Records(first=1, items=[item]))
    return f"/calls/{item['id']}/"


def test_a_call_that_no_trunk_could_be_tried_for_shows_the_trunks_of_its_line(
    region: Region, trunks: list[Trunk], alice: Any, nadia: Any, acme: Customer, client_of: Any
) -> None:
    with contexts.customer(acme):
        line = Route.objects.create(pattern="+44*", prefix="44", position=1)
        for place, trunk in enumerate(trunks):
            line.trunks.create(trunk_id=trunk.pk, position=place)
    failed = {"answered": None, "ringing": None, "code": 480, "attempts": [], "egress": "", "released_by": "sbc"}
    path = stored(region, record(1, acme.pk, route=line.pk, **failed))

    own, msps = (client_of(*who).get(path).content.decode() for who in ((alice, acme), (nadia, acme.msp)))

    assert f"/routing/{line.pk}/" in own and "no longer part" not in msps
    for page in (own, msps):
        assert "+44*" in page and "Its name has no address (DNS)" in page and "Carrier B" in page
    assert "Carrier C" in msps and "Carrier C" not in own, "a trunk that the customer may not use is not named"


def test_a_call_shows_how_the_trunks_are_that_it_tried(
    region: Region, trunks: list[Trunk], alice: Any, acme: Customer, client_of: Any
) -> None:
    tried = [{"trunk": trunks[1].gateway, "sent": 1, "ended": 2, "code": 503, "reason": "No"}]
    path = stored(
        region, record(1, acme.pk, route=0, attempts=tried, egress=trunks[1].gateway, answered=None, code=503)
    )

    page = client_of(alice, acme).get(path).content.decode()

    assert "Its trunks now" in page and "Its name has no address" not in page
    assert f'href="/trunks/{trunks[1].pk}/"' in page


def test_a_cause_that_nobody_named_is_derived_on_page_and_api_and_the_record_stays(
    region: Region, trunks: list[Trunk], alice: Any, acme: Customer, client_of: Any
) -> None:
    tried = [{"trunk": trunks[1].gateway, "sent": 1, "ended": 2, "code": 486, "reason": "Busy Here"}]
    failed = {"answered": None, "code": 486, "cause": None, "attempts": tried, "egress": trunks[1].gateway}
    path = stored(region, record(1, acme.pk, route=0, **failed))
    browser = client_of(alice, acme)

    page, said = browser.get(path).content.decode(), browser.get(f"/api/v1{path}").json()

    assert "17, busy" in page and "Derived from the SIP answer 486" in page
    assert (said["cause"], said["cause_derived"], said["attempts"][0]["cause_derived"]) == (None, 17, 17)
    with contexts.customer(acme):
        kept = Cdr.objects.get()
    assert kept.cause is None and "cause_derived" not in kept.attempts[0]


def test_whose_side_ended_a_call_is_said_on_page_export_and_api_and_not_stored(
    region: Region, trunks: list[Trunk], alice: Any, nadia: Any, acme: Customer, client_of: Any
) -> None:
    path = stored(region, record(1, acme.pk, egress=trunks[0].gateway, released_by="called"))

    for browser in (client_of(alice, acme), client_of(nadia, acme.msp)):
        page, said = browser.get(path).content.decode(), browser.get(f"/api/v1{path}").json()
        export = browser.get("/calls/", {"export": "csv"}).content.decode("utf-8-sig")
        (row,) = csv.DictReader(export.splitlines())

        assert "Ended by" in page and "The carrier, the outside party" in page
        assert (said["released_by"], said["releaser"]) == ("called", "carrier")
        assert row["Ended by"] == "The carrier, the outside party"
        described = browser.get("/api/v1/schema/").json()["components"]["schemas"]
        told = described["Call" if said.get("customer") is None else "MspCall"]["properties"]["releaser"]
        assert told["readOnly"] and "carrier" in str(told) + str(described.get("ReleaserEnum", ""))
    assert "releaser" not in {field.name for field in Cdr._meta.get_fields()}


def test_how_each_side_sounded_is_told_on_page_and_api(
    region: Region, trunks: list[Trunk], alice: Any, acme: Customer, client_of: Any
) -> None:
    media = {
        "mos": 3.6, "jitter": 8.5, "loss": 3.0, "roundtrip": 31234.0,
        "from_teams": {"mos": 4.3, "jitter": 2.0, "loss": 0.0}, "from_trunk": {"mos": 3.0, "jitter": 15.0, "loss": 6.0},
    }  # fmt: skip
    path = stored(region, record(1, acme.pk, egress=trunks[1].gateway, media=media))
    browser = client_of(alice, acme)

    page, said = browser.get(path).content.decode(), browser.get(f"/api/v1{path}").json()
    described = browser.get("/api/v1/schema/").json()["components"]["schemas"]

    assert "Microsoft Teams sent" in page and "MOS 4.3, jitter 2 ms, loss 0 %" in page
    assert "Carrier B sent" in page and "MOS 3, jitter 15 ms, loss 6 %" in page
    assert said["media"] == media
    assert described["Media"]["properties"].keys() == media.keys()
