from django.utils.timezone import now

from portal.core.models import AuditEntry
from portal.ui.history import _event


def entry(**facts):
    return AuditEntry(at=now(), verb="route.saved", email="alice@acme.example", **facts)


def test_what_was_made_from_nothing_is_made_and_not_changed():
    for before in (None, {}, {"note": "", "trunks": []}):
        event = _event(AuditEntry(), entry(before=before, after={"note": "Carrier A", "trunks": []}))

        assert (event.title, event.detail) == ("Made", "alice@acme.example")


def test_only_what_says_something_is_told_and_in_words():
    event = _event(
        AuditEntry(),
        entry(before={"enabled": True, "note": "", "trunks": []}, after={"enabled": False, "note": None, "trunks": []}),
    )

    assert event.detail == "alice@acme.example; enabled: yes → no"


def test_our_own_machines_are_called_the_system():
    event = _event(AuditEntry(), AuditEntry(at=now(), verb="node.added", email="system:demo"))

    assert event.detail == "The system"
