"""What must run on a node before a customer's change: of what the node has not taken, only what the change names."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from django.utils.translation import gettext as _

from sbc.models import Deployment, Node, Revision
from sbc.naming import waits_for
from sbc.rows import Row
from sbc.services.receipts import scope_name

_WAITS = re.compile(r"waits for ((?:region|msp|cust):\d+) version \d+")
UNTAKEN = (Deployment.State.REFUSED, Deployment.State.HELD)


class Progress(NamedTuple):
    """How far a node is with a scope."""

    state: str
    wanted: int
    running: int


class Needs:
    """How far a node is with the scopes that its next revisions wait for."""

    def __init__(self, carried: Mapping[str, Progress]) -> None:
        self.carried = carried
        self._rows: dict[tuple[str, int], dict[tuple[str, str], str]] = {}

    def only(self, versions: Mapping[str, int]) -> dict[str, int]:
        """Return these versions without those of scopes that the node does not carry: it never waits for them."""
        return {key: version for key, version in versions.items() if key in self.carried}

    def of(
        self, revision: Revision, running: Revision | None, share: Callable[[Revision], list[Row]]
    ) -> tuple[dict[str, int], str]:
        """Return the versions that the revision waits for, and the MSP of which it needs what the node has not taken.

        A customer that does not need it does not wait for it: `share` gives what the node takes of a revision.
        """
        needs = self.only(revision.needs)
        for key, version in list(needs.items()):
            outer = self.carried[key]
            taken = outer.running >= version or outer.state not in UNTAKEN
            if taken or revision.tenant_id is None or not key.startswith("msp:"):
                continue
            brought, held = self._outer(key, outer.wanted), self._outer(key, outer.running)
            if waits_for(share(revision), share(running) if running else [], brought, held):
                return needs, key
            del needs[key]
        return needs, ""

    def _outer(self, key: str, version: int) -> dict[tuple[str, str], str]:
        if (key, version) not in self._rows:
            rows = Revision.objects.filter(scope=key, version=version).values_list("rows", flat=True).first()
            self._rows[key, version] = {(table, name): value for table, name, value in rows or []}
        return self._rows[key, version]


def untaken_words(key: str) -> str:
    """Return that a change needs what a node has not taken of this scope."""
    words = _("It uses what a change of %(scope)s brings, and this SBC has not taken that change.")
    return words % {"scope": scope_name(key)}


def note_waiting(node: Node, waiting: Mapping[str, str]) -> None:
    """Note in words why changes wait on a node that has been sent them."""
    for scope, why in waiting.items():
        words = [why]
        if found := _WAITS.fullmatch(why):
            said = _("It waits for a change of %(scope)s that this SBC does not run yet.")
            words = [said % {"scope": scope_name(found[1])}, untaken_words(found[1])]
        waits = Deployment.objects.filter(node=node, scope=scope, state=Deployment.State.SENT)
        waits.exclude(error__in=words).update(error=words[0])
