"""Certificates in PEM as somebody may paste them: every fault has its own words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from lab import ca
from sbc.pem import BadPem, leaf_of, not_covered, read_identity
from sbc.tests.sip.certificates import CLIENT, MAIL, SERVER, Authority

NOW = datetime.now(UTC)
NAMES = ["sbc.northwind.example", "*.sbc.northwind.example"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def parts(path: Path) -> tuple[str, str]:
    chain, mark, key = path.read_text().partition("-----BEGIN PRIVATE KEY")
    return chain, mark + key


def key_of(private: Any) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_a_good_one_is_read_and_written_anew(authority: Authority) -> None:
    chain, key = parts(authority.issue("good", NAMES[0], NAMES, [SERVER, CLIENT]))
    root = authority.roots.read_text()

    found = read_identity(f"Bag Attributes: x\n{chain}\n\n# note\n{root}", f"\n{key}\n", now=NOW)

    assert (found.subject, found.issuer, found.names) == (NAMES[0], "Test CA", NAMES)
    assert found.chain == chain + root
    assert leaf_of(found.pem) == (found.fingerprint, found.not_after)
    assert "PRIVATE KEY" in found.pem
    assert "PRIVATE KEY" not in repr(found)


@pytest.mark.parametrize("size", [2048, 4096])
def test_rsa_of_some_size_will_do(size: int) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=size)
    chain = ca.pem(ca.self_sign(ca.Leaf(NAMES[0], tuple(NAMES)), key)).decode()

    assert read_identity(chain, ca.pem_key(key).decode(), now=NOW).names == NAMES


def test_weak_and_odd_keys_are_refused() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    chain = ca.pem(ca.self_sign(ca.Leaf(NAMES[0], tuple(NAMES)), weak)).decode()
    odd = [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256K1())]
    for key in (weak, *odd):
        with pytest.raises(BadPem, match="2048 bits"):
            read_identity(chain, key_of(key), now=NOW)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (lambda chain, key, other: ("", key), "no certificate in PEM"),
        (lambda chain, key, other: ("x" * 60_001, key), "too long for a certificate"),
        (lambda chain, key, other: (chain.replace("M", "!", 3), key), "no certificate in PEM"),
        (lambda chain, key, other: (chain + key, key), "Only certificates"),
        (lambda chain, key, other: ("\ud800" + chain, key), "no certificate in PEM"),
        (lambda chain, key, other: (chain * 9, key), "more than 8"),
        (lambda chain, key, other: (chain + other[0], key), "Certificate 2 did not issue"),
        (lambda chain, key, other: (chain, other[1]), "does not belong"),
        (lambda chain, key, other: (chain, ""), "no private key"),
        (lambda chain, key, other: (chain, "x" * 20_001), "too long for a private key"),
        (lambda chain, key, other: (chain, key.replace("PRIVATE", "ENCRYPTED PRIVATE")), "no private key"),
    ],
)
def test_what_is_wrong_is_said(authority: Authority, broken: Any, why: str) -> None:
    chain, key = parts(authority.issue("one", NAMES[0], NAMES, [SERVER]))
    other = parts(authority.issue("other", NAMES[0], NAMES, [SERVER]))

    with pytest.raises(BadPem, match=why) as refusal:
        read_identity(*broken(chain, key, other), now=NOW)

    assert key.splitlines()[1] not in str(refusal.value)


def test_times_and_purposes_count(authority: Authority) -> None:
    ended = parts(authority.issue("ended", NAMES[0], NAMES, [SERVER], days=-1))
    mail = parts(authority.issue("mail", NAMES[0], NAMES, [MAIL]))
    good = parts(authority.issue("good", NAMES[0], NAMES, [SERVER]))
    for given, now, why in [
        (ended, NOW, "ended on"),
        (mail, NOW, "not made for servers"),
        (good, NOW - timedelta(days=90), "begins on"),
    ]:
        with pytest.raises(BadPem, match=why):
            read_identity(*given, now=now)


def test_every_base_needs_its_bare_name_and_its_wildcard() -> None:
    bases = ["sbc.northwind.example", "sbc.fabrikam.example"]

    assert not_covered([name.upper() for name in NAMES], bases[:1]) == []
    assert not_covered([*NAMES, "sbc.fabrikam.example"], bases) == ["*.sbc.fabrikam.example"]
    assert not_covered(["*.northwind.example"], bases[:1]) == NAMES
