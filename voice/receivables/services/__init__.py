"""Every write to the books: settings, invoices and payments."""

from voice.receivables.services.billed_months import note_missing_months
from voice.receivables.services.copies import keep_missing_copies
from voice.receivables.services.corrections import correct, write_off
from voice.receivables.services.documents import content_of, store_files, store_missing_files, without_files
from voice.receivables.services.invoices import approve, draft, drop, reopen
from voice.receivables.services.issuing import credit, issue
from voice.receivables.services.mailing import mail
from voice.receivables.services.payments import (
    lock_account,
    record_payment,
    record_top_up,
    reverse_payment,
    settle_from_credit,
)
from voice.receivables.services.settings import check_vat_id, save_entity, save_profile
from voice.receivables.services.taxes import add_rule, check_rule, save_exemption, save_registration

__all__ = [
    "add_rule",
    "approve",
    "check_rule",
    "check_vat_id",
    "content_of",
    "correct",
    "credit",
    "draft",
    "drop",
    "issue",
    "keep_missing_copies",
    "lock_account",
    "mail",
    "note_missing_months",
    "record_payment",
    "record_top_up",
    "reopen",
    "reverse_payment",
    "save_entity",
    "save_exemption",
    "save_profile",
    "save_registration",
    "settle_from_credit",
    "store_files",
    "store_missing_files",
    "without_files",
    "write_off",
]
