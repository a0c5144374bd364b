"""Every table of phrases that customers read on paper or in a mail: no gap, and the same facts in each language."""

import re

import pytest

from voice.languages import LANGUAGES
from voice.payments import letter, mails, paper
from voice.plans import words
from voice.receivables import entry_words, phrases

TABLES = {
    "invoices": phrases.PHRASES, "lines": words.PHRASES, "letters": letter.WORDS, "receipts": paper.WORDS,
    "entries": entry_words.WORDS, "mails": mails.WORDS,
}  # fmt: skip
KEYS = [(name, key) for name, table in TABLES.items() for key in table]


@pytest.mark.parametrize(("table", "key"), KEYS)
def test_no_phrase_is_missing_in_any_language_or_says_less(table, key):
    said = TABLES[table][key]

    assert set(said) == set(LANGUAGES) and all(each.strip() for each in said.values())
    facts = {frozenset(re.findall(r"%\((\w+)\)s", each)) for each in said.values()}
    # A word of a language may be without the fact that another has to name, such as the 1 in "1 call".
    assert len(facts - {frozenset()}) <= 1
