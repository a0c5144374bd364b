"""Certificates that nodes present: read, checked against their key, and kept with the key encrypted."""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from sbc.models import Certificate

LONGEST = 100_000


@transaction.atomic
def add_certificate(certificate: Certificate, *, now: datetime, by: Actor) -> Certificate:
    """Store a certificate with its key.

    Raises ValidationError with messages meant for the user.
    """
    leaf = _leaf(certificate.chain)
    _check_key(certificate.key, leaf)
    certificate.subject = _common_name(leaf.subject)
    certificate.issuer = _common_name(leaf.issuer)
    certificate.names = _names(leaf)
    certificate.fingerprint = leaf.fingerprint(hashes.SHA256()).hex()
    certificate.not_before, certificate.not_after = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if certificate.not_after <= now:
        ended = _("This certificate ended on %(day)s.") % {"day": certificate.not_after.date()}
        raise ValidationError({"chain": ended})
    certificate.full_clean()
    certificate.save()
    facts = {"names": certificate.names, "not_after": certificate.not_after}
    audit.record(by, "certificate.added", certificate, after=facts)
    return certificate


@transaction.atomic
def remove_certificate(certificate: Certificate, *, by: Actor) -> None:
    """Forget a certificate and its key."""
    audit.record(by, "certificate.removed", certificate, before={"names": certificate.names})
    certificate.delete()


def _leaf(chain: str) -> x509.Certificate:
    if len(chain) > LONGEST:
        raise ValidationError({"chain": _("This is too long for a certificate.")})
    try:
        return x509.load_pem_x509_certificates(chain.encode())[0]
    except (ValueError, IndexError):
        raise ValidationError({"chain": _("This is no certificate in PEM form (-----BEGIN CERTIFICATE-----).")})


def _check_key(key: str, leaf: x509.Certificate) -> None:
    try:
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):
        raise ValidationError({"key": _("This is no private key in PEM form without a password.")})
    shape = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*shape) != leaf.public_key().public_bytes(*shape):
        raise ValidationError({"key": _("The key does not belong to this certificate.")})


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(name) for name in extension.value.get_values_for_type(x509.DNSName)]
