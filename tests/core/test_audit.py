"""The audit log: written with the change, seen by those whose it is, changed by nobody."""

import datetime as dt

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils.timezone import now

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from voice.directory.models import Person


def test_an_entry_says_who_did_what_to_what_and_why(acme, alice):
    by = Actor(user_id=alice.pk, email=alice.email, acting_for="Acme", reason="Ticket 7", ip="192.0.2.1")
    person = Person.objects.create(name="Bob")
    audit.record(by, "person.saved", person, before={"name": "Rob"}, after={"name": "Bob"}, trunk=3)

    entry = audit.entries(text="bob").get()

    assert (entry.email, entry.acting_for, entry.reason, entry.ip) == (alice.email, "Acme", "Ticket 7", "192.0.2.1")
    assert (entry.tenant_id, entry.msp_id) == (acme.pk, acme.msp_id)
    assert entry.changes == [("name", "Rob", "Bob")]
    assert entry.facts == {"trunk": 3}


def test_secrets_and_odd_values_are_stored_as_words(acme, alice):
    after = {
        "password": "sesame",
        "at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        "who": alice,
        "deep": [{"token": "t"}],
        "x": {1, 2},
    }
    audit.record(alice, "trunk.saved", after=after)

    assert audit.entries().get(verb="trunk.saved").after == {
        "password": audit.HIDDEN,
        "at": "2026-01-02T00:00:00Z",
        "who": str(alice),
        "deep": [{"token": audit.HIDDEN}],
        "x": [1, 2],
    }


def test_a_secret_that_changed_is_said_to_be_new(acme, alice):
    for old, new in (("", "a"), ("a", "b"), ("b", "b"), ("b", "")):
        audit.record(alice, "trunk.saved", before={"password": old}, after={"password": new})

    changes = [entry.changes for entry in audit.entries(verb="trunk.saved").order_by("at")]
    assert changes == [
        [("password", "", audit.HIDDEN)],
        [("password", audit.HIDDEN, audit.RENEWED)],
        [],
        [("password", audit.HIDDEN, "")],
    ]


def test_each_sees_their_own_and_the_msp_sees_its_customers(acme, globex, northwind, fabrikam, alice):
    begin = now()
    audit.record(alice, "acme.did")
    with contexts.customer(globex):
        audit.record(None, "globex.did")
        assert [entry.verb for entry in audit.entries(since=begin)] == ["globex.did"]
    assert [entry.verb for entry in audit.entries(since=begin)] == ["acme.did"]
    with contexts.msp(northwind):
        assert {entry.verb for entry in audit.entries(since=begin)} == {"acme.did", "globex.did"}
        assert audit.entries(since=begin, tenant_id=globex.pk).count() == 1
    with contexts.msp(fabrikam):
        assert not audit.entries(since=begin)
    with contexts.public():
        assert not audit.entries(since=begin)


def test_the_operator_writes_what_only_the_msp_reads(db, northwind):
    begin = now()
    audit.record(None, "msp.renamed", northwind, msp_id=northwind.pk)
    audit.record(None, "region.saved")

    assert [entry.verb for entry in audit.entries(since=begin)] == ["region.saved"]
    with contexts.msp(northwind):
        assert audit.entries(verb="msp.renamed").count() == 1


@pytest.mark.parametrize("sql", ["UPDATE core_auditentry SET email = ''", "DELETE FROM core_auditentry"])
def test_nobody_changes_an_entry(acme, northwind, alice, sql):
    audit.record(alice, "acme.did")
    for place in (contexts.customer(acme), contexts.msp(northwind), contexts.ingest(), contexts.public()):
        with place, pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_nobody_writes_an_entry_for_somebody_else(acme, globex):
    with pytest.raises(ProgrammingError), transaction.atomic():
        audit.record(None, "globex.did", tenant_id=globex.pk)


def test_the_second_editor_is_told_who_was_first(acme, alice):
    person = Person.objects.create(name="Bob")
    assert "Somebody changed this" in StaleEdit(person).messages[0]
    audit.record(alice, "person.saved", person)

    assert alice.email in StaleEdit(person).messages[0]
    assert StaleEdit("Told so").messages == ["Told so"]
    assert AuditEntry.objects.count() >= 1
