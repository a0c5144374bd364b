"""A customer's own plan: what is included, what is used of it this month, what is left."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from portal.core.access import requires
from voice.plans import previews, selectors
from voice.plans.describing import described
from voice.plans.loading import clauses_of
from voice.rating.tabs_customer import money_tabs


@requires("bills.view")
def your_plan(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    contract = selectors.contract_of(request.tenant, today)
    context: dict[str, Any] = {"contract": contract, "today": today, "tabs": money_tabs(request, "plan:home")}
    if contract is not None:
        held = selectors.held_on(contract, today)
        phases = [each for each in selectors.phases_of(contract) if each.begins > today]
        context |= {
            "held": held,
            "coming": phases[:1],
            "clauses": _clauses(held),
            "add_ons": [each for each in contract.add_ons.order_by("begins") if each.ends is None or each.ends > today],
            "earliest": contract.term.earliest_end(today),
        }
    context["settled_with_bill"] = selectors.is_settled_with_bill(request.tenant)
    context["month"] = previews.month_of(request.tenant, today)
    return TemplateResponse(request, "voice/plans/your_plan.html", context)


def _clauses(held: Any) -> list[tuple[str, str]]:
    if held is None:
        return []
    currency = held.version.plan.currency
    return [(each.name, described(each, currency)) for each in clauses_of([held.version_id]).get(held.version_id, ())]
