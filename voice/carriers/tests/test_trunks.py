import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants.models import Customer, Region
from voice.carriers import lists, selectors, services
from voice.carriers.models import BlockedPrefix, Carrier, EmergencyTrunk, Trunk, TrunkGrant
from voice.carriers.tests.make import own_trunk, shared_trunk


def test_a_saved_trunk_opens_a_version_of_its_scope(northwind, nadia):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        northwind.refresh_from_db()

        assert trunk.config_version == northwind.config_version > 0
        assert trunk.source_addresses == ["127.0.9.1"]
        assert AuditEntry.objects.get(verb="trunk.saved").after["host"] == "127.0.9.1"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "127.0.0.1"}, "host"),
        ({"host": "127.0.5.1"}, "host"),
        ({"host": "10.1.1.1"}, "host"),
        ({"host": "localhost"}, "host"),
        ({"host": "a;h=127.0.0.1"}, "host"),
        ({"host": "carrier"}, "host"),
        ({"source_addresses": ["127.0.0.1"]}, "source_addresses"),
        ({"source_addresses": ["carrier.example"]}, "source_addresses"),
        ({"host": "2001:4860:4860::8888"}, "host"),
        ({"source_addresses": ["127.0.9.1", "2001:4860:4860::8888"]}, "source_addresses"),
        ({"port": 0}, "port"),
        ({"transport": "sctp"}, "transport"),
        ({"auth": "digest"}, "username"),
        ({"auth": "digest", "username": "u"}, "password"),
        ({"auth": "digest", "username": 'u"', "password": "p"}, "username"),
        ({"auth": "digest", "username": "u\x01", "password": "p"}, "username"),
        ({"auth": "digest", "username": "u", "password": "p\x7f"}, "password"),
        ({"auth": "digest", "username": "u", "password": "p", "realm": "a\x1fb"}, "realm"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_trunk_is_refused_in_words_at_its_field(northwind, nadia, changes, field):
    with contexts.msp(northwind), pytest.raises(ValidationError) as refused:
        shared_trunk(northwind, nadia, **changes)

    assert field in refused.value.message_dict


def test_a_name_that_resolves_to_loopback_is_refused(northwind, nadia, monkeypatch):
    monkeypatch.setattr(services, "addresses_of", lambda host: [services.as_address("127.0.0.1")])

    with contexts.msp(northwind), pytest.raises(ValidationError, match="of the SBC itself"):
        shared_trunk(northwind, nadia, host="sneaky.carrier.example", source_addresses=["127.0.9.1"])


def test_a_name_with_ipv6_addresses_alone_is_refused(northwind, nadia, monkeypatch):
    found = ["2001:4860:4860::8888"]
    monkeypatch.setattr(services, "addresses_of", lambda host: [services.as_address(text) for text in found])
    facts = {"host": "sip.carrier.example", "source_addresses": ["127.0.9.1"]}

    with contexts.msp(northwind):
        with pytest.raises(ValidationError, match="has no IPv4 address"):
            shared_trunk(northwind, nadia, **facts)
        found.append("127.0.9.1")
        shared_trunk(northwind, nadia, **facts)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "127.0.0.1"}, "host"),
        ({"host": "169.254.169.254"}, "host"),
        ({"host": "2001:4860:4860::8888"}, "host"),
        ({"source_addresses": ["127.0.0.1"]}, "source_addresses"),
        ({"host": "52.113.0.1"}, "host"),
        ({"host": "10.1.1.1"}, "host"),
    ],
)
@pytest.mark.parametrize("has_regions", [True, False])
def test_a_trunk_that_no_sbc_carries_yet_is_checked_too(northwind, nadia, monkeypatch, changes, field, has_regions):
    monkeypatch.setattr(selectors, "regions_of", lambda trunk: [])
    with contexts.public():
        if has_regions:
            Region.objects.create(name="Berlin", slug="berlin", microsoft_networks=["52.112.0.0/14"])
        else:
            # What an installation without any would allow.
            Region.objects.update(allowed_networks=[], microsoft_networks=["52.112.0.0/14"])

    with contexts.msp(northwind):
        with pytest.raises(ValidationError) as refused:
            shared_trunk(northwind, nadia, **({"host": "8.8.8.8"} | changes))
        assert [field] == list(refused.value.message_dict)
        assert len(refused.value.message_dict[field]) == 1
        shared_trunk(northwind, nadia, host="127.0.9.1" if has_regions else "8.8.8.8")


def test_the_second_editor_is_told_and_nothing_is_overwritten(northwind, nadia):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        first, second = Trunk.objects.get(pk=trunk.pk), Trunk.objects.get(pk=trunk.pk)
        first.channels = 10
        services.save_trunk(first, by=nadia)

        second.channels = 99
        with pytest.raises(StaleEdit, match=r"nadia@.* changed this"):
            services.save_trunk(second, by=nadia)
        assert Trunk.objects.get(pk=trunk.pk).channels == 10


