"""What is wrong with nodes and trunks: each an alarm that says what to do, closed when it is over."""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sbc import protocol
from sbc.models import Alarm, Node
from sbc.services.alarms import close_alarms, raise_alarm
from voice.calls.masking import masked, without
from voice.calls.stored import Stored
from voice.carriers.models import Trunk

# Seconds: what a message takes when the portal is busy is less, and what matters for a bill is more.
CLOCK_WRONG, CLOCK_RIGHT = 15, 5
FULL_OVER = timedelta(minutes=15)
STARTING = timedelta(seconds=10)  # a node dials before its daemons run
IN_A_ROW = 10
_PARTS = {
    "kamailio": gettext_lazy(
        "Kamailio on %(node)s does not run or does not answer: no new call passes there. The node starts it again by "
        "itself. If this stays: kamailio.log in its folder “run”, and what the node process says."
    ),
    "rtpengine": gettext_lazy(
        "rtpengine on %(node)s does not run or does not answer: new calls are refused there, and running ones have no "
        "sound. The node starts it again by itself. If this stays: rtpengine.log in its folder “run”."
    ),
    "haproxy": gettext_lazy(
        "HAProxy on %(node)s does not run or does not answer: Microsoft does not reach this node. The node starts it "
        "again by itself. If this stays: haproxy.log in its folder “run”."
    ),
    "disk": gettext_lazy(
        "The disk of %(node)s has less than 1 GB left. Below 50 MB it takes no new calls but emergency calls, because "
        "it could not write their records. Make room on it."
    ),
}
_MICROSOFT = {
    "answers": gettext_lazy(
        "Microsoft answers none of %(node)s’s OPTIONS: calls to Teams fail there. Look at what it dials with (its "
        "certificate, and since when), at its way out to port 5061, and at Microsoft’s own state."
    ),
    "asks": gettext_lazy(
        "Microsoft has not asked %(node)s for five minutes, as it does every minute: it takes this SBC for dead and "
        "sends it no calls. Look at its certificate, the DNS names of its base domains and port 5061 from outside."
    ),
}
# Strangers choose what their packets say: which of these it is, and from where, is the node's own word.
_CALLS = {
    "unknown_name": gettext_lazy(
        "%(node)s: Microsoft sent a call for “%(host)s”, which is no customer’s name here. It belongs to a customer "
        "that left, or whose name is not live yet."
    ),
    "unknown_number": gettext_lazy(
        "%(node)s: the trunk at %(source)s sent a call to %(called)s, which is nobody’s number here. Add the number, "
        "or tell the carrier that it is not yours."
    ),
    "wrong_trunk": gettext_lazy(
        "%(node)s: %(source)s sent a call to %(called)s, whose customer has no trunk at that address. The carrier "
        "routes it wrongly, or a trunk was not granted to the customer."
    ),
    "forged_microsoft": gettext_lazy(
        "%(node)s: %(source)s, dialled as Microsoft, showed a certificate of “%(host)s” and is called no more for five "
        "minutes. Look at the addresses of Microsoft’s names in the region, and at who answers there."
    ),
}
_OTHER_CALL = gettext_lazy("%(node)s: a call from %(caller)s to %(called)s was refused. %(reason)s")
_UNKNOWN_PART = gettext_lazy("%(part)s is down on %(node)s.")
# Of 401, 407, 408, 5xx and silence the next trunk is tried; the others are a carrier's ways to want nothing from this
# customer.
_REFUSALS = frozenset({0, 401, 403, 407, 408, 488, 603, 606, 608, *range(500, 600)})
_in_a_row: dict[tuple[int, str], int] = {}


def parts_of(kamailio: bool, daemons: Mapping[str, bool]) -> dict[str, bool]:
    """Return what of a node runs: where all its daemons do and the SBC is not ready, it is Kamailio's trouble."""
    parts = {"kamailio": True, **daemons}
    return parts if kamailio or not all(parts.values()) else parts | {"kamailio": False}


