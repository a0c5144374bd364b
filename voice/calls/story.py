"""One call told to a person: a headline, what happened when, and who said what to whom."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.ui import values
from portal.ui.ladder import Message
from portal.ui.parts import Event
from portal.ui.status import Status
from voice.calls.causes import attempts_with_causes, derived_cause
from voice.calls.masking import BELOW_COST
from voice.calls.models import Cdr, Disposition
from voice.calls.models.cdr import Direction
from voice.calls.releasers import releaser
from voice.calls.words import words_for, words_for_cause

LONGEST = 60
# After these a call is over, however many trunks are left; all others let the next one try.
FAILOVER_CODES = frozenset({0, 408, *range(500, 600)})
LIMITS = {
    "customer_cps": gettext_lazy("more new calls a second than the company's limit"),
    "customer_channels": gettext_lazy("more calls at a time than the company's limit"),
    "customer_spend": gettext_lazy("the prepaid balance, credit or spend limit is used up"),
    "trunk_cps": gettext_lazy("more new calls a second than the trunk's limit"),
    "trunk_channels": gettext_lazy("more calls at a time than the trunk's limit"),
    "node": gettext_lazy("the SBC was busy"),
    "call_length": gettext_lazy("it had lasted as long as a call may"),
    "below_cost": gettext_lazy("below cost: over every trunk of the line a call costs more than the customer pays"),
    "not_offered": gettext_lazy("this number is not offered over the trunks of the line"),
}
ENDED_BY_US = {  # by the reason in the record
    "No media from either end": gettext_lazy("both ends had vanished, no sound came from either"),
}
SCREENING = {
    "own": gettext_lazy("The caller's number is one of the company's own."),
    "forwarded": gettext_lazy("A forwarded call: the original caller is shown, on the company's account."),
    "foreign": gettext_lazy("The caller's number is another network's, and approved for the company."),
    "replaced": gettext_lazy("The caller's number was not the company's own and was replaced by the default number."),
    "refused": gettext_lazy("The caller's number was not the company's own, so the call was refused."),
    "none": gettext_lazy("The caller's number was not checked."),
}
RELEASED = {
    "caller": gettext_lazy("the caller hung up"),
    "called": gettext_lazy("the called party hung up"),
    "sbc": gettext_lazy("the SBC ended it"),
    "unknown": gettext_lazy("who hung up is not known"),
}
_TONES = {
    Disposition.ANSWERED: ("good", "phone-check"),
    Disposition.EMERGENCY: ("good", "ambulance"),
    Disposition.BUSY: ("wait", "phone-off"),
    Disposition.NO_ANSWER: ("wait", "phone-off"),
    Disposition.CANCELLED: ("calm", "phone-off"),
    Disposition.REJECTED: ("wait", "phone-x"),
    Disposition.INVALID_NUMBER: ("wait", "help-circle"),
    Disposition.NOT_OURS: ("bad", "phone-x"),
    Disposition.BLOCKED: ("wait", "ban"),
    Disposition.LIMITED: ("bad", "ban"),
    Disposition.SPEND_LIMIT: ("bad", "wallet"),
    Disposition.BAD_CALLER_ID: ("bad", "user-off"),
    Disposition.TIMEOUT: ("bad", "hourglass"),
    Disposition.NOT_OFFERED: ("wait", "ban"),
}


def status_of(cdr: Cdr) -> Status:
    """Return the chip for what became of a call."""
    if cdr.end_unknown:
        return Status(_("End unknown"), "wait", "help-circle")
    tone, icon = _TONES.get(Disposition(cdr.disposition), ("bad", "alert-triangle"))
    if cdr.limit == BELOW_COST:
        return Status(_("Below cost"), tone, icon)
    return Status(Disposition(cdr.disposition).label, tone, icon)


def headline(cdr: Cdr) -> str:
    """Return the call in one or two plain sentences."""
    failed = [each for each in cdr.attempts if each["code"] >= 300 or each["code"] == 0]
    if cdr.answered is not None:
        return " ".join([*_answered(cdr), *_detour(cdr, failed)])
    if cdr.limit:
        return _("Refused: %(why)s.") % {"why": LIMITS.get(cdr.limit, cdr.limit)}
    if cdr.disposition == Disposition.BAD_CALLER_ID:
        return str(SCREENING["refused"])
    if cdr.disposition == Disposition.BLOCKED:
        return _("Blocked: the routing policy does not let this call out.")
    if cdr.disposition == Disposition.NOT_ROUTED:
        return _("Not placed: no trunk could be tried.")
    if cdr.disposition == Disposition.NOT_OURS:
        return _("Refused: the called number does not belong to this company here.")
    if cdr.disposition == Disposition.CANCELLED:
        return _("The caller hung up after %(time)s, before anybody answered.") % {"time": _lasted(cdr)}
    return " ".join(_failed(cdr, failed))


def meaning(cdr: Cdr) -> str:
    """Return what the last answer means: from another network not what it means from ourselves."""
    is_ours = cdr.released_by == "sbc" and not cdr.attempts
    return _("the SBC's own answer, no other side was asked") if is_ours else words_for(cdr.code)


def cause(cdr: Cdr) -> tuple[str, str]:
    """Return the call's Q.850 cause in words and, where the other side named none, how it is known."""
    if cdr.cause is not None:
        return _cause(cdr.cause), ""
    derived = derived_cause(cdr)
    if derived is None:
        return "", ""
    how = _("Derived from the SIP answer %(code)s (RFC 3398): no cause was named.") % {"code": cdr.code}
    return _cause(derived), how


