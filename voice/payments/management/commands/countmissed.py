"""`manage.py countmissed`: once, for data of before accounts were told of invoices and reminders."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.core.audit import Actor
from portal.db import contexts
from portal.ui.values import money
from tenants.models import Customer, Msp
from voice.payments.services.missed import Event, count_missed, missed
from voice.rating import accounts
from voice.rating.models import Account, Movement

BY = Actor.system("countmissed")
# What people could book on the account itself; today that is corrections alone.
BY_HAND = (Movement.Kind.TOP_UP, Movement.Kind.TAKEN_BACK, Movement.Kind.CORRECTION)


class Command(BaseCommand):
    help = (
        "Show which invoices, payments and reminders in the books never moved the account by which calls stop, and what"
        " each balance would become. With --apply, count them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="count what was missed")
        parser.add_argument("--customer", type=int, action="append", help="only this one, by its id; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        with contexts.public():
            msps = list(Msp.objects.order_by("name"))
        for msp in msps:
            with contexts.msp(msp):
                customers = Customer.objects.filter(msp=msp).exclude(state=Customer.State.CLOSED)
                if options["customer"]:
                    customers = customers.filter(pk__in=options["customer"])
                for customer in customers.order_by("name"):
                    self._one(customer, apply=options["apply"])

    def _one(self, customer: Customer, *, apply: bool) -> None:
        before = Account.objects.filter(pk=customer.pk).first()
        found = count_missed(customer, by=BY) if apply else missed(customer)
        if not found:
            return
        currency, was = found[0].currency, before.balance_micros if before else 0
        told = {
            "who": f"{customer.name} ({customer.pk}, {before.get_kind_display().lower() if before else 'no account'})",
            "was": money(was, currency),
            "then": money(was + sum(each.micros for each in found), currency),
            "counted": "counted" if apply else "not counted",
        }
        self.stdout.write("{who}: {was}, then {then}; {counted}:".format(**told))
        for each in found:
            self.stdout.write(f"  {_words(each)}")
        if by_hand := _by_hand(customer):
            self.stdout.write(f"  booked by hand so far: {money(by_hand, currency)}")


def _words(event: Event) -> str:
    return f"{event.day} {event.reference} {money(event.micros, event.currency)}"


def _by_hand(customer: Customer) -> int:
    """Return what people booked: perhaps for what is missing."""
    moved = Movement.objects.filter(tenant=customer, kind__in=BY_HAND).values_list("reference", "micros")
    return sum(micros for reference, micros in moved if not accounts.RESERVED.fullmatch(reference))