def note_parts(node: Node, gauges: protocol.Gauges, at: datetime) -> None:
    """Raise or close the alarms of what runs on the node; runs as the role ingest."""
    parts = parts_of(gauges.kamailio, gauges.daemons)
    if not all(parts.values()) and Node.objects.filter(pk=node.pk, connected_since__gt=at - STARTING).exists():
        return
    for name, is_well in parts.items():
        kind = Alarm.Kind.NODE if name == "disk" else Alarm.Kind.DAEMON
        if is_well:
            close_alarms([kind], at=at, node=node, subject=name)
        else:
            words = _PARTS.get(name, _UNKNOWN_PART) % {"node": node, "part": name}
            raise_alarm(kind, words, at=at, node=node, subject=name)


def note_clock(node: Node, gauges: protocol.Gauges, at: datetime) -> None:
    """Raise the alarm that the node's clock is wrong: its records have its times; runs as the role ingest."""
    seconds = round(gauges.at / 1000 - at.timestamp())
    if abs(seconds) > CLOCK_WRONG:
        words = _("The clock of %(node)s is %(seconds)d s fast. Its records have these times: mend its NTP.")
        if seconds < 0:
            words = _("The clock of %(node)s is %(seconds)d s slow. Its records have these times: mend its NTP.")
        text = words % {"node": node, "seconds": abs(seconds)}
        raise_alarm(Alarm.Kind.NODE, text, at=at, node=node, subject="clock")
    elif abs(seconds) < CLOCK_RIGHT:
        close_alarms([Alarm.Kind.NODE], at=at, node=node, subject="clock")


def microsoft_of(found: Mapping[str, protocol.TrunkHealth]) -> dict[str, bool]:
    """Return whether Microsoft answers the node, and whether it asks it, for all base domains; as far as is known."""
    bases: dict[str, bool] = {}
    for key, health in found.items():
        side, _colon, base = key.partition(":")
        if side != "asks":
            # One of its three names is enough.
            bases[base] = bases.get(base, False) or health["up"]
    asks = [health["up"] for key, health in found.items() if key.startswith("asks:")]
    known = {"answers": list(bases.values()), "asks": asks}
    return {name: all(said) for name, said in known.items() if said}


def note_microsoft(node: Node, gauges: protocol.Gauges, at: datetime) -> None:
    """Raise the alarm that Microsoft does not answer, or does not ask any more; runs as the role ingest."""
    for name, is_well in microsoft_of(gauges.microsoft).items():
        if is_well:
            close_alarms([Alarm.Kind.NODE], at=at, node=node, subject=f"microsoft {name}")
        else:
            words = _MICROSOFT[name] % {"node": node}
            raise_alarm(Alarm.Kind.NODE, words, at=at, node=node, subject=f"microsoft {name}")


def note_away(node: Node, at: datetime) -> None:
    """Raise the alarm that nothing is heard of a node; runs as the role ingest."""
    words = _(
        "Nothing has been heard of %(node)s since %(time)s UTC. If only its way to the portal is cut, its calls go on "
        "and their records come later: look whether it takes calls, then at the machine, then at that way."
    )
    seen = f"{node.last_seen:%Y-%m-%d %H:%M}" if node.last_seen else "?"
    raise_alarm(Alarm.Kind.NODE, words % {"node": node, "time": seen}, at=at, node=node, subject="away")


def note_heard(node: Node, at: datetime) -> None:
    """Close that alarm; runs as the role ingest."""
    close_alarms([Alarm.Kind.NODE], at=at, node=node, subject="away")


def note_call(node: Node, item: protocol.CallEvent, msps: Mapping[int, int], at: datetime) -> None:
    """Raise the alarm of a call that a node says somebody should look at; runs as the role ingest."""
    # Operators and support read alarms: nobody there needs the whole number.
    numbers = [item["caller"], item["called"]]
    kind = item.get("kind", "")[:40]
    facts = {
        "node": node, "source": item.get("source") or "?", "host": without(item.get("host", ""), numbers)[:80],
        "caller": masked(item["caller"]) or "?", "called": masked(item["called"]) or "?",
        "reason": without(item["reason"], numbers),
    }  # fmt: skip
    words = str(_CALLS.get(kind, _OTHER_CALL) % facts).strip()
    tenant = item["tenant"] if item["tenant"] in msps else None
    raise_alarm(
        Alarm.Kind.CALL, words[:500], at=at, node=node, tenant_id=tenant, msp_id=msps.get(item["tenant"]), subject=kind
    )