def test_the_password_is_stored_encrypted_and_never_audited(northwind, nadia):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia, auth="digest", username="u", password="top secret")
        with connection.cursor() as cursor:
            cursor.execute("SELECT password FROM carriers_trunk WHERE id = %s", [trunk.pk])
            assert "top secret" not in cursor.fetchone()[0]

        assert Trunk.objects.get(pk=trunk.pk).password == "top secret"
        assert "top secret" not in str(list(AuditEntry.objects.values()))


def test_customers_see_their_own_and_granted_trunks_only(northwind, acme, globex, nadia, alice, mallory):
    own = own_trunk(acme, alice, host="127.0.9.20")
    with contexts.msp(northwind):
        granted, hidden = (
            shared_trunk(northwind, nadia),
            shared_trunk(northwind, nadia, name="Hidden", host="127.0.9.2"),
        )
        services.grant_trunk(granted, acme, by=nadia)

    assert set(selectors.trunks_for(acme)) == {own, granted}
    assert set(Trunk.objects.all()) == {own, granted}
    with contexts.customer(globex):
        assert not Trunk.objects.exists()
    assert hidden not in Trunk.objects.all()


def test_a_customer_cannot_change_the_msps_trunk_or_grant_itself_one(northwind, acme, nadia):
    with contexts.msp(northwind):
        granted, hidden = (
            shared_trunk(northwind, nadia),
            shared_trunk(northwind, nadia, name="Hidden", host="127.0.9.2"),
        )
        services.grant_trunk(granted, acme, by=nadia)

    assert not Trunk.objects.filter(pk=granted.pk).update(host="127.0.9.9")
    with pytest.raises(Exception, match="row-level security"), transaction.atomic():
        TrunkGrant.objects.create(msp=northwind, trunk_id=hidden.pk, tenant=acme)


@pytest.mark.parametrize("state", ["closing", "closed"])
def test_a_customer_on_its_way_out_is_given_no_trunk(northwind, acme, nadia, state):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        Customer.objects.filter(pk=acme.pk).update(state=state)
        with pytest.raises(ValidationError, match="cannot be given anything"):
            services.grant_trunk(trunk, acme, by=nadia)


def test_a_trunk_that_was_taken_back_keeps_its_days_and_can_be_given_again(northwind, acme, nadia):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        first = services.grant_trunk(trunk, acme, by=nadia)
        assert services.grant_trunk(trunk, acme, by=nadia) == first
        services.revoke_trunk(trunk, acme, by=nadia)
        services.revoke_trunk(trunk, acme, by=nadia)
        acme.refresh_from_db()
        version = acme.config_version
    assert not Trunk.objects.exists(), "the customer sees it no longer"

    with contexts.msp(northwind):
        services.revoke_trunk(trunk, acme, by=nadia)
        acme.refresh_from_db()
        assert acme.config_version == version
        again = services.grant_trunk(trunk, acme, by=nadia)
        first.refresh_from_db()
        assert first.since < first.until <= again.since
        assert not again.until
        with pytest.raises(IntegrityError, match="carriers_trunkgrant_no_overlap"), transaction.atomic():
            TrunkGrant.objects.create(msp=northwind, trunk=trunk, tenant=acme)
        services.revoke_trunk(trunk, acme, by=nadia)
        services.delete_trunk(trunk, by=nadia)
        assert TrunkGrant.objects.count() == 2
    assert TrunkGrant.objects.count() == 2, "its plan asks for these days"


def test_taking_a_trunk_from_one_customer_leaves_the_other_alone(northwind, acme, globex, nadia):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        services.grant_trunk(trunk, acme, by=nadia)
        services.grant_trunk(trunk, globex, by=nadia)
        globex.refresh_from_db()
        before = globex.config_version

        services.revoke_trunk(trunk, acme, by=nadia)

        globex.refresh_from_db()
        assert globex.config_version == before
    assert not selectors.trunks_for(acme).exists()
    with contexts.customer(globex):
        assert list(selectors.trunks_for(globex)) == [trunk]


def test_an_address_in_use_elsewhere_waits_for_the_msp_and_stays_unnamed(
    northwind, acme, globex, nadia, alice, mallory
):
    with contexts.customer(globex):
        own_trunk(globex, mallory, name="Globex line", host="127.0.9.30")

    trunk = own_trunk(acme, alice, host="127.0.9.30")

    assert not trunk.approved
    assert "Globex" not in str(list(AuditEntry.objects.values()))
    with contexts.msp(northwind):
        assert list(selectors.trunks_to_approve(northwind)) == [trunk]
        services.approve_trunk(Trunk.objects.get(pk=trunk.pk), by=nadia)
    trunk.refresh_from_db()
    assert trunk.approved


