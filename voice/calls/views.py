"""Pages of calls, the same for a customer and, over all of its customers, for an MSP."""

from contextlib import nullcontext
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from portal.db import contexts
from portal.ui import values
from portal.ui.navigation import page_url
from portal.ui.spark import spark
from tenants.permissions import requires
from voice.calls import hooks, selectors, sound, story
from voice.calls.board import Board
from voice.calls.lists import CallList
from voice.calls.masking import hidden_in, sight_of
from voice.calls.models import Cdr, Disposition
from voice.calls.models.cdr import Direction
from voice.calls.quality import QualityList
from voice.calls.watching import Watch, board_for

# Of SIP's answers, those from here on are refusals.
LOWEST_REFUSAL = 300
MENDED_AT = {
    Disposition.BAD_CALLER_ID: ("numbers:caller_ids", "numbers.view", _("See which numbers calls may show")),
    Disposition.SPEND_LIMIT: ("account:home", "bills.view", _("See balance and limits")),
}


@requires("calls.view")
def call_list(request: HttpRequest) -> HttpResponse:
    return CallList(request).response()


@requires("calls.view")
def quality(request: HttpRequest) -> HttpResponse:
    return QualityList(request).response()


@requires("calls.view")
def call_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    call = selectors.calls_of(request.tenant, request.msp, hidden_in(request)).filter(id=pk).first()  # type: ignore[attr-defined]
    if call is None:
        raise Http404
    route = _route(request, call)
    tried = [call.ingress, *(each["trunk"] for each in call.attempts)]
    # Where nothing was tried, the trunks that could have been are the question.
    gateways = tried if call.attempts or route is None else [*tried, *route.trunks]
    aftermath = hooks.aftermath(request, call)
    return TemplateResponse(
        request,
        "voice/calls/call_detail.html",
        {
            "call": call,
            "caller": values.phone(call.caller),
            "called": values.phone(call.called),
            "answer": f"{call.code} {call.reason}".strip(),
            "cause": story.cause(call),
            "answer_words": story.meaning(call) if call.code >= LOWEST_REFUSAL else "",
            "status": story.status_of(call),
            "headline": story.headline(call),
            "events": story.timeline(call),
            "parties": story.parties(call),
            "said": story.ladder(call),
            "ingress": story.ingress(call),
            "egress": story.egress(call),
            "screening": story.SCREENING.get(call.screening, ""),
            "ended_by": story.ended_by(call),
            "sound": sound.figures(call),
            "route": route if call.route_id else None,
            "can_see_trunks": request.can("carriers.view"),  # type: ignore[attr-defined]
            "trunks": hooks.trunk_states(gateways, request.tenant),  # type: ignore[attr-defined]
            "price": hooks.prices().panel(request, call, is_corrected=aftermath.is_corrected),
            "aftermath": aftermath.panel,
            "try_url": _try_url(request, call),
            "next_step": next_step(request, call),
        },
    )


def next_step(request: HttpRequest, call: Cdr) -> tuple[Any, str] | None:
    """Return the page on which a customer mends what kept the call from being placed, with its name."""
    name, capability, label = MENDED_AT.get(Disposition(call.disposition), ("", "", ""))
    url = page_url(name, request) if name and request.can(capability) else ""  # type: ignore[attr-defined]
    return (label, url) if url else None


def _try_url(request: HttpRequest, call: Cdr) -> str:
    """Return where a customer tries the call's number against the policy of now, if the reader sees the number."""
    page = page_url("routing:try", request)
    seen = not call.called.endswith(values.CUT) and not call.caller.endswith(values.CUT)
    if not page or not seen or call.direction != Direction.OUT or not request.can("routing.view"):  # type: ignore[attr-defined]
        return ""
    return f"{page}?{urlencode({'number': call.called, 'caller': call.caller})}"


def _route(request: HttpRequest, call: Cdr) -> hooks.RouteFacts | None:
    tenant, msp = request.tenant, request.msp  # type: ignore[attr-defined]
    if not call.route_id and (call.direction, call.disposition) != (Direction.OUT, Disposition.NOT_ROUTED):
        return None
    with nullcontext() if tenant is not None else contexts.msp(msp, call.tenant):
        return hooks.route(call.route_id, tenant)


@requires("dashboard.view")
def live_frame(request: HttpRequest) -> HttpResponse:
    """Answer with what the dashboard's socket would send first: for pages without one."""
    return JsonResponse(snapshot(request))


def snapshot(request: HttpRequest) -> dict[str, Any]:
    """Return the first frame of this place's dashboard."""
    board, at = _board(request)
    return board.snapshot(at)


def snapshot_with_lines(request: HttpRequest) -> dict[str, Any]:
    """Return the first frame with each customer's last hour drawn, as only the page itself shows it."""
    board, at = _board(request)
    frame, series = board.snapshot(at), board.customer_series(at)
    for row in frame["customers"]:
        row["spark"] = spark(series.get(row["id"], []))
    return frame


def _board(request: HttpRequest) -> tuple[Board, int]:
    tenant, msp = request.tenant, request.msp  # type: ignore[attr-defined]
    at = now()
    sight = sight_of(request.roles)  # type: ignore[attr-defined]
    watch = Watch(tenant.msp_id, tenant.pk, sight) if tenant is not None else Watch(msp.pk, None, sight)
    return board_for(watch, at), int(at.timestamp() * 1000)
