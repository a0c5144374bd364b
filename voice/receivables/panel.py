"""What a call's page says of its bills and corrections, beside its price."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from portal.ui import values
from voice.calls.hooks import Aftermath
from voice.calls.models import Cdr
from voice.carriers.models import Trunk
from voice.rating.models import Charge
from voice.receivables.aftermath import Amounts, Change, History, history_of


def aftermath(request: HttpRequest, call: Cdr) -> Aftermath:
    """Return what became of the charge of a call, for those who may see bills; costs for those who may see costs."""
    if call.answered is None or not request.can("bills.view"):  # type: ignore[attr-defined]
        return Aftermath()
    charge = Charge.objects.filter(tenant_id=call.tenant_id, invited=call.invited, id=call.id).first()
    if charge is None:
        return Aftermath()
    tenant = request.tenant  # type: ignore[attr-defined]
    is_msp, msp = tenant is None, request.msp if tenant is None else tenant.msp  # type: ignore[attr-defined]
    costs = is_msp and request.can("costs.view")  # type: ignore[attr-defined]
    history = history_of(charge, msp, is_msp=is_msp, costs=costs)
    if not (history.paper or history.decision or history.priced_by or history.is_corrected):
        return Aftermath()
    context = _told(history) | {
        "is_msp": is_msp,
        "may_open_proposals": is_msp and request.can("rates.view"),  # type: ignore[attr-defined]
    }
    panel = render_to_string("voice/receivables/call_aftermath.html", context, request)
    return Aftermath(panel, history.is_corrected)


def _told(history: History) -> dict[str, Any]:
    names = dict(Trunk.objects.filter(pk__in=[cost.trunk for cost in history.costs]).values_list("pk", "name"))
    decision = history.decision
    return {
        "history": history,
        "now": amounts(history.stands),
        "changes": [_change(each) for each in history.changes],
        "decided": values.money(decision.micros, decision.currency) if decision and decision.currency else "",
        "costs": [
            {"trunk": names.get(cost.trunk, f"g{cost.trunk}"), "now": amounts(cost.stands),
             "changes": [_change(each) for each in cost.changes]}
            for cost in history.costs if cost.changes
        ],
        "margin": _margin(history) if history.costs else "",
    }  # fmt: skip


def _change(change: Change) -> dict[str, Any]:
    return {"change": change, "before": amounts(change.before), "after": amounts(change.after)}


def amounts(stands: Amounts) -> str:
    """Return amounts of one or more currencies as people read them."""
    return " + ".join(values.money(micros, currency) for currency, micros in sorted(stands.items())) or "0"


def _margin(history: History) -> str:
    """Return what is left now, where all of it is in one currency."""
    sums = dict(history.stands)
    for cost in history.costs:
        for currency, micros in cost.stands.items():
            sums[currency] = sums.get(currency, 0) - micros
    moved = {currency for part in (history.stands, *(each.stands for each in history.costs))
             for currency, micros in part.items() if micros}  # fmt: skip
    return values.money(sums[next(iter(moved))], next(iter(moved))) if len(moved) == 1 else ""
