"""Forms of proposals and decisions."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.forms.codes import CurrencySelect
from tenants.models import Customer, Msp
from voice import days
from voice.carriers.models import Trunk
from voice.rating.models import DeckVersion, RateDeck
from voice.rating.money import MICROS
from voice.rerating.deciding import Verdict
from voice.rerating.models import Decision, Proposal

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class Versions(forms.ModelChoiceField):
    """Versions of the MSP's decks, each with the deck's name."""

    def label_from_instance(self, version: Any) -> str:
        return f"{version.deck.name} · {version.number} · {version.effective_from:%Y-%m-%d}"


class ProposalForm(Groups, forms.Form):
    """Which calls are rated again, and by what."""

    groups = [
        (_("Which calls"), ["first", "last", "customers"]),
        (_("What customers pay"), ["sell", "sell_deck", "sell_version"]),
        (_("What carriers ask"), ["buy", "buy_deck", "buy_version", "trunks"]),
        (_("Why"), ["note"]),
    ]
    first = forms.DateField(label=_("Answered from"), widget=DAY, help_text=_("Days are those of UTC."))
    last = forms.DateField(label=_("Until and including"), widget=DAY)
    customers = forms.ModelMultipleChoiceField(
        label=_("Customers"), queryset=Customer.objects.none(), required=False,
        help_text=_("None chosen means all of them."),
    )  # fmt: skip
    sell = forms.BooleanField(label=_("Rate what customers pay"), required=False, initial=True)
    sell_deck = forms.ModelChoiceField(
        label=_("By the deck"), queryset=RateDeck.objects.none(), required=False,
        empty_label=_("that each customer had when the call was answered"),
    )  # fmt: skip
    sell_version = Versions(
        label=_("As it was in version"), queryset=DeckVersion.objects.none(), required=False,
        empty_label=_("that held when the call was answered"),
        help_text=_("All calls then cost what the deck asked at the moment when this version came into force."),
    )  # fmt: skip
    buy = forms.BooleanField(label=_("Rate what carriers ask"), required=False)
    buy_deck = forms.ModelChoiceField(
        label=_("By the deck"), queryset=RateDeck.objects.none(), required=False,
        empty_label=_("that each trunk had when the call was answered"),
    )  # fmt: skip
    buy_version = Versions(
        label=_("As it was in version"), queryset=DeckVersion.objects.none(), required=False,
        empty_label=_("that held when the call was answered"),
    )  # fmt: skip
    trunks = forms.ModelMultipleChoiceField(
        label=_("Trunks"), queryset=Trunk.objects.none(), required=False, help_text=_("None chosen means all of them.")
    )
    note = forms.CharField(
        label=_("What for"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For example “price list of 1 November came late”."),
    )  # fmt: skip

    def __init__(self, *args: Any, msp: Msp, costs: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.msp = msp
        fields: dict[str, Any] = self.fields
        this_month = timezone.now().astimezone(UTC).date().replace(day=1)
        fields["last"].initial = this_month - timedelta(days=1)
        fields["first"].initial = fields["last"].initial.replace(day=1)
        fields["customers"].queryset = Customer.objects.filter(msp=msp).order_by("name")
        decks = RateDeck.objects.filter(msp=msp).order_by("name")
        versions = DeckVersion.objects.filter(msp=msp, state="active").select_related("deck")
        versions = versions.order_by("deck__name", "-number")
        for side, kind in (("sell", RateDeck.Kind.SELL), ("buy", RateDeck.Kind.BUY)):
            fields[f"{side}_deck"].queryset = decks.filter(kind=kind)
            fields[f"{side}_version"].queryset = versions.filter(deck__kind=kind)
        fields["trunks"].queryset = Trunk.objects.filter(msp=msp, tenant=None).order_by("name")
        if not costs:
            for name in ("buy", "buy_deck", "buy_version", "trunks"):
                del fields[name]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        days.demand(first=found.get("first"), last=found.get("last"))
        return found

    def proposal(self) -> Proposal:
        """Return what the form asks for."""
        data = self.cleaned_data
        return Proposal(
            msp=self.msp, begins=_midnight(data["first"]), ends=_midnight(data["last"] + timedelta(days=1)),
            customers=[customer.pk for customer in data["customers"]],
            trunks=[trunk.pk for trunk in data.get("trunks") or ()], sell=data["sell"], buy=data.get("buy", False),
            sell_deck=data["sell_deck"], sell_version=data["sell_version"], buy_deck=data.get("buy_deck"),
            buy_version=data.get("buy_version"), note=data["note"],
        )  # fmt: skip


class ApplyForm(forms.Form):
    """Why a proposal is applied, and which figures its reader saw."""

    round = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It stays with the entries, and your customers' questions are answered by it."),
    )  # fmt: skip


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


class DecideForm(forms.Form):
    """What is decided about calls that have no price, and why."""

    kind = forms.ChoiceField(
        label=_("Decision"), choices=Decision.Kind.choices, widget=forms.RadioSelect, initial=Decision.Kind.FREE,
        help_text=_("By the time last seen: the call is priced by its rate until the moment when a node last saw it."),
    )  # fmt: skip
    price = forms.DecimalField(
        label=_("Price for each call"), min_value=0, max_value=10_000, max_digits=11, decimal_places=6, required=False
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, required=False, widget=CurrencySelect)
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") == Decision.Kind.PRICE:
            if data.get("price") is None:
                self.add_error("price", _("Enter the price; 0 is free of charge."))
            if not data.get("currency"):
                self.add_error("currency", _("Use a currency code of three letters, for example EUR."))
        return data

    def verdict(self) -> Verdict:
        """Return what was decided."""
        data = self.cleaned_data
        is_price = data["kind"] == Decision.Kind.PRICE
        micros = int((data["price"] or 0) * MICROS) if is_price else 0
        return Verdict(data["kind"], data["reason"], micros, data["currency"].upper() if is_price else "")
