"""What mails about payments say, in the language of the customer's documents. Pure."""

from datetime import date

from voice.languages import Table, phrase
from voice.receivables.sheet import Reader

WORDS: Table = {
    "questions": {"en": "Questions?", "de": "Fragen?", "fr": "Une question ?"},
    "receipt_subject": {
        "en": "Your payment of %(amount)s",
        "de": "Ihre Zahlung von %(amount)s",
        "fr": "Votre paiement de %(amount)s",
    },
    "receipt_title": {"en": "Thank you", "de": "Vielen Dank", "fr": "Merci"},
    "receipt_words": {
        "en": "We received your payment of %(amount)s on %(day)s.",
        "de": "Wir haben Ihre Zahlung von %(amount)s am %(day)s erhalten.",
        "fr": "Nous avons reçu votre paiement de %(amount)s le %(day)s.",
    },
    "receipt_label": {"en": "Your receipt", "de": "Ihre Zahlungsbestätigung", "fr": "Votre reçu"},
    "receipt_why": {
        "en": "You get this because your company pays its bills here.",
        "de": "Sie erhalten dies, weil Ihr Unternehmen seine Rechnungen hier bezahlt.",
        "fr": "Vous recevez ce message parce que votre entreprise règle ses factures ici.",
    },
    "card_failed_subject": {
        "en": "Your card could not be charged",
        "de": "Ihre Karte konnte nicht belastet werden",
        "fr": "Votre carte n’a pas pu être débitée",
    },
    "card_failed_title": {
        "en": "Your card could not be charged",
        "de": "Ihre Karte konnte nicht belastet werden",
        "fr": "Votre carte n’a pas pu être débitée",
    },
    "card_failed_words": {
        "en": "We tried to charge %(amount)s to your card %(card)s.",
        "de": "Wir wollten %(amount)s von Ihrer Karte %(card)s abbuchen.",
        "fr": "Nous avons tenté de débiter %(amount)s de votre carte %(card)s.",
    },
    "card_failed_label": {"en": "Pay now", "de": "Jetzt bezahlen", "fr": "Payer maintenant"},
    "card_failed_why": {
        "en": "You get this because your company saved a card for its bills.",
        "de": "Sie erhalten dies, weil Ihr Unternehmen eine Karte für seine Rechnungen hinterlegt hat.",
        "fr": "Vous recevez ce message parce que votre entreprise a enregistré une carte pour ses factures.",
    },
}


def receipt(reader: Reader, *, micros: int, currency: str, day: date) -> dict[str, str]:
    """Return what the mail about money that came in says."""
    return _told(reader, "receipt", amount=reader.money(micros, currency), day=reader.day(day))


def card_failed(reader: Reader, *, micros: int, currency: str, card: object) -> dict[str, str]:
    """Return what the mail about a saved card that was not charged says."""
    return _told(reader, "card_failed", amount=reader.money(micros, currency), card=card)


def questions(reader: Reader) -> str:
    """Return what stands before the addresses of whoever helps."""
    return phrase(WORDS, reader.language, "questions")


def _told(reader: Reader, mail: str, **facts: object) -> dict[str, str]:
    parts = ("subject", "title", "words", "label", "why")
    told = {part: phrase(WORDS, reader.language, f"{mail}_{part}", **facts) for part in parts}
    return told | {"questions": questions(reader)}
