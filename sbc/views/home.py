"""The three homes: one sentence above everything, then what is going on, then what there is to do."""

from datetime import UTC
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.ui import values
from sbc.selectors import home, home_clerk, home_customer, scope_status
from sbc.selectors.home import Reach, ToDo
from tenants.permissions import requires
from voice.calls import selectors as calls
from voice.calls import story
from voice.calls.masking import hidden_in
from voice.calls.views import snapshot, snapshot_with_lines
from voice.margin import overview as margin

LAST_CALLS = 8


@requires("dashboard.view")
def customer_home(request: HttpRequest) -> HttpResponse:
    customer = request.tenant  # type: ignore[attr-defined]
    frame, todos = snapshot(request), home_customer.todos_of_customer(customer, request.can)  # type: ignore[attr-defined]
    steps = home_customer.first_steps(customer, request.can)  # type: ignore[attr-defined]
    sentence = _sentence(todos, frame, home.reach(home.nodes_of_customer(customer)))
    if steps and sentence["tone"] == "good":
        note = _("The steps below lead to your first call.")
        sentence |= {"tone": "wait", "words": _("Not ready for calls yet."), "calls": "", "note": note}
    context = {
        "sentence": sentence,
        "frame": frame,
        "todos": todos,
        "steps": steps,
        "money": home_customer.money_of(customer) if request.can("bills.view") else "",  # type: ignore[attr-defined]
        "rollout": scope_status(customer),
        "last_calls": _last_calls(request),
    }
    return TemplateResponse(request, "sbc/home_customer.html", context)


@requires("dashboard.view")
def msp_home(request: HttpRequest) -> HttpResponse:
    msp = request.msp  # type: ignore[attr-defined]
    frame = snapshot_with_lines(request)
    todos = [*home.todos_of_msp(msp), *home_clerk.todos_of_clerk(msp, request.can)]  # type: ignore[attr-defined]
    nodes = list(home.nodes_of_msp(msp))
    context = {
        "sentence": _sentence(todos, frame, home.reach(nodes)),
        "frame": frame,
        "todos": todos,
        "late": home.customers_behind(msp),
        "nodes": nodes,
        "earned": margin.home_of(msp, now().astimezone(UTC).date()) if request.can("margin.view") else None,  # type: ignore[attr-defined]
        "last_calls": _last_calls(request),
    }
    return TemplateResponse(request, "sbc/home_msp.html", context)


@requires("dashboard.view")
def operator_home(request: HttpRequest) -> HttpResponse:
    todos, nodes = home.todos_of_operator(), list(home.nodes_with_load())
    calls_now = sum(node.gauges.get("calls", 0) for node in nodes)
    context = {
        "sentence": _sentence(todos, {"now": {"calls": calls_now}}, home.reach(nodes)),
        "todos": todos,
        "nodes": nodes,
        "counts": home.operator_counts(),
    }
    return TemplateResponse(request, "sbc/home_operator.html", context)


def _sentence(todos: list[ToDo], frame: dict[str, Any], reach: Reach) -> dict[str, Any]:
    """Return what stands above everything: how it is, how many calls there are, and whether that can be known."""
    count = frame["now"]["calls"]
    calls = ngettext("%(n)d call now.", "%(n)d calls now.", count) % {"n": count} if count else _("No call now.")
    # While no SBC answers, nobody here knows how many calls there are.
    note, calls = _about(reach), "" if reach.blind else calls
    pressing = [todo for todo in todos if todo.level == "danger"]
    if len(pressing) > 1:
        words = ngettext("%(n)d thing needs attention.", "%(n)d things need attention.", len(pressing))
        return {"tone": "bad", "words": words % {"n": len(pressing)}, "calls": calls, "note": note}
    if pressing:
        return {"tone": "bad", "words": pressing[0].text, "calls": calls, "note": note}
    if not reach.nodes:
        return {"tone": "wait", "words": _("No SBC yet."), "calls": calls, "note": note}
    if reach.away:
        some = ngettext("%(n)d SBC is away.", "%(n)d SBCs are away.", reach.away) % {"n": reach.away}
        words = _("No SBC answers the portal.") if reach.blind else some
        return {"tone": "wait", "words": words, "calls": calls, "note": note}
    return {"tone": "good", "words": _("All good."), "calls": calls, "note": ""}


def _about(reach: Reach) -> str:
    if not reach.nodes:
        return _(
            "An SBC is a server that carries calls between Teams and the telephone network. "
            "No call is possible before the first one has connected. What you set up now goes live with it."
        )
    if not reach.blind:
        return (
            _("The others are in touch. Changes reach an SBC that is away as soon as it is back.") if reach.away else ""
        )
    local = values.moment(reach.since)
    since = values.short_moment(local) if local else "–"
    return _(
        "Calls go on as configured, they do not depend on the portal. "
        "What you see here is from %(since)s, and changes wait until an SBC is back."
    ) % {"since": since}


def _last_calls(request: HttpRequest) -> list[dict[str, Any]]:
    if not request.can("calls.view"):  # type: ignore[attr-defined]
        return []
    newest = calls.calls_of(request.tenant, request.msp, hidden_in(request)).newest_first()[:LAST_CALLS]  # type: ignore[attr-defined]
    return [{"call": call, "status": story.status_of(call)} for call in newest]
