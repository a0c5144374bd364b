"""A certificate with its chain and key in PEM, read as hostile text: by the portal before it stores one, by the node
before it shows one."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LONGEST_CHAIN, LONGEST_KEY, MOST = 60_000, 20_000, 8
SMALLEST_RSA, LARGEST_RSA = 2048, 8192
CURVES = ("secp256r1", "secp384r1", "secp521r1")
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")


class BadPem(ValueError):
    """What was given is no certificate that a node could show; says in words why, and in which part."""

    def __init__(self, part: str, reason: str, **facts: object) -> None:
        super().__init__(reason % facts)
        self.part, self.reason, self.facts = part, reason, facts


@dataclass(frozen=True)
class Identity:
    """A certificate, what it was issued by, and its key: checked, and written anew."""

    subject: str
    issuer: str
    names: list[str]
    fingerprint: str  # SHA-256
    short_fingerprint: str  # SHA-1, by which HAProxy names what it holds
    not_before: datetime
    not_after: datetime
    chain: str
    key: str = field(repr=False)

    @property
    def pem(self) -> str:
        """Return chain and key as HAProxy and Kamailio read them."""
        return self.chain + self.key


def read_identity(chain: str, key: str, *, now: datetime) -> Identity:
    """Read chain and key, or raise BadPem: too long, of another kind, weak, of two owners, out of date."""
    certificates = _certificates(chain)
    leaf = certificates[0]
    try:
        names, for_servers = _names(leaf), _is_for_servers(leaf)
        subject, issuer = _common_name(leaf.subject), _common_name(leaf.issuer)
        own = _public(leaf.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
        raise BadPem("chain", "The certificate cannot be read.") from None
    if not for_servers:
        raise BadPem("chain", "The certificate is not made for servers.")
    private = _private_key(key)
    if _public(private.public_key()) != own:
        raise BadPem("key", "The key does not belong to this certificate.")
    if leaf.not_valid_after_utc <= now:
        raise BadPem("chain", "This certificate ended on %(day)s.", day=leaf.not_valid_after_utc.date())
    if leaf.not_valid_before_utc > now:
        raise BadPem("chain", "This certificate begins on %(day)s only.", day=leaf.not_valid_before_utc.date())
    pem = serialization.Encoding.PEM
    return Identity(
        subject=subject,
        issuer=issuer,
        names=names,
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
        short_fingerprint=leaf.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 HAProxy's name for it, not our proof
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        chain="".join(each.public_bytes(pem).decode() for each in certificates),
        key=private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
    )


def leaf_of(pem: str) -> tuple[str, datetime] | None:
    """Return fingerprint and end of the first certificate in a file that may hold anything."""
    try:
        leaf = x509.load_pem_x509_certificates(pem.encode())[0]
    except (ValueError, IndexError):
        return None
    return leaf.fingerprint(hashes.SHA256()).hex(), leaf.not_valid_after_utc


def short_fingerprint(pem: str) -> str:
    """Return the SHA-1 of the first certificate, by which HAProxy names what it holds; blank where there is none."""
    try:
        leaf = x509.load_pem_x509_certificates(pem.encode())[0]
    except (ValueError, IndexError):
        return ""
    return leaf.fingerprint(hashes.SHA1()).hex()  # noqa: S303 HAProxy's name for it, not our proof


def not_covered(names: Iterable[str], bases: Iterable[str]) -> list[str]:
    """Return which names a certificate lacks: of each base domain the bare name and the wildcard."""
    held = {name.lower() for name in names}
    return [name for base in bases for name in (base, f"*.{base}") if name not in held]


def _certificates(chain: str) -> list[x509.Certificate]:
    if len(chain) > LONGEST_CHAIN:
        raise BadPem("chain", "This is too long for a certificate.")
    if any("CERTIFICATE" not in kind for kind in _BLOCK.findall(chain)):
        # The chain is kept in the clear, so that a key must not slip in with it.
        raise BadPem("chain", "Only certificates belong here; the private key has a field of its own.")
    try:
        certificates = x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        certificates = []
    if not certificates:
        raise BadPem("chain", "This is no certificate in PEM form (-----BEGIN CERTIFICATE-----).")
    if len(certificates) > MOST:
        raise BadPem("chain", "These are more than %(most)s certificates.", most=MOST)
    for place, (each, issuer) in enumerate(itertools.pairwise(certificates), 2):
        try:
            each.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            raise BadPem("chain", "Certificate %(n)s did not issue the one before it.", n=place) from None
    return certificates


def _private_key(key: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if len(key) > LONGEST_KEY:
        raise BadPem("key", "This is too long for a private key.")
    try:
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadPem("key", "This is no private key in PEM form without a password.") from None
    if isinstance(private, rsa.RSAPrivateKey) and SMALLEST_RSA <= private.key_size <= LARGEST_RSA:
        return private
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in CURVES:
        return private
    raise BadPem("key", "Use an RSA key of 2048 bits or more, or one on the curves P-256, P-384 or P-521.")


def _public(key: object) -> bytes:
    if not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        return b""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(name) for name in extension.value.get_values_for_type(x509.DNSName)]


def _is_for_servers(leaf: x509.Certificate) -> bool:
    try:
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.SERVER_AUTH in purposes


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return (str(found[0].value) if found else name.rfc4514_string())[:200]
