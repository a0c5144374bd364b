"""Call records on their way in: whose they are, and how COPY reads them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from portal.db.copy_lines import document, moment, number, text

COLUMNS = (
    "id call tenant_id msp_id peer_id node_name sequence direction side call_id caller caller_sent called called_sent "
    "invited ringing answered ended end_unknown last_seen talk_ms code cause reason released_by ingress ingress_name "
    "egress egress_name route_id generation attempts limit screening attestation user_agent media disposition received"
)
NAMES = ", ".join(f'"{name}"' for name in COLUMNS.split())
# By which line of its policy another customer called, and what became of its caller ID, is its own business.
NOT_THE_CALLED_SIDES = {"route": 0, "generation": 0, "screening": "none", "attestation": ""}
# Names the called customer's half of an internal call.
_CALLED_SIDE = UUID("5e3ad3ff-3f4b-5c2b-9c0e-5f2f6f0c7a11")


class Side(NamedTuple):
    """One customer's side of a call, "caller" and "called" of an internal one; with the id of its record.

    An id stays the text that it came as: nobody reckons with it on its way, and calls come by the thousand.
    """

    name: str
    id: str
    tenant: int
    msp: int
    peer: int | None


class Stored:
    """One record of a node, and whose it is: the caller's side, and the called side of an internal call."""

    __slots__ = ("call", "msp", "peer_msp", "record", "sides")

    def __init__(self, record: dict[str, Any], msp: int, peer_msp: int | None = None) -> None:
        self.record, self.msp, self.peer_msp = record, msp, peer_msp
        self.call = str(record["id"])
        tenant, peer = record["tenant"], record["peer"] or None
        self.sides = [Side("" if peer_msp is None else "caller", self.call, tenant, msp, peer)]
        if peer_msp is not None:
            self.sides.append(Side("called", str(uuid5(_CALLED_SIDE, self.call)), record["peer"], peer_msp, tenant))


class TrunkName(NamedTuple):
    """What a trunk is called, and by whom: its MSP and, for a customer's own, that customer."""

    name: str
    msp: int
    tenant: int | None


class Lines:
    """Writes the records of one batch as lines of COPY, in the order of `COLUMNS`."""

    def __init__(self, node_name: str, trunk_names: Mapping[str, TrunkName], received: datetime) -> None:
        self._node, self._trunks, self._received = text(node_name), trunk_names, received.isoformat()

    def of(self, stored: Stored, side: Side, talk_ms: int, disposition: str) -> str:
        """Return the line of one customer's side of a call."""
        record, called_side = stored.record, side.name == "called"
        told = record | NOT_THE_CALLED_SIDES if called_side and side.tenant != side.peer else record
        ingress, egress = record["ingress"], record["egress"]
        attempts = [{**each, "name": self._name(each["trunk"], side)} for each in record["attempts"]]
        return (
            f"{side.id}\t{stored.call}\t{side.tenant}\t{side.msp}\t{number(side.peer)}\t{self._node}\t{record['seq']}\t"
            f"{record['direction']}\t{side.name}\t{text(record['call_id'])}\t{_numbers(record, called_side)}\t"
            f"{moment(record['invited'])}\t{moment(record['ringing'])}\t{moment(record['answered'])}\t"
            f"{moment(record['ended'])}\t{record['end_unknown']}\t{moment(record['last_seen'])}\t{talk_ms}\t"
            f"{record['code']}\t{number(record['cause'])}\t{text(record['reason'])}\t{record['released_by']}\t"
            f"{text(ingress)}\t{text(self._name(ingress, side))}\t{text(egress)}\t{text(self._name(egress, side))}\t"
            f"{number(told['route'] or None)}\t{number(told['generation'] or None)}\t{document(attempts)}\t"
            f"{record['limit']}\t{told['screening']}\t{told['attestation']}\t{text(record['user_agent'])}\t"
            f"{document(record['media'])}\t{disposition}\t{self._received}\n"
        )

    def _name(self, gateway: str, side: Side) -> str:
        """Return the name of a trunk that the customer may know: its own and those of its MSP."""
        trunk = self._trunks.get(gateway)
        return trunk.name if trunk and trunk.msp == side.msp and trunk.tenant in (None, side.tenant) else ""


def _numbers(record: Mapping[str, Any], called_side: bool) -> str:
    caller, caller_sent = record["caller"], record["caller_sent"]
    called, called_sent = record["called"], record["called_sent"]
    if called_side:
        # What one customer dialled before screening is nothing that the other should read.
        caller, called = caller_sent or caller, called_sent or called
    return "\t".join([text(caller), text(caller_sent), text(called), text(called_sent)])
