"""The lab's certificate authorities: Microsoft's names, the SBC's wildcards, and the forgeries that tests want."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
from cryptography.x509.oid import NameOID

MICROSOFT_NAMES = ("sip.pstnhub.microsoft.com", "sip2.pstnhub.microsoft.com", "sip3.pstnhub.microsoft.com")
MICROSOFT_ROOT = "Lab Microsoft Root"
SBC_ROOT = "Lab SBC Root"
YEAR = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Leaf:
    """What a certificate says: its common name, its alternative names, its purposes, and the days that it lasts."""

    common_name: str
    names: tuple[str, ...]
    purposes: tuple[x509.ObjectIdentifier, ...] = (Purpose.SERVER_AUTH,)
    days: int = 365


# Each of these must be refused by an SBC that expects Microsoft. All but the first chain to the lab's Microsoft root.
FORGERIES = {
    "self-signed": Leaf(MICROSOFT_NAMES[0], (MICROSOFT_NAMES[0],)),
    "longer-name": Leaf("evilpstnhub.microsoft.com.evil", ("evilpstnhub.microsoft.com.evil",)),
    "no-label-boundary": Leaf("xpstnhub.microsoft.com", ("xpstnhub.microsoft.com",)),
    "other-name": Leaf("sip.contoso.example", ("sip.contoso.example",)),
    "common-name-only": Leaf(MICROSOFT_NAMES[0], ("sip.contoso.example",)),
    "other-purpose": Leaf(MICROSOFT_NAMES[0], (MICROSOFT_NAMES[0],), (Purpose.CODE_SIGNING,)),
    "expired": Leaf(MICROSOFT_NAMES[0], (MICROSOFT_NAMES[0],), days=-1),
}


@dataclass(frozen=True)
class Authority:
    """A root that can issue."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @classmethod
    def open(cls, folder: Path, name: str, common_name: str) -> "Authority":
        """Load the root from the folder, or make it there."""
        crt, key = folder / f"{name}.pem", folder / f"{name}.key"
        if crt.exists() and key.exists():
            loaded = serialization.load_pem_private_key(key.read_bytes(), None)
            assert isinstance(loaded, rsa.RSAPrivateKey)
            return cls(x509.load_pem_x509_certificate(crt.read_bytes()), loaded)
        private = new_key()
        subject = _subject(common_name)
        built = (
            _builder(subject, subject, private, timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
            .sign(private, hashes.SHA256())
        )
        write_private(key, pem_key(private))
        crt.write_bytes(pem(built))
        return cls(built, private)

    def issue(self, leaf: Leaf, key: rsa.RSAPrivateKey) -> x509.Certificate:
        """Sign a certificate for the key."""
        return _leaf(leaf, key, self.certificate.subject, self.key, self.certificate)


def new_key() -> rsa.RSAPrivateKey:
    """Make an RSA key of the least size that Microsoft accepts."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def self_sign(leaf: Leaf, key: rsa.RSAPrivateKey) -> x509.Certificate:
    """Sign a certificate with its own key."""
    return _leaf(leaf, key, _subject(leaf.common_name), key, None)


def pem(certificate: x509.Certificate) -> bytes:
    """Encode a certificate."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def pem_key(key: rsa.RSAPrivateKey) -> bytes:
    """Encode a private key without a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(path: Path, data: bytes) -> None:
    """Replace a file that only its owner may read."""
    beside = path.with_suffix(path.suffix + ".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    beside.replace(path)


def sbc_leaf(bases: Sequence[str]) -> Leaf:
    """Describe a node's certificate: the bare base and the wildcard of every base that it serves."""
    names = tuple(name for base in dict.fromkeys(bases) for name in (base, f"*.{base}"))
    return Leaf(bases[0], names, (Purpose.SERVER_AUTH, Purpose.CLIENT_AUTH))


def build(folder: Path, bases: Sequence[str]) -> None:
    """Make every file that is missing, about to expire, or made for other names; leave the rest alone."""
    folder.mkdir(parents=True, exist_ok=True)
    microsoft = Authority.open(folder, "microsoft-root", MICROSOFT_ROOT)
    for name in MICROSOFT_NAMES:
        _put(folder / f"{name.split('.')[0]}.pem", Leaf(name, (name,)), microsoft)
    if bases:
        _put(folder / "sbc.pem", sbc_leaf(bases), Authority.open(folder, "sbc-root", SBC_ROOT), split=True)
    (folder / "forgeries").mkdir(exist_ok=True)
    for forgery, leaf in FORGERIES.items():
        _put(folder / "forgeries" / f"{forgery}.pem", leaf, None if forgery == "self-signed" else microsoft)


def _put(path: Path, leaf: Leaf, issuer: Authority | None, *, split: bool = False) -> None:
    wanted = [path, path.with_suffix(".crt"), path.with_suffix(".key")] if split else [path]
    if all(file.exists() for file in wanted) and _still_good(path, leaf, issuer):
        return
    key = new_key()
    certificate = issuer.issue(leaf, key) if issuer else self_sign(leaf, key)
    if split:  # Kamailio wants two files, HAProxy one
        path.with_suffix(".crt").write_bytes(pem(certificate))
        write_private(path.with_suffix(".key"), pem_key(key))
    write_private(path, pem(certificate) + pem_key(key))


def _still_good(path: Path, leaf: Leaf, issuer: Authority | None) -> bool:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if tuple(names.get_values_for_type(x509.DNSName)) != leaf.names:
        return False
    if issuer is not None:
        try:
            certificate.verify_directly_issued_by(issuer.certificate)
        except (ValueError, InvalidSignature):
            return False
    return leaf.days < 0 or certificate.not_valid_after_utc - RENEW_BEFORE > datetime.now(UTC)


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, lasts: timedelta
) -> x509.CertificateBuilder:
    end = datetime.now(UTC) + lasts
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(datetime.now(UTC), end) - timedelta(days=1))
        .not_valid_after(end)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _leaf(
    leaf: Leaf, key: rsa.RSAPrivateKey, issuer: x509.Name, signer: rsa.RSAPrivateKey, parent: x509.Certificate | None
) -> x509.Certificate:
    builder = (
        _builder(_subject(leaf.common_name), issuer, key, timedelta(days=leaf.days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(leaf.purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in leaf.names]), critical=False)
    )
    if parent is not None:
        identifier = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        builder = builder.add_extension(authority, critical=False)
    return builder.sign(signer, hashes.SHA256())


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and build the folder."""
    parser = argparse.ArgumentParser(prog="python -m lab.ca", description="Make the lab's certificates.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--base", action="append", default=[], help="base domain of an SBC; may be repeated")
    options = parser.parse_args(arguments)
    build(options.out, options.base)
    print(f"certificates in {options.out}")


if __name__ == "__main__":
    main()
