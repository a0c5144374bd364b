"""What the compiler is told, where it is not simply what is stored."""

import pytest

from portal.db import contexts
from sbc.compiler import compile_customer, compile_msp, for_node
from sbc.facts import customer_facts, msp_facts, region_facts
from sbc.models import Alarm, Node, Revision
from sbc.rows import Row
from sbc.services import compile_revisions
from tenants.models import BaseDomain, Customer, Msp, Region
from voice.carriers import services as carriers
from voice.carriers.lists import set_emergency_trunks
from voice.carriers.models import EmergencyTrunk, Trunk, TrunkGrant
from voice.carriers.tests.make import own_trunk, shared_trunk
from voice.emergency.models import EmergencyTrunkChoice
from voice.numbers import services as numbers
from voice.numbers.models import ApprovedCallerId, Number
from voice.numbers.tests.make import given, stock
from voice.routing.models import Route, RouteTrunk, Schedule
from voice.routing.selectors import policy_for

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("default", "state", "told"),
    [
        ("+49301234500", "active", "49301234500"),
        ("+49301234500", "suspended", ""),
        ("+49301234500", "inactive", ""),
        ("+49301234501", "active", ""),  # somebody else's, or nobody's
        ("", "active", ""),
    ],
)
def test_the_default_caller_id_is_an_active_number_of_the_customer_or_none(acme, nadia, default, state, told):
    given(acme, nadia, "+49301234500")
    Number.objects.update(state=state)
    Customer.objects.filter(pk=acme.pk).update(default_caller_id=default)
    acme.refresh_from_db()

    assert customer_facts(acme).default_caller_id == told


@pytest.mark.parametrize(("own", "everybodys", "seconds"), [(None, None, 0), (None, 240, 14_400), (60, 240, 3_600)])
def test_a_call_lasts_as_long_as_the_customer_says_and_else_as_its_msp_says(acme, northwind, own, everybodys, seconds):
    Customer.objects.filter(pk=acme.pk).update(longest_call_minutes=own)
    with contexts.public():
        Msp.objects.filter(pk=northwind.pk).update(longest_call_minutes=everybodys)
    acme.refresh_from_db()

    with contexts.customer(acme):
        assert customer_facts(acme).longest_call == seconds


def test_a_region_that_names_no_networks_opens_the_public_ones_to_its_nodes():
    """As its form says; a node without a row takes it for no network at all."""
    told = region_facts(Region(allowed_networks=[], denied_networks=["203.0.114.0/24"]))

    assert told.allowed == ("0.0.0.0/0",)
    assert {"203.0.114.0/24", "127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8"} <= set(told.denied)


def test_an_approved_number_that_another_customer_got_since_is_shown_no_more(acme, initech, mallory, alice, nadia):
    """In no region, whoever's customer that is: a node knows the numbers of its own region's customers only."""
    Customer.objects.filter(pk=acme.pk).update(foreign_caller_id=True)
    acme.refresh_from_db()
    for e164 in ("+442079460001", "+442079460002", "+442079460003"):
        approved = ApprovedCallerId(e164=e164, note="London office", evidence="Bill of 2026-10")
        numbers.save_caller_id(approved, customer=acme, by=alice)

    given(initech, mallory, "+442079460001", country="GB")
    stock(acme.msp, "+442079460002", country="GB")

    with contexts.customer(acme):
        assert customer_facts(acme).approved_callers == ("442079460002", "442079460003")
        assert policy_for(acme).approved_callers == {"442079460002", "442079460003"}


