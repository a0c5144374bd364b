"""Forms of card payments."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from portal.ui.values import money
from voice.payments.models import CardAccount, CardMethod
from voice.payments.selectors_cards import Payable
from voice.receivables.forms import AmountField, Stored

EVERYTHING, NEW_CARD = "all", "new"


class PayForm(forms.Form):
    """What is paid, and with which card."""

    what = forms.ChoiceField(label=_("What"), widget=forms.RadioSelect)
    card = forms.ChoiceField(label=_("Card"), widget=forms.RadioSelect, initial=NEW_CARD)
    saves = forms.BooleanField(
        label=_("Save the card"),
        required=False,
        help_text=_("You can pay with it again, and it is charged on the day that a bill is due. Remove it any time."),
    )

    def __init__(self, *args: Any, payable: Payable, cards: list[CardMethod], chosen: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        total = money(payable.balance, payable.currency)
        offered = [(EVERYTHING, _("Everything that is open: %(total)s") % {"total": total})]
        for each in payable.invoices:
            words = _("%(number)s, due on %(day)s: %(left)s")
            told = {
                "number": each.number,
                "day": date_format(each.due_on, "j M Y"),
                "left": money(each.left, each.currency),
            }
            offered.append((str(each.pk), words % told))
        self.fields["what"].choices = offered  # type: ignore[attr-defined]
        self.fields["what"].initial = chosen if chosen in dict(offered) else EVERYTHING
        known = [(str(card.pk), str(card)) for card in cards]
        self.fields["card"].choices = [*known, (NEW_CARD, _("Another card, at the checkout"))]  # type: ignore[attr-defined]
        self.fields["card"].initial = known[0][0] if known else NEW_CARD

    @property
    def invoices(self) -> list[int] | None:
        """Return the bills that are paid, or None for everything."""
        what = self.cleaned_data["what"]
        return None if what == EVERYTHING else [int(what)]

    @property
    def method(self) -> int | None:
        """Return the saved card, or None for the checkout."""
        card = self.cleaned_data["card"]
        return None if card == NEW_CARD else int(card)


class TopUpForm(forms.Form):
    """How much is paid ahead."""

    amount = AmountField(label=_("Amount"), help_text=_("From 5 to 10,000. Calls use it up."))


class RefundForm(forms.Form):
    """How much of a payment goes back."""

    amount = AmountField(label=_("Amount"))


class AccountForm(Groups, Stored):
    """Where a company takes card payments; keys are written and never shown."""

    groups = [
        (_("Gateway"), ["kind", "api_key", "webhook_secret"]),
        (_("What it does"), ["is_on", "collects"]),
    ]
    api_key = forms.CharField(
        label=_("Secret key"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("From Stripe's dashboard, Developers. Left empty it stays as it is; it is never shown again."),
    )
    webhook_secret = forms.CharField(
        label=_("Signing secret of the webhook"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Begins with whsec_. Stripe shows it once the webhook below is added there."),
    )

    class Meta:
        model = CardAccount
        fields = ["kind", "is_on", "collects"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.CARD_LAB:
            self.fields["kind"].choices = [CardAccount.Kind.choices[0]]  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        # The keys go to the service beside the row: what is left empty there stays as it is stored.
        for name in ("kind", "is_on", "collects", "row_version"):
            if self.cleaned_data.get(name) is not None:
                setattr(self.instance, name, self.cleaned_data[name])
