"""What a peer's certificate proves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Certificate:
    """The names and purposes of a certificate whose chain has been verified."""

    names: tuple[str, ...]
    serves: bool

    @classmethod
    def read(cls, der: bytes) -> Self:
        """Read names and purposes."""
        certificate = x509.load_der_x509_certificate(der)
        common = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        extensions = certificate.extensions
        try:
            alternative = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            common += alternative.get_values_for_type(x509.DNSName)
        except x509.ExtensionNotFound:
            pass
        try:
            purposes = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        except x509.ExtensionNotFound:
            purposes = []
        return cls(tuple(name.lower() for name in common), ExtendedKeyUsageOID.SERVER_AUTH in purposes)

    def covers(self, fqdn: str) -> bool:
        """Tell whether the certificate speaks for the name."""
        return covers(self.names, fqdn)


def covers(names: Iterable[str], fqdn: str) -> bool:
    """Tell whether one of the names matches by RFC 2818: a wildcard stands for exactly one label."""
    fqdn = fqdn.lower()
    host, _, parent = fqdn.partition(".")
    return bool(host) and any(
        name == fqdn or (name.startswith("*.") and "." in parent and name[2:] == parent) for name in names
    )
