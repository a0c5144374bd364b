"""What is booked in English reads in the language of the customer's documents, with the same facts."""

import re

import pytest

from voice.languages import LANGUAGES, phrase
from voice.receivables.entry_words import WORDS, booked, read

FACTS = {
    "number": "2026-00017",
    "reference": "RF18 5390 (2), thanks",
    "title": "Last reminder: now",
    "card": ", Visa … 4242",
    "what": "Fee: Last reminder: now",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", WORDS)
def test_what_was_booked_is_read_in_each_language(key, language):
    named = re.findall(r"%\((\w+)\)s", WORDS[key]["en"])
    facts = {name: FACTS[name] for name in named}

    heard = facts | {name: read(facts[name], language) for name in named if name == "what"}
    assert read(booked(key, **facts), language) == phrase(WORDS, language, key, **heard)


@pytest.mark.parametrize("text", ["Card payment", "Goodwill for the outage, agreed by phone", "Invoice", ""])
def test_a_card_may_be_unknown_and_somebodys_own_words_stay(text):
    assert read(text, "de") == ("Kartenzahlung" if text == "Card payment" else text)
