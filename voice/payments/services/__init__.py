"""Every write of payments: bank entries, cards, reminders."""

from voice.payments.services.bank import (
    book,
    book_in,
    book_out,
    book_sure,
    explain_gap,
    import_statements,
    reopen,
    set_aside,
    start_book_sure,
    start_import,
)

__all__ = [
    "book",
    "book_in",
    "book_out",
    "book_sure",
    "explain_gap",
    "import_statements",
    "reopen",
    "set_aside",
    "start_book_sure",
    "start_import",
]
