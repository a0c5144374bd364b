"""The certificate authority."""

import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from lab import ca
from lab.certificate import Certificate


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_microsoft_certificates_are_for_servers_only(certificates: Path):
    for name in ca.MICROSOFT_NAMES:
        found = read(certificates / "ca" / f"{name.split('.')[0]}.pem")
        purposes = list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        assert purposes == [Purpose.SERVER_AUTH]
        found.verify_directly_issued_by(read(certificates / "ca" / "microsoft-root.pem"))


def test_the_sbc_certificate_covers_the_bare_base_and_one_label_under_it(certificates: Path):
    found = Certificate.read(read(certificates / "ca" / "sbc.crt").public_bytes(ca.serialization.Encoding.DER))

    for base in ("sbc.northwind.example", "sbc.fabrikam.example"):
        assert found.covers(base) and found.covers(f"acme.{base}")
        assert not found.covers(f"a.b.{base}")


def test_a_second_run_changes_nothing_and_another_base_only_the_sbc_certificate(tmp_path: Path):
    ca.main(["--out", str(tmp_path), "--base", "one.example"])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}

    ca.main(["--out", str(tmp_path), "--base", "one.example"])
    assert {path: path.read_bytes() for path in before} == before

    ca.main(["--out", str(tmp_path), "--base", "one.example", "--base", "two.example"])
    changed = {path.name for path, data in before.items() if path.read_bytes() != data}
    assert changed == {"sbc.pem", "sbc.crt", "sbc.key"}


def test_a_new_root_replaces_what_the_old_one_signed(tmp_path: Path):
    ca.build(tmp_path, ["one.example"])
    (tmp_path / "sbc-root.key").unlink()

    ca.build(tmp_path, ["one.example"])

    read(tmp_path / "sbc.pem").verify_directly_issued_by(read(tmp_path / "sbc-root.pem"))


@pytest.mark.parametrize("name", ["sbc.pem", "sbc.key", "sip.pem", "microsoft-root.key", "forgeries/self-signed.pem"])
def test_private_keys_are_for_their_owner_alone(certificates: Path, name: str):
    assert os.stat(certificates / "ca" / name).st_mode & 0o077 == 0


@pytest.mark.parametrize("forgery", ca.FORGERIES)
def test_forgeries_differ_from_the_real_thing_in_one_point(certificates: Path, forgery: str):
    found, leaf = read(certificates / "ca" / "forgeries" / f"{forgery}.pem"), ca.FORGERIES[forgery]
    microsofts = found.issuer.rfc4514_string() == f"CN={ca.MICROSOFT_ROOT}"
    names = set(leaf.names) <= set(ca.MICROSOFT_NAMES)
    purpose, in_time = leaf.purposes == (Purpose.SERVER_AUTH,), leaf.days > 0

    assert [microsofts, names, purpose, in_time].count(False) == 1
