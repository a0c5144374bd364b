"""Every write to the books: settings, invoices and payments."""

from voice.receivables.services.documents import content_of, store_files, store_missing_files
from voice.receivables.services.invoices import approve, draft, drop, reopen
from voice.receivables.services.issuing import credit, issue
from voice.receivables.services.payments import record_payment
from voice.receivables.services.settings import save_entity, save_profile

__all__ = [
    "approve",
    "content_of",
    "credit",
    "draft",
    "drop",
    "issue",
    "record_payment",
    "reopen",
    "save_entity",
    "save_profile",
    "store_files",
    "store_missing_files",
]