def ended_by(cdr: Cdr) -> str:
    """Return whose side ended a call, and why where it was the SBC."""
    return _with_reason(str(releaser(cdr).label), cdr)


def timeline(cdr: Cdr) -> list[Event]:
    """Return what happened when, in order."""
    events = [Event(cdr.invited, _("Call came in from %(side)s") % {"side": ingress(cdr)}, icon="phone-incoming")]
    for each in attempts_with_causes(cdr):
        name = _trunk(cdr, each)
        sent = _at(each["sent"])
        events.append(Event(sent, _("Sent to %(trunk)s") % {"trunk": name}, _after(cdr, sent), "calm", "send"))
        if each["code"] >= 300 or (each["code"] == 0 and each["ended"] is not None):
            answer = f"{each['code']} {each['reason']}".strip() if each["code"] else _("silence")
            detail = f"{words_for(each['code'])} ({answer[:LONGEST]}{_derived(each['cause_derived'])})"
            ended = _at(each["ended"] or each["sent"])
            events.append(Event(ended, _("%(trunk)s did not take it") % {"trunk": name}, detail, "bad", "phone-x"))
    if cdr.ringing is not None:
        events.append(Event(cdr.ringing, _("Rang"), _after(cdr, cdr.ringing), "busy", "bell"))
    if cdr.answered is not None:
        events.append(Event(cdr.answered, _("Answered"), _after(cdr, cdr.answered), "good", "phone-check"))
    events.append(_end(cdr))
    return sorted(events, key=lambda event: event.at or cdr.invited)


def parties(cdr: Cdr) -> list[str]:
    """Return who took part, from the side that called to the last one tried."""
    names = [ingress(cdr), _("SBC")]
    for each in cdr.attempts:
        name = _trunk(cdr, each)
        if name not in names[2:]:
            names.append(name)
    if not cdr.attempts and cdr.egress:
        names.append(egress(cdr))
    return names


def ladder(cdr: Cdr) -> list[Message]:
    """Return the messages between the parties, as far as the record tells them."""
    return sorted(_messages(cdr, parties(cdr)), key=lambda message: float(message.at.rstrip(" s") or 0))


def ingress(cdr: Cdr) -> str:
    """Return what a person calls the side that the call came from."""
    return _side(cdr, cdr.ingress, cdr.ingress_name)


def egress(cdr: Cdr) -> str:
    """Return what a person calls the side that the call went to."""
    return _side(cdr, cdr.egress, cdr.egress_name)


def _trunk(cdr: Cdr, attempt: dict[str, Any]) -> str:
    return _side(cdr, attempt["trunk"], attempt.get("name") or "")


def _side(cdr: Cdr, gateway: str, name: str) -> str:
    if gateway == "teams":
        return "Microsoft Teams"
    # A trunk without a name at the end of a call inside is another customer's.
    return name or ("" if cdr.direction == Direction.INTERNAL else gateway) or _("inside")


def _cause(number: int) -> str:
    return ", ".join(filter(None, (str(number), words_for_cause(number))))


def _derived(number: int | None) -> str:
    return "" if number is None else "; " + _("Q.850 %(cause)s, derived from it") % {"cause": number}


def _answered(cdr: Cdr) -> Iterator[str]:
    assert cdr.answered is not None
    waited = values.duration((cdr.answered - cdr.invited).total_seconds())
    if cdr.end_unknown:
        yield _("Answered after %(waited)s. When it ended is not known.") % {"waited": waited}
        if cdr.last_seen is not None:
            yield _("It was last seen %(time)s later.") % {"time": values.duration(cdr.talk_ms / 1000)}
        return
    talked = values.duration(cdr.talk_ms / 1000)
    facts = {"waited": waited, "talked": talked, "who": _who_ended(cdr)}
    yield _("Answered after %(waited)s, lasted %(talked)s, then %(who)s.") % facts