def test_all_of_a_customer_is_read_in_one_question(acme, globex, northwind, nadia, django_assert_num_queries):
    given(acme, nadia, "+49301234500", "+49301234501")
    with contexts.msp(northwind):
        shared, other = (
            Trunk.objects.create(
                msp=northwind, name=name, host=f"192.0.2.{place}", source_addresses=[f"192.0.2.{place}"]
            )
            for place, name in enumerate(("Carrier A", "Carrier B"), 1)
        )
        Trunk.objects.create(msp=northwind, tenant=globex, name="Globex's own", host="192.0.2.9")
        TrunkGrant.objects.create(msp=northwind, trunk=shared, tenant=acme)
        EmergencyTrunk.objects.create(msp=northwind, country=acme.country, trunk=other)
    contexts.use_customer(acme)
    EmergencyTrunkChoice.objects.create(trunk_id=shared.pk)
    hours = Schedule.objects.create(name="Office", windows=[{"days": [0], "begin": "09:00", "until": "17:00"}])
    second = Route.objects.create(position=2, pattern="*", action="route", schedule=hours)
    first = Route.objects.create(position=1, pattern="+44*", prefix="44", action="route")
    for route, trunks in ((first, [shared.pk]), (second, [other.pk, shared.pk])):
        for place, trunk in enumerate(trunks):
            RouteTrunk.objects.create(route=route, trunk_id=trunk, position=place)
    customer_facts(acme)

    with django_assert_num_queries(1):
        facts = customer_facts(acme)

    assert [trunk.id for trunk in facts.usable_trunks] == [shared.pk]
    assert facts.usable_trunks[0].source_addresses == ("192.0.2.1",)
    assert [(line.id, line.prefix, line.trunks) for line in facts.lines] == [
        (first.pk, "44", (f"g{shared.pk}",)),
        (second.pk, "", (f"g{shared.pk}",)),
    ]
    assert facts.lines[1].schedule == policy_for(acme).lines[1].schedule
    assert facts.lines == policy_for(acme).lines
    assert {each.gateways for each in facts.emergency} == {(f"g{shared.pk}", f"g{other.pk}")}
    assert [number.digits for number in facts.numbers] == ["49301234500", "49301234501"]
    contexts.use_customer(globex)
    assert not customer_facts(globex).numbers
    assert not customer_facts(globex).lines


def test_a_customer_abroad_dials_what_is_dialled_there_too(acme, northwind, nadia):
    given(acme, nadia, "+442079460001", country="GB")
    given(acme, nadia, "+493012345001")
    Number.objects.update(state="active")
    with contexts.msp(northwind):
        german, british = shared_trunk(northwind, nadia), shared_trunk(northwind, nadia, name="B", host="127.0.9.2")
        set_emergency_trunks(northwind, "DE", [german], by=nadia)
        set_emergency_trunks(northwind, "GB", [british], by=nadia)
    with contexts.customer(acme):
        facts = customer_facts(acme)

    both = f"{british.gateway},{german.gateway}"
    rows = {row.key.partition(":")[2]: row.value for row in compile_customer(facts, 1) if row.table == "em"}
    number = ";n=442079460001"
    assert rows == {"112": f"x=0;g={german.gateway}", "110": f"x=0;g={german.gateway}", "999": f"x=0;g={both}{number}"}
    assert facts.cover == {"DE": (german.pk,), "GB": (british.pk, german.pk)}


def test_trunks_that_share_an_address_are_all_compiled_once_the_msp_approves(acme, northwind, nadia, alice):
    with contexts.msp(northwind):
        udp = shared_trunk(northwind, nadia)
        tcp = shared_trunk(northwind, nadia, name="Carrier A by TCP", transport="tcp")
        for trunk in (udp, tcp):
            carriers.grant_trunk(trunk, acme, by=nadia)
    own = own_trunk(acme, alice, host=udp.host)
    with contexts.customer(acme):
        waiting = sources(compile_customer(customer_facts(acme), 1))

    with contexts.msp(northwind):
        carriers.approve_trunk(Trunk.objects.get(pk=own.pk), by=nadia)
        shared = sources(compile_msp(msp_facts(northwind)))
    with contexts.customer(acme):
        approved = sources(compile_customer(customer_facts(acme), 1))

    both = f"{udp.gateway},{tcp.gateway}"
    assert (shared, waiting) == ({f"m{northwind.pk}:{udp.host}": both}, {f"{acme.pk}:{udp.host}": both})
    assert approved == {f"{acme.pk}:{udp.host}": f"{both},{own.gateway}"}