def test_another_msps_address_needs_approval_too_and_a_new_address_asks_again(fabrikam, acme, alice, operator):
    with contexts.msp(fabrikam):
        shared_trunk(fabrikam, operator, host="127.0.9.40")
    trunk = own_trunk(acme, alice, host="127.0.9.41")
    assert trunk.approved

    trunk.host, trunk.source_addresses = "127.0.9.40", []
    services.save_trunk(trunk, by=alice)

    assert not trunk.approved


def test_a_name_is_no_way_around_the_approval(northwind, acme, alice, nadia, monkeypatch):
    """A carrier knows the SBC by its address: over a name for the carrier's, calls would go on the MSP's bill."""
    with contexts.msp(northwind):
        shared_trunk(northwind, nadia, host="127.0.9.50")
    monkeypatch.setattr(services, "addresses_of", lambda host: [services.as_address("127.0.9.50")])
    facts = {"host": "line.acme.example", "auth": "digest", "username": "u", "password": "p"}

    with pytest.raises(ValidationError, match=r"127\.0\.9\.50") as refused:
        own_trunk(acme, alice, **facts)
    assert "host" in refused.value.message_dict and "Northwind" not in str(refused.value)

    trunk = own_trunk(acme, alice, **facts, source_addresses=["127.0.9.50"])
    assert not trunk.approved
    with contexts.msp(northwind):
        assert shared_trunk(northwind, nadia, name="By name", host="line.northwind.example",
                            source_addresses=["127.0.9.50"]).approved  # fmt: skip


def test_a_used_trunk_is_not_closed_and_a_closed_one_stays_as_a_name(northwind, acme, nadia):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        services.grant_trunk(trunk, acme, by=nadia)
        with pytest.raises(ValidationError, match="Acme"):
            services.delete_trunk(trunk, by=nadia)
        services.revoke_trunk(trunk, acme, by=nadia)

        services.delete_trunk(trunk, by=nadia)

        assert Trunk.objects.get(pk=trunk.pk).closed_at
        assert not selectors.shared_trunks(northwind).exists()
        shared_trunk(northwind, nadia)  # the name is free again


def test_the_emergency_list_opens_a_version_for_each_customer_of_the_country(northwind, acme, globex, nadia):
    with contexts.msp(northwind):
        first, second = shared_trunk(northwind, nadia), shared_trunk(northwind, nadia, name="B", host="127.0.9.2")
        versions = {each.label: each.config_version for each in northwind.customers.all()}

        lists.set_emergency_trunks(northwind, "DE", [second, first], by=nadia)

        after = {each.label: each.config_version for each in northwind.customers.all()}
        assert after["acme"] == versions["acme"] + 1
        assert after["globex"] == versions["globex"]
        assert [line.trunk for line in selectors.emergency_trunks(northwind.pk, "DE")] == [second, first]
    # What carries the customer's emergency calls is visible to it without a grant.
    assert EmergencyTrunk.objects.count() == Trunk.objects.count() == 2


@pytest.mark.parametrize(("typed", "stored"), [("+882", "882"), ("+1-900*", "1900"), ("8 82", "882")])
def test_a_blocked_prefix_is_digits(northwind, acme, nadia, typed, stored):
    with contexts.msp(northwind):
        lists.save_blocked_prefix(BlockedPrefix(msp=northwind, prefix=typed), by=nadia)

    assert [each.prefix for each in selectors.blocked_prefixes(northwind.pk)] == [stored]


@pytest.mark.parametrize("typed", ["", "abc", "0", "[0-9]", "1" * 16, "x" * 10_000])
def test_what_is_no_prefix_is_refused(northwind, nadia, typed):
    with contexts.msp(northwind), pytest.raises(ValidationError):
        lists.save_blocked_prefix(BlockedPrefix(msp=northwind, prefix=typed), by=nadia)


def test_health_comes_from_nodes_and_changes_nothing_else(northwind, nadia):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
    at = trunk.created_at
    with contexts.ingest():
        services.record_health(trunk.pk, up=True, code=200, since=at, checked=at)
        services.record_health(trunk.pk, up=True, code=200, since=at.replace(year=2030), checked=at)
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            Trunk.objects.filter(pk=trunk.pk).update(host="127.0.9.9")
    with contexts.msp(northwind):
        trunk.refresh_from_db()
        assert (trunk.health, trunk.health_code, trunk.health_since) == ("up", 200, at)


def test_a_carrier_with_trunks_stays(northwind, nadia):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        with pytest.raises(ValidationError, match="still has trunks"):
            services.delete_carrier(trunk.carrier, by=nadia)
        assert Carrier.objects.filter(pk=trunk.carrier_id).exists()
