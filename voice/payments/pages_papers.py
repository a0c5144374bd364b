"""A customer's list of its payments."""

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Choice, Column, Day, Empty, ListPage
from voice.receivables.models import Payment
from voice.receivables.pages import day


class OwnPaymentList(ListPage):
    title = _("Payments")
    lead = _("What you paid, each with its receipt.")
    columns = [
        Column("received_on", _("Received on"), draw=day("received_on"), sort=True),
        Column("method", _("How"), value=lambda row: row.card or row.get_method_display(), link="pay:payment"),
        Column("reference", _("Reference"), kind="code", sort=True, card=False),
        Column("amount", _("Amount"), kind="money", sort=True),
    ]
    search_fields = ["reference"]
    filters = [
        Choice("method", _("How"), Payment.Method.choices),
        Day("from", _("From"), "received_on"),
        Day("to", _("Until"), "received_on", "to"),
    ]
    default_sort = "-received_on"
    export_name = "payments"
    empty = Empty(_("No payments yet."), _("They appear here when they are booked."), icon="credit-card")

    def queryset(self) -> QuerySet[Payment]:
        own = Payment.objects.filter(tenant=self.request.tenant)  # type: ignore[attr-defined]
        return own.annotate(card=F("card_attempt__card"))
