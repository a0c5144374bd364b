"""The lists of card payments and of where they are taken."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from voice.payments.models import CardAttempt, CardEvent, CardMethod
from voice.receivables.models import LegalEntity
from voice.receivables.pages import payment_tabs

State = CardAttempt.State
TONES = {"open": "waiting_you", "action": "waiting_you", "succeeded": "done", "failed": "failed", "expired": "inactive"}
SETTINGS = Action(_("Set up"), "payments:accounts", "settings", "payments.view")


def state_of(attempt: CardAttempt) -> Status:
    """Return where a card payment stands."""
    if attempt.payment_id and attempt.refund_booked:
        return status(
            "inactive", word=_("Refunded") if attempt.refund_booked >= attempt.amount else _("Partly refunded")
        )
    return status(TONES[attempt.state], word=_("At the bank") if attempt.at_bank else attempt.get_state_display())


class AttemptList(ListPage):
    title = _("Card payments")
    lead = _("What customers paid by card, or tried to, and what the gateway said.")
    template = "voice/payments/list.html"
    columns = [
        Column("state", _("State"), kind="status", value=state_of),
        Column("created_at", _("Started"), kind="when", sort=True),
        Column("tenant__name", _("Customer"), link="payments:card", sort=True),
        Column("kind", _("How"), value=lambda row: row.get_kind_display(), card=False),
        Column("words", _("What was said"), card=False),
        Column("amount", _("Amount"), kind="money", sort=True),
    ]
    search_fields = ["tenant__name", "intent"]
    search_label = _("Search customer or payment")
    filters = [Choice("state", _("State"), State.choices), Choice("kind", _("How"), CardAttempt.Kind.choices)]
    default_sort = "-created_at"
    export_name = "card-payments"
    actions = [SETTINGS]
    empty = Empty(_("No card payments yet."), _("Set up where a company takes them."), SETTINGS, "credit-card")

    def __init__(self, request: HttpRequest) -> None:
        refused = CardEvent.objects.filter(msp=request.msp, outcome=CardEvent.Outcome.REFUSED)  # type: ignore[attr-defined]
        shown = list(refused.select_related("account__entity").order_by("-pk")[:5])
        super().__init__(request, tabs=payment_tabs(request, "cards"), refused=shown)

    def queryset(self) -> QuerySet[CardAttempt]:
        return CardAttempt.objects.filter(msp=self.request.msp).select_related("tenant")  # type: ignore[attr-defined]


class AccountList(ListPage):
    title = _("Where cards are taken")
    lead = _("Each of your companies has an account of its own at the gateway, or takes no cards.")
    columns = [
        Column("name", _("Company"), link="payments:account", sort=True, link_needs="payments.change"),
        Column("kind", _("Gateway"), value=lambda row: _kind(row)),
        Column("on", _("State"), kind="status", value=lambda row: _is_on(row)),
    ]
    search_fields = ["name"]
    default_sort = "name"
    export_name = "card-accounts"
    empty = Empty(_("Set up a company first."), icon="building")

    def queryset(self) -> QuerySet[Any]:
        return LegalEntity.objects.filter(msp=self.request.msp).select_related("card_account")  # type: ignore[attr-defined]


def _kind(entity: LegalEntity) -> Any:
    account = getattr(entity, "card_account", None)
    return account.get_kind_display() if account else "–"


def _is_on(entity: LegalEntity) -> Status:
    account = getattr(entity, "card_account", None)
    return status("enabled" if account and account.is_on else "disabled")


class CardList(ListPage):
    title = _("Saved cards")
    lead = _("Numbers of cards are kept by the gateway and never by us.")
    template = "voice/payments/cards_saved.html"
    columns = [
        Column("brand", _("Card"), value=str),
        Column("expires", _("Valid until"), value=lambda row: f"{row.month:02}/{row.year}"),
        Column("is_default", _("Charged by itself"), kind="status",
               value=lambda row: status("enabled" if row.is_default else "disabled")),
        Column("acts", "", template="voice/payments/card_acts.html", export=False),
    ]  # fmt: skip
    search_fields = ["brand", "last4"]
    default_sort = "pk"
    export_name = "cards"
    empty = Empty(_("No saved cards."), _("Save one while you pay a bill."), Action(_("Pay"), "pay:pay", "credit-card"))

    def queryset(self) -> QuerySet[CardMethod]:
        return CardMethod.objects.filter(tenant=self.request.tenant)  # type: ignore[attr-defined]
