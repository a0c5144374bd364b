"""Calls that are being set up, as live events tell: of these nothing else knows when Kamailio is killed."""

from collections.abc import Iterable
from typing import Any

STALE = 600_000  # ms: no call rings for so long; its last event was lost
REASON = "The SBC was restarted while the call was being set up."


class Begun:
    """Calls from their start to their answer or refusal. From then on Kamailio's record lines tell."""

    def __init__(self) -> None:
        self._calls: dict[str, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def follow(self, events: Iterable[dict[str, Any]]) -> None:
        """Take notice of live events."""
        for event in events:
            call, kind = event.get("call"), event.get("type")
            if not call:
                continue
            if kind == "start":
                self._calls[call] = event
            elif kind == "ringing" and call in self._calls:
                self._calls[call] = self._calls[call] | {"ringing": event["at"], "egress": event["trunk"]}
            elif kind in ("answered", "ended", "refused"):
                self._calls.pop(call, None)

    def lost(self, died: int, last_seen: int) -> list[dict[str, Any]]:
        """Give a record of each call that was being set up when Kamailio died, and forget them."""
        calls = [event for event in self._calls.values() if died - STALE < event["at"] <= died]
        self._calls = {call: event for call, event in self._calls.items() if event["at"] > died}
        return [_record(event, max(last_seen, event["at"])) for event in calls]


def _record(event: dict[str, Any], last_seen: int) -> dict[str, Any]:
    return {
        "kind": "cdr",
        "id": event["call"],
        "tenant": event["tenant"],
        "peer": event["peer"],
        "msp": event["msp"],
        "direction": event["direction"],
        "call_id": "",
        "caller": event["caller"],
        "caller_sent": "",
        "called": event["called"],
        "called_sent": "",
        "invited": event["at"],
        "ringing": event.get("ringing"),
        "answered": None,
        "ended": None,
        "end_unknown": True,
        "last_seen": last_seen,
        "code": 503,
        "cause": None,
        "reason": REASON,
        "released_by": "unknown",
        "ingress": event["trunk"],
        "egress": event.get("egress", ""),
        "route": event["route"],
        "generation": 0,
        "attempts": [],
        "limit": "",
        "screening": "none",
        "attestation": "",
        "user_agent": "",
        "media": None,
    }