def test_an_address_that_no_sbc_takes_is_left_out_and_named(acme, northwind, nadia):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        other = shared_trunk(northwind, nadia, name="B", host="127.0.9.2")
        old = shared_trunk(northwind, nadia, name="C", host="127.0.9.3")
        carriers.grant_trunk(trunk, acme, by=nadia)
        carriers.grant_trunk(old, acme, by=nadia)
        # As they could be saved once.
        Trunk.objects.filter(pk=trunk.pk).update(source_addresses=["127.0.9.1", "127.0.0.1", "2001:db8::1"])
        Trunk.objects.filter(pk=old.pk).update(host="2001:db8::3")
        facts = msp_facts(northwind)
    with contexts.customer(acme):
        mine = customer_facts(acme)

    assert [each.id for each in facts.trunks] == [trunk.pk, other.pk]
    assert facts.left_out == ("127.0.0.1", "2001:db8::1", "2001:db8::3")
    assert sources(compile_customer(mine, 1)) == {f"{acme.pk}:127.0.9.1": trunk.gateway}
    assert mine.left_out == ()  # the MSP's to mend


def a_node(region: Region, name: str, *addresses: str) -> Node:
    with contexts.public():
        return Node.objects.create(region=region, name=name, addresses=list(addresses))


def test_each_region_takes_an_address_by_its_own_networks_and_nodes(acme, northwind, nadia, region):
    """What is a carrier's here may be the SBC's there, and a laboratory's loopback is nobody's elsewhere."""
    with contexts.public():
        berlin = Region.objects.create(name="Berlin", slug="berlin", allowed_networks=["127.0.9.0/24"])
        world = Region.objects.create(name="World", slug="world", allowed_networks=["0.0.0.0/0"])
    a_node(region, "sbc-lab-1", "127.0.9.1", "127.0.9.4")
    a_node(berlin, "sbc-ber-1", "127.0.9.2", "127.0.9.4")
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia, host="127.0.9.3")
        Trunk.objects.filter(pk=trunk.pk).update(source_addresses=["127.0.9.1", "127.0.9.2", "127.0.9.4", "192.0.2.1"])
        base = BaseDomain.objects.create(msp=northwind, region=berlin, fqdn="ber.northwind.example")
        two = msp_facts(northwind)
        BaseDomain.objects.create(msp=northwind, region=world, fqdn="world.northwind.example")
        three = msp_facts(northwind)
        carriers.grant_trunk(trunk, acme, by=nadia)
    with contexts.customer(acme):
        mine = customer_facts(acme)

    assert two.trunks[0].source_addresses == ("127.0.9.1", "127.0.9.2", "192.0.2.1")
    assert two.unfit == {region.pk: ("127.0.9.1",), berlin.pk: ("127.0.9.2",)}
    assert two.left_out == ("127.0.9.1", "127.0.9.2", "127.0.9.4")
    assert three.unfit[world.pk] == ("127.0.9.1", "127.0.9.2")
    # It is in the first region alone.
    assert mine.usable_trunks[0].source_addresses == ("127.0.9.2", "192.0.2.1") and mine.unfit == {}
    rows = compile_msp(two)
    here, there = (for_node(rows, {base.fqdn}, 1, two.unfit[each.pk]) for each in (region, berlin))
    assert set(sources(here)) == {f"m{northwind.pk}:127.0.9.2", f"m{northwind.pk}:192.0.2.1"}
    assert set(sources(there)) == {f"m{northwind.pk}:127.0.9.1", f"m{northwind.pk}:192.0.2.1"}


def test_what_is_left_out_is_an_alarm_until_it_is_mended(acme, alice):
    def complaints():
        compile_revisions()
        with contexts.ingest():
            open_alarms = Alarm.objects.open().filter(kind=Alarm.Kind.COMPILE)
            return [(alarm.tenant_id, alarm.text) for alarm in open_alarms]

    trunk = own_trunk(acme, alice)
    Trunk.objects.filter(pk=trunk.pk).update(host="2001:db8::1")
    [(tenant, text)] = complaints()
    assert tenant == acme.pk and text.endswith("They are live without them: 2001:db8::1")
    with contexts.ingest():
        rows = Revision.objects.filter(scope=f"cust:{acme.pk}").order_by("-version").first().rows
    assert not [row for row in rows if row[0] in ("gw", "ip")] and any(row[0] == "tn" for row in rows)

    contexts.use_customer(acme)
    mended = Trunk.objects.get(pk=trunk.pk)
    mended.host = "127.0.9.21"
    carriers.save_trunk(mended, by=alice)

    assert complaints() == []


def sources(rows: list[Row]) -> dict[str, str]:
    return {row.key: row.value for row in rows if row.table == "ip"}