def _who_ended(cdr: Cdr) -> str:
    return _with_reason(str(RELEASED.get(cdr.released_by, "")), cdr)


def _with_reason(who: str, cdr: Cdr) -> str:
    why = (LIMITS.get(cdr.limit) or ENDED_BY_US.get(cdr.reason)) if cdr.released_by == "sbc" else None
    return f"{who}: {why}" if why else who


def _detour(cdr: Cdr, failed: list[dict[str, Any]]) -> Iterator[str]:
    for each in failed:
        facts = {"trunk": _trunk(cdr, each), "why": words_for(each["code"]).lower()}
        yield _("%(trunk)s did not take it before: %(why)s.") % facts


def _failed(cdr: Cdr, failed: list[dict[str, Any]]) -> Iterator[str]:
    if not failed:
        yield _("Not answered: %(why)s.") % {"why": words_for(cdr.code).lower()}
        return
    for each in failed:
        facts = {"trunk": _trunk(cdr, each), "why": words_for(each["code"]).lower()}
        yield _("Rejected by %(trunk)s: %(why)s.") % facts
    last = failed[-1]["code"]
    if last not in FAILOVER_CODES:
        yield _("No other trunk was tried, because “%(why)s” is final.") % {"why": words_for(last).lower()}


def _messages(cdr: Cdr, names: list[str]) -> Iterator[Message]:
    last = len(names) - 1
    yield Message(0, 1, _clip(f"INVITE {cdr.called}"), _offset(cdr, cdr.invited))
    for each in cdr.attempts:
        lane = names.index(_trunk(cdr, each), 2)
        yield Message(1, lane, "INVITE", _offset(cdr, _at(each["sent"])))
        if each["code"] >= 300:
            text = _clip(f"{each['code']} {each['reason']}")
            yield Message(lane, 1, text, _offset(cdr, _at(each["ended"] or each["sent"])), "bad")
            last = lane
    if not cdr.attempts and cdr.egress:
        yield Message(1, last, "INVITE", _offset(cdr, cdr.invited))
    if cdr.answered is None and cdr.code:
        yield Message(1, 0, _clip(f"{cdr.code} {cdr.reason}"), _offset(cdr, cdr.ended or cdr.invited), "bad")
    final = next((names.index(_trunk(cdr, each), 2) for each in cdr.attempts if each["code"] == 200), last)
    for at, text, tone in ((cdr.ringing, "180 Ringing", "busy"), (cdr.answered, "200 OK", "good")):
        if at is not None:
            if final > 1:
                yield Message(final, 1, text, _offset(cdr, at), tone)
            yield Message(1, 0, text, _offset(cdr, at), tone)
    if cdr.answered is not None and cdr.ended is not None:
        yield from _byes(cdr, final)


def _byes(cdr: Cdr, final: int) -> Iterator[Message]:
    assert cdr.ended is not None
    at = _offset(cdr, cdr.ended)
    if cdr.released_by in ("caller", "sbc", "unknown"):
        if cdr.released_by == "caller":
            yield Message(0, 1, "BYE", at)
        if final > 1:
            yield Message(1, final, "BYE", at)
    if cdr.released_by in ("called", "sbc"):
        if cdr.released_by == "called" and final > 1:
            yield Message(final, 1, "BYE", at)
        yield Message(1, 0, "BYE", at)


def _end(cdr: Cdr) -> Event:
    if cdr.end_unknown:
        return Event(
            cdr.last_seen,
            _("Last seen"),
            _("No end was heard: the SBC was restarted, or its clock was set back."),
            "wait",
            "help-circle",
        )
    if cdr.answered is not None:
        talked = _("after %(time)s of talking") % {"time": values.duration(cdr.talk_ms / 1000)}
        return Event(cdr.ended, _("Ended: %(who)s") % {"who": _who_ended(cdr)}, talked, "calm", "phone")
    answer = f"{cdr.code} {cdr.reason}".strip()[:LONGEST]
    why = meaning(cdr)
    return Event(cdr.ended or cdr.invited, _("Over: %(answer)s") % {"answer": answer}, why, "bad", "phone-x")


def _lasted(cdr: Cdr) -> str:
    return str(values.duration(((cdr.ended or cdr.invited) - cdr.invited).total_seconds()))


def _after(cdr: Cdr, at: datetime) -> str:
    return _("after %(time)s") % {"time": _offset(cdr, at)}


def _offset(cdr: Cdr, at: datetime) -> str:
    return f"{(at - cdr.invited).total_seconds():.3f} s"


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _clip(text: str) -> str:
    text = text.strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
