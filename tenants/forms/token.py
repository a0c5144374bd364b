"""API tokens: what they may do, in words."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.models import ApiToken
from tenants.permissions import CAPABILITIES, PEOPLE_ONLY
from tenants.services.tokens import IMPLIED

DURATIONS = [("7", _("7 days")), ("30", _("30 days")), ("90", _("90 days")), ("365", _("A year"))]

AREAS = {
    "audit": _("Audit log"),
    "bills": _("Bills and invoices"),
    "payments": _("Payments"),
    "questions": _("Questions about bills"),
    "brand": _("Brand"),
    "calls": _("Calls"),
    "carriers": _("Carriers and trunks"),
    "advice": _("Connectivity advisor"),
    "costs": _("Costs of calls"),
    "integrations": _("Integrations: feed, webhooks and files"),
    "counts": _("Reconciliation"),
    "customers": _("Customers"),
    "dashboard": _("Dashboard"),
    "domains": _("Domains"),
    "emergency": _("Emergency calls"),
    "holds": _("Legal holds"),
    "jobs": _("Imports and exports"),
    "margin": _("Margin and carrier invoices"),
    "limits": _("Limits"),
    "msps": _("MSPs"),
    "nodes": _("SBC nodes"),
    "numbers": _("Numbers"),
    "people": _("People and places"),
    "quarantine": _("Records kept aside"),
    "plans": _("Plans, contracts and quotes"),
    "rates": _("Decks and prices"),
    "regions": _("Regions"),
    "retention": _("Retention"),
    "rollout": _("Rollout"),
    "routing": _("Routing"),
    "settings": _("Company"),
    "stock": _("Number stock"),
    "taxes": _("Taxes"),
    "team": _("Team"),
    "tokens": _("API tokens"),
}

DEEDS = {"view": _("see"), "change": _("see and change"), "export": _("export")}


def scope_in_words(name: str) -> str:
    """Return a capability as the form for tokens names it."""
    area, deed = name.split(".")
    return f"{AREAS.get(area, area)}: {DEEDS.get(deed, deed)}"


class TokenForm(forms.ModelForm[ApiToken]):
    """What a token is for, what it may do, how long it lasts."""

    days = forms.ChoiceField(label=_("Lasts"), choices=DURATIONS, initial="90")
    scopes = forms.MultipleChoiceField(label=_("May do"), widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ApiToken
        fields = ["name"]
        widgets = {"name": forms.TextInput(attrs={"placeholder": _("Nightly report")})}

    def __init__(self, *args: Any, grantable: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = sorted(grantable - IMPLIED, key=lambda name: str(scope_in_words(name)))
        self.fields["scopes"].choices = [(name, scope_in_words(name)) for name in offered]  # type: ignore[attr-defined]
        self.order_fields(["name", "days", "scopes"])

    def _post_clean(self) -> None:
        self.instance.name = self.cleaned_data.get("name", "")
        self.instance.scopes = self.cleaned_data.get("scopes", [])
        if days := self.cleaned_data.get("days"):
            self.instance.expires_at = timezone.now() + timedelta(days=int(days))


def grantable(can: Any) -> frozenset[str]:
    """Return what somebody may hand to a token: what they may do themselves, but for what is for people alone."""
    return frozenset(name for name in CAPABILITIES.keys() - PEOPLE_ONLY if can(name))
