"""What the MSP is owed: its legal entities, the invoice register, payments, and the ledger under all of it."""

from voice.receivables.models.billed import BilledCharge, BilledMonth
from voice.receivables.models.entity import BillingProfile, LegalEntity, NumberSeries, VatRegistration
from voice.receivables.models.invoice import Invoice, InvoiceFile, InvoiceLine, InvoiceQuerySet, InvoiceTax
from voice.receivables.models.ledger import Account, Entry, Posting
from voice.receivables.models.payment import Allocation, Payment, Reversal
from voice.receivables.models.question import LineQuestion, Notice
from voice.receivables.models.run import InvoiceRun, RunCustomer, RunFinding
from voice.receivables.models.tax import Exemption, Tax, TaxCheck, TaxClass, TaxRule, VatIdCheck

__all__ = [
    "Account",
    "Allocation",
    "BilledCharge",
    "BilledMonth",
    "BillingProfile",
    "Entry",
    "Exemption",
    "Invoice",
    "InvoiceFile",
    "InvoiceLine",
    "InvoiceQuerySet",
    "InvoiceRun",
    "InvoiceTax",
    "LegalEntity",
    "LineQuestion",
    "Notice",
    "NumberSeries",
    "Payment",
    "Posting",
    "Reversal",
    "RunCustomer",
    "RunFinding",
    "Tax",
    "TaxCheck",
    "TaxClass",
    "TaxRule",
    "VatIdCheck",
    "VatRegistration",
]