def note_full(node: Node, calls: Iterable[Stored], at: datetime) -> None:
    """Raise the alarm that the node refused calls because it was full; runs as the role ingest."""
    count = sum(call.record["limit"] == "node" for call in calls)
    if count:
        words = _(
            "%(node)s was full and refused calls. Microsoft and carriers take another node if they know one. Look at "
            "its calls, its disk and rtpengine; if it is only busy, give it more room in its settings, or add a node."
        )
        raise_alarm(Alarm.Kind.NODE, words % {"node": node}, at=at, node=node, subject="full", times=count)


def close_full(at: datetime) -> None:
    """Close what has not happened again; runs as the role ingest."""
    Alarm.objects.open().filter(kind=Alarm.Kind.NODE, subject="full", last__lt=at - FULL_OVER).update(until=at)


def note_help(node: Node, calls: Iterable[Stored], at: datetime) -> None:
    """Raise the alarm that nobody took a call for help, whatever was tried; runs as the role ingest.

    It stays until somebody has looked at it: that the next call passes helps nobody who needed this one.
    """
    for call in calls:
        said = call.record
        if said["direction"] != "emergency" or said["answered"] is not None or said["released_by"] != "sbc":
            continue
        words = _(
            "%(node)s: nobody took a call to the emergency number %(called)s. %(tried)s Look at the customer’s "
            "emergency trunks now, and find out whether the caller still needs help (SIP Call-ID %(call)s)."
        )
        answers = ", ".join(f"{each['code']} {each['reason']}".strip()[:60] for each in said["attempts"][:8])
        tried = _("Its trunks said: %(answers)s.") % {"answers": answers} if answers else _("No trunk could be tried.")
        facts = {"node": node, "called": said["called"][:16], "tried": tried, "call": said["call_id"][:120]}
        tenant = said["tenant"]
        raise_alarm(Alarm.Kind.CALL, words % facts, at=at, node=node, tenant_id=tenant, msp_id=call.msp, subject="help")


def note_refusals(node: Node, calls: Iterable[Stored], names: Container[str], at: datetime) -> None:
    """Raise the alarm that one of these trunks refuses call after call, whatever it answers to OPTIONS.

    Runs as the role ingest.
    """
    lasts: dict[str, Mapping[str, Any]] = {}
    for attempt in (each for call in calls for each in call.record["attempts"]):
        gateway = attempt["trunk"]
        if gateway not in names:
            continue
        before = _in_a_row.get((node.pk, gateway))
        if attempt["code"] in _REFUSALS:
            _in_a_row[node.pk, gateway] = (before or 0) + 1
            lasts[gateway] = attempt
        else:
            _in_a_row[node.pk, gateway] = 0
            lasts.pop(gateway, None)
            if before != 0:
                # What another process alarmed before this one counted is over, too.
                close_alarms([Alarm.Kind.TRUNK], at=at, node=node, subject=gateway)
    for gateway, last in lasts.items():
        if _in_a_row[node.pk, gateway] >= IN_A_ROW:
            _alarm_trunk(node, gateway, last, at)


def _alarm_trunk(node: Node, gateway: str, last: Mapping[str, Any], at: datetime) -> None:
    # What a node says of trunks that its region has nothing to do with is not believed.
    trunk = Trunk.objects.filter(pk=int(gateway[1:]), msp__base_domains__region=node.region_id).first()
    if trunk is None:
        return
    words = _(
        "The trunk “%(trunk)s” refused %(count)d calls in a row from %(node)s, the last with %(answer)s. It may still "
        "answer OPTIONS: ask the carrier what it has against these calls."
    )
    answer = f"{last['code']} {last['reason']}".strip()[:80]
    text = words % {"trunk": trunk, "count": _in_a_row[node.pk, gateway], "node": node, "answer": answer}
    raise_alarm(
        Alarm.Kind.TRUNK, text, at=at, node=node, subject=gateway, tenant_id=trunk.tenant_id, msp_id=trunk.msp_id
    )
