"""The MSP's pages about calls below cost, and *what would this call cost*: which trunk, why, price and margin."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.core.access import requires
from portal.ui.forms import refuse
from portal.ui.lists import Choice, Column, Empty, ListPage
from tenants.models import Customer
from voice.rating.models import LossPolicy, PriceTables, RateDeck
from voice.rating.ranking import set_loss_policy, typical_seconds, with_protection
from voice.rating.typical import in_words
from voice.routing.forms_msp import CostForm, LossPolicyForm
from voice.routing.trial import trial

Mode = LossPolicy.Mode


def _policy_url(customer: Customer) -> str:
    return reverse("by_price:customer", args=[customer.pk])


def _in_words(customer: Any) -> str:
    word = str(Mode(customer.loss_mode).label)
    return word if customer.own_loss_mode else _now("%(what)s (as for everybody)") % {"what": word}


class LossList(ListPage):
    """The MSP's customers with what becomes of their calls below cost."""

    title = _("Calls below cost")
    template = "voice/routing/losses.html"
    columns = [
        Column("name", _("Customer"), sort=True, link=_policy_url, link_needs="rates.change"),
        Column("loss_mode", _("Calls below cost"), value=_in_words, sort=True),
        Column("deck_name", _("Pays by"), sort=True, card=False),
    ]
    search_fields = ["name"]
    filters = [Choice("mode", _("Calls below cost"), Mode.choices, field="loss_mode")]
    default_sort = "name"
    export_name = "calls-below-cost"
    empty = Empty(_("No customers yet."))

    def queryset(self) -> QuerySet[Customer]:
        mine = Customer.objects.filter(msp=self.request.msp).exclude(state="closed")  # type: ignore[attr-defined]
        deck = RateDeck.objects.filter(pk=OuterRef("sell_deck")).values("name")
        return with_protection(mine, timezone.now()).annotate(deck_name=Subquery(deck))


@requires("rates.view")
def losses(request: HttpRequest) -> HttpResponse:
    """Show what becomes of calls below cost, and at which codes there would be some."""
    general = LossPolicy.objects.filter(msp=request.msp, tenant=None).first()
    costs = request.can("costs.view")
    context = {
        "costs": costs,
        "general": Mode(general.mode if general else Mode.REPORT).label,
        "length": in_words(typical_seconds(request.msp.pk)),
        "tables": PriceTables.objects.filter(msp=request.msp).defer("rows").first() if costs else None,
        "can_change": request.can("rates.change"),
    }
    return LossList(request, **context).response()


@requires("rates.change")
def policy(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Say what becomes of the calls below cost of all customers, or of one."""
    customer = get_object_or_404(Customer, pk=pk, msp=request.msp) if pk is not None else None
    stored = LossPolicy.objects.filter(msp=request.msp, tenant=customer).first()
    form = LossPolicyForm(request.POST or None, stored=stored, for_customer=customer is not None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            set_loss_policy(
                request.msp, customer, data["mode"], typical=data.get("typical_seconds"), by=request.actor,
                seen=data["seen"],
            )  # fmt: skip
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _now("Saved. The SBCs follow in a moment."))
            return redirect("by_price:losses")
    return TemplateResponse(request, "voice/routing/loss_policy.html", {"form": form, "customer": customer})


@requires("costs.view")
def try_call(request: HttpRequest) -> HttpResponse:
    """Say which trunks a customer's call would try, why, at what price and margin."""
    tried = "number" in request.GET
    form = CostForm(request.GET if tried else None, msp=request.msp)
    context: dict[str, Any] = {"form": form, "may_change": request.can("rates.change")}
    if tried and form.is_valid():
        data = form.cleaned_data
        at = data["at"] or timezone.now()
        context["trial"] = trial(request.msp, data["customer"], data["number"], data["caller"], at)
    return TemplateResponse(request, "voice/routing/try_call.html", context)
