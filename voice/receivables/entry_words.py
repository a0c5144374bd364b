"""What the entries of a customer's account are called: booked in English, read in the language of its documents. Pure.

What is booked stays as it was booked, so the books hold one wording for each kind of event, and a reader finds the
event by it. The English of a phrase never changes: what is to be said in other words gets a phrase of its own.
"""

import re

from voice.languages import DEFAULT, Table, phrase

WORDS: Table = {
    "invoice": {"en": "Invoice %(number)s", "de": "Rechnung %(number)s", "fr": "Facture %(number)s"},
    "credit_note": {
        "en": "Credit note %(number)s",
        "de": "Rechnungskorrektur %(number)s",
        "fr": "Avoir %(number)s",
    },
    "payment": {"en": "Payment, %(reference)s", "de": "Zahlung, %(reference)s", "fr": "Paiement, %(reference)s"},
    "top_up": {"en": "Top-up, %(reference)s", "de": "Aufladung, %(reference)s", "fr": "Recharge, %(reference)s"},
    "refund": {
        "en": "Refund %(reference)s",
        "de": "Rückzahlung %(reference)s",
        "fr": "Remboursement %(reference)s",
    },
    "chargeback": {
        "en": "Chargeback %(reference)s",
        "de": "Rückbelastung %(reference)s",
        "fr": "Rétrofacturation %(reference)s",
    },
    "returned": {
        "en": "Returned by the bank %(reference)s",
        "de": "Rücklastschrift %(reference)s",
        "fr": "Rejet de la banque %(reference)s",
    },
    "mistake": {
        "en": "Payment entered by mistake, %(reference)s",
        "de": "Irrtümlich gebuchte Zahlung, %(reference)s",
        "fr": "Paiement saisi par erreur, %(reference)s",
    },
    "written_off": {
        "en": "Written off: invoice %(number)s",
        "de": "Ausgebucht: Rechnung %(number)s",
        "fr": "Passé en perte : facture %(number)s",
    },
    # Another entry, by its own words.
    "corrected": {"en": "Taken back: %(what)s", "de": "Storniert: %(what)s", "fr": "Annulé : %(what)s"},
    # The title of a step is the MSP's own.
    "fee": {"en": "Fee: %(title)s", "de": "Gebühr: %(title)s", "fr": "Frais : %(title)s"},
    # With the card where it is known: ", Visa … 4242".
    "card_payment": {"en": "Card payment%(card)s", "de": "Kartenzahlung%(card)s", "fr": "Paiement par carte%(card)s"},
    "card_refund": {
        "en": "Card refund%(card)s",
        "de": "Rückzahlung auf die Karte%(card)s",
        "fr": "Remboursement sur la carte%(card)s",
    },
    "card_refund_failed": {
        "en": "Card refund that did not arrive%(card)s",
        "de": "Rückzahlung auf die Karte, die nicht ankam%(card)s",
        "fr": "Remboursement sur la carte non abouti%(card)s",
    },
    "card_taken_back": {
        "en": "Card payment taken back by its bank%(card)s",
        "de": "Kartenzahlung, von der Bank zurückgeholt%(card)s",
        "fr": "Paiement par carte repris par la banque%(card)s",
    },
    "card_decided": {
        "en": "Disputed card payment, decided for us%(card)s",
        "de": "Strittige Kartenzahlung, für uns entschieden%(card)s",
        "fr": "Paiement par carte contesté, décidé en notre faveur%(card)s",
    },
}


def booked(key: str, **facts: object) -> str:
    """Return the words by which an event is booked."""
    return phrase(WORDS, DEFAULT, key, **facts)


def read(text: str, language: str) -> str:
    """Return what was booked in a language; what no phrase says is somebody's own words and stays."""
    for key, pattern in _PATTERNS.items():
        found = pattern.fullmatch(text)
        if found is not None:
            facts = found.groupdict()
            if "what" in facts:
                facts["what"] = read(facts["what"], language)
            return phrase(WORDS, language, key, **facts)
    return text


def _pattern(words: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", words)
    found = [re.escape(parts[0])]
    for name, after in zip(parts[1::2], parts[2::2], strict=True):
        found.append(f"(?P<{name}>{'(?:, .+)?' if name == 'card' else '.+'}){re.escape(after)}")
    return re.compile("".join(found), re.DOTALL)


_PATTERNS = {key: _pattern(said[DEFAULT]) for key, said in WORDS.items()}
