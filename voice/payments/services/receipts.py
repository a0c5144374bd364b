"""Receipts and statements: made anew each time from rows that never change, mailed as a link."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.db import contexts
from tenants import addresses, mail
from tenants.models import Brand, Customer
from voice.payments import mails, paper
from voice.payments.models import CardAttempt
from voice.payments.statements import Statement
from voice.receivables import selectors as books
from voice.receivables.models import Allocation, BillingProfile, LegalEntity, Payment
from voice.receivables.sheet import Look, Reader

SELLER = ("name", "street", "postcode", "city", "country", "vat_id", "tax_number", "registration", "email", "phone",
          "iban")  # fmt: skip
BUYER = ("name", "street", "postcode", "city", "country")


def receipt_of(payment: Payment) -> paper.Receipt:
    """Return what a receipt says of a payment."""
    return receipts_of([payment])[payment.pk]


def receipts_of(payments: Collection[Payment]) -> dict[int, paper.Receipt]:
    """Return what the receipts of payments say, each under its payment's id."""
    settled: dict[int, dict[str, int]] = {payment.pk: {} for payment in payments}
    parts = Allocation.objects.filter(payment__in=payments).order_by("pk")
    for pk, number, micros in parts.values_list("payment", "invoice__number", "amount"):
        settled[pk][number] = settled[pk].get(number, 0) + micros
    back = books.gone_back(payments)
    cards = dict(CardAttempt.objects.filter(payment__in=payments).values_list("payment", "card"))
    return {
        payment.pk: _receipt(payment, settled[payment.pk], back.get(payment.pk, 0), cards.get(payment.pk, ""))
        for payment in payments
    }


def _receipt(payment: Payment, settled: dict[str, int], back: int, card: str) -> paper.Receipt:
    paid = [(number, micros) for number, micros in settled.items() if micros]
    return paper.Receipt(
        payment.amount, payment.currency, payment.received_on, payment.reference, paid,
        payment.amount - back - sum(settled.values()), back, card,
    )  # fmt: skip


def receipt_pdf(payment: Payment) -> bytes:
    """Return the receipt of a payment on paper."""
    customer = Customer.objects.select_related("msp").get(pk=payment.tenant_id)
    with contexts.msp(customer.msp):
        entity = LegalEntity.objects.get(pk=payment.entity_id)
        return paper.receipt(receipt_of(payment), *sides(entity, customer))


def statement_pdf(customer: Customer, statement: Statement) -> bytes:
    """Return a statement of account on paper; raises ValidationError where the customer is not billed."""
    with contexts.msp(customer.msp):
        profile = BillingProfile.objects.select_related("entity").filter(tenant=customer).first()
        if profile is None:
            raise ValidationError(_("It is not set how this customer is billed."))
        return paper.statement(statement, *sides(profile.entity, customer))


def mail_receipt(payment: Payment, *, by: Actor) -> None:
    """Mail the customer where its receipt is; raises ValidationError where there is no address."""
    customer = Customer.objects.select_related("msp").get(pk=payment.tenant_id)
    profile = BillingProfile.objects.filter(tenant=customer).first()
    if profile is None or not profile.email:
        raise ValidationError(_("No e-mail address of this customer is set."))
    url = addresses.url(addresses.primary_host(customer), f"/bills/payments/{payment.pk}/")
    reader = reader_of(customer)
    told = mails.receipt(reader, micros=payment.amount, currency=payment.currency, day=payment.received_on)
    brand = Brand.objects.filter(msp=customer.msp).first()
    facts: dict[str, object] = {**told, "url": url}
    if mail.send("voice/payments/mail/receipt", profile.email, facts, brand=brand, language=reader.language):
        audit.record(by, "payment.receipt_mailed", payment, tenant_id=customer.pk, to=profile.email)


def mail_receipt_of(pk: int, *, by: Actor) -> None:
    """Mail the receipt of a payment that was just booked, where its customer has an address."""
    payment = Payment.objects.select_related("tenant").get(pk=pk)
    if BillingProfile.objects.filter(tenant_id=payment.tenant_id).exclude(email="").exists():
        mail_receipt(payment, by=by)


def sides(entity: LegalEntity, customer: Customer) -> tuple[dict[str, str], dict[str, str], Look]:
    """Return who writes, who reads, and in which brand, for a paper to a customer."""
    return _facts(entity, SELLER), _buyer(customer), _look(customer)


def reader_of(customer: Customer) -> Reader:
    """Return who reads papers and mails to a customer: in which language, and how amounts and days are written."""
    return Reader.of(_buyer(customer))


def _buyer(customer: Customer) -> dict[str, str]:
    profile = BillingProfile.objects.filter(tenant=customer).first()
    if profile is None:
        return dict.fromkeys(BUYER, "") | {"name": customer.name, "country": customer.country}
    return _facts(profile, BUYER) | {"language": getattr(profile, "language", "")}


def _facts(party: object, names: tuple[str, ...]) -> dict[str, str]:
    return {name: getattr(party, name) for name in names}


def _look(customer: Customer) -> Look:
    brand = Brand.objects.filter(msp_id=customer.msp_id).first()
    if brand is None:
        return Look(customer.msp.name, "#1f5f8b")
    return Look(brand.name, brand.accent, bytes(brand.logo or b""), (brand.logo_width, brand.logo_height))
