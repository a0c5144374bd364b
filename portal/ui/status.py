"""The words for states: one word, one icon and one colour for each, the same everywhere."""

from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


# Equal to itself alone: what is drawn of a state is kept by the object, whose words read otherwise in each language.
@dataclass(frozen=True, eq=False)
class Status:
    word: Words
    tone: str  # good, busy, wait, bad or calm
    icon: str
    detail: Words = ""


STATES: dict[str, Status] = {
    "live": Status(_("Live"), "good", "circle-check"),
    "going_live": Status(_("Going live"), "busy", "loader"),
    "waiting_you": Status(_("Waiting for you"), "wait", "user-circle"),
    "waiting_microsoft": Status(_("Waiting for Microsoft"), "wait", "hourglass"),
    "waiting_carrier": Status(_("Waiting for the carrier"), "wait", "hourglass"),
    "waiting_dns": Status(_("Waiting for DNS"), "wait", "hourglass"),
    "attention": Status(_("Needs attention"), "bad", "alert-triangle"),
    "suspended": Status(_("Suspended"), "wait", "player-pause"),
    "scheduled": Status(_("Scheduled"), "calm", "calendar"),
    "cooling": Status(_("Cooling"), "calm", "clock-pause"),
    "draft": Status(_("Draft"), "calm", "pencil"),
    "active": Status(_("Active"), "good", "circle-check"),
    "inactive": Status(_("Inactive"), "calm", "circle"),
    "expired": Status(_("Expired"), "calm", "circle"),
    "revoked": Status(_("Revoked"), "calm", "circle"),
    "creating": Status(_("Being created"), "busy", "loader"),
    "closing": Status(_("Closing"), "wait", "loader"),
    "closed": Status(_("Closed"), "calm", "archive"),
    "enabled": Status(_("On"), "good", "circle-check"),
    "disabled": Status(_("Off"), "calm", "circle"),
    "up": Status(_("Up"), "good", "circle-check"),
    "down": Status(_("Down"), "bad", "plug-connected-x"),
    "unknown": Status(_("Unknown"), "calm", "help-circle"),
    "available": Status(_("Available"), "good", "circle"),
    "reserved": Status(_("Reserved"), "wait", "clock"),
    "allocated": Status(_("Allocated"), "calm", "building"),
    "queued": Status(_("Queued"), "calm", "clock"),
    "running": Status(_("Running"), "busy", "loader"),
    "done": Status(_("Done"), "good", "check"),
    "failed": Status(_("Failed"), "bad", "x"),
    "validated": Status(_("Validated"), "good", "map-pin"),
    "ringing": Status(_("Ringing"), "busy", "bell"),
    "start": Status(_("Calling"), "busy", "phone-outgoing"),
    "answered": Status(_("Answered"), "good", "phone-check"),
    "ended": Status(_("Ended"), "calm", "phone"),
    "not_answered": Status(_("Not answered"), "wait", "phone-off"),
    "busy": Status(_("Busy"), "wait", "phone-off"),
    "refused": Status(_("Refused"), "bad", "phone-x"),
    "blocked": Status(_("Blocked"), "wait", "ban"),
    "limited": Status(_("Over the limit"), "bad", "ban"),
    "unknown_end": Status(_("End unknown"), "wait", "help-circle"),
    "connected": Status(_("Connected"), "good", "plug-connected"),
    "away": Status(_("Away"), "bad", "plug-connected-x"),
    "pending": Status(_("Waiting for the node"), "busy", "clock"),
    "sent": Status(_("Sent"), "busy", "send"),
    "acked": Status(_("Live"), "good", "circle-check"),
    "held": Status(_("Held for a person"), "wait", "player-pause"),
}


def status(state: "Status | str | None", *, word: Words = "", detail: Words = "") -> Status:
    """Return the status for a state's name; a name that has none of its own reads as it is, in calm grey."""
    found = state if isinstance(state, Status) else STATES.get(state or "unknown")
    if found is None:
        found = Status(str(state).replace("_", " ").capitalize(), "calm", "circle")
    return replace(found, word=word or found.word, detail=detail or found.detail) if word or detail else found


def going_live(acknowledged: int, nodes: int, seconds: int | None = None) -> Status:
    """Return the status of a change that some node has not acknowledged yet."""
    counted = _("%(n)d of %(m)d nodes") % {"n": acknowledged, "m": nodes}
    detail = counted if seconds is None else _("%(nodes)s, %(seconds)d s") % {"nodes": counted, "seconds": seconds}
    return status("going_live", detail=detail)


def rollout(is_live: bool) -> Status:
    """Return Live or Going live."""
    return STATES["live" if is_live else "going_live"]
