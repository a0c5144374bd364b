"""Bank statements: both versions read the same, and a file that lies or attacks is refused in words."""

import pytest

from voice.payments import camt
from voice.payments.tests.papers import IBAN, detail, entry, statement

EUR = 1_000_000


@pytest.mark.parametrize("version", ["02", "08"])
def test_an_entry_is_read_in_both_versions(version):
    facts = {"text": "Invoice 2026-00001", "ref": "RF32 2026 00001", "e2e": "E2E-1", "bank_ref": "B1"}
    entries = (
        entry("119.00", version=version, **facts),
        entry("-5.5", version=version, payer="Bank"),
        entry("7.77", version=version, state="PDNG"),
    )
    (read,) = camt.read(statement(*entries, closing="213.5", version=version))

    first, second = read.movements
    assert (read.iban, read.currency, read.opening, read.closing) == (IBAN, "EUR", 100 * EUR, 213_500_000)
    assert (first.amount, first.payer, first.payer_iban) == (119 * EUR, "Acme GmbH", "DE89370400440532013000")
    assert (first.structured, first.text, first.end_to_end) == ("RF32202600001", "Invoice 2026-00001", "E2E-1")
    assert (second.amount, second.end_to_end) == (-5_500_000, "")


def test_a_batch_is_taken_apart_and_twins_are_two():
    batch = detail("10", own_amount=True, text="a") + detail("20", own_amount=True, text="b")
    (read,) = camt.read(statement(entry("30", details=batch), entry("5"), entry("5"), closing=140))

    assert [move.amount for move in read.movements] == [10 * EUR, 20 * EUR, 5 * EUR, 5 * EUR]
    assert len({move.key for move in read.movements}) == 4


def test_a_movement_has_the_same_key_in_every_statement():
    one, other = statement(entry("5"), closing=105), statement(entry("9"), entry("5"), closing=114, name="another")
    assert camt.read(one)[0].movements[0].key == camt.read(other)[0].movements[1].key


BOMB = b'<!DOCTYPE lolz [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Document>&b;</Document>'
OUTSIDE = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>'
GOOD = statement(entry("5"), closing=105)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not XML"),
        (b"\xff\xfe\x00", "not XML"),
        (GOOD[:-20], "damaged"),
        (BOMB, "declares entities"),
        (OUTSIDE, "declares entities"),
        (b" " * (camt.LARGEST + 1), "larger than"),
        (GOOD.replace(b"camt.053.001.02", b"camt.054.001.02"), "not a statement in the format"),
        (GOOD.replace(b"camt.053.001.02", b"camt.053.001.99"), "not a statement in the format"),
        (GOOD.replace(b"urn:iso:std:iso:20022:tech:xsd:", b"urn:evil:"), "not a statement in the format"),
        (statement(entry("5"), closing=106), "-1.00 EUR apart"),
        (statement(entry("5", currency="USD"), closing=105), "entry in USD"),
        (GOOD.replace(b"<Cd>CLBD</Cd>", b"<Cd>XXXX</Cd>"), "lacks its opening or its closing"),
        (GOOD.replace(b">5<", b">5,00<"), "amount that cannot be read"),
        (GOOD.replace(b">5<", b">-5<"), "amount that cannot be read"),
        (GOOD.replace(b">5<", b">1e3<"), "amount that cannot be read"),
        (GOOD.replace(b"<BookgDt><Dt>2026-11-20", b"<BookgDt><Dt>2026-13-40"), "date that cannot be read"),
        (GOOD.replace(b"<CdtDbtInd>CRDT</CdtDbtInd><Sts>", b"<CdtDbtInd>X</CdtDbtInd><Sts>"), "came in or went out"),
        (GOOD.replace(IBAN.encode(), b""), "has no IBAN"),
        (GOOD[: GOOD.index(b"<Stmt>")] + b"</BkToCstmrStmt></Document>", "no statement in the file"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_in_words(content, words):
    with pytest.raises(camt.UnreadableStatement, match=words):
        camt.read(content)
