"""A certificate authority for tests, and certificates of every kind that may come to the Microsoft listener."""

import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID as Use
from cryptography.x509.oid import NameOID

SERVER, CLIENT, MAIL = Use.SERVER_AUTH, Use.CLIENT_AUTH, Use.EMAIL_PROTECTION
_NOW = datetime.datetime.now(datetime.UTC)


class Authority:
    """Signs what it is asked to sign."""

    def __init__(self, directory: Path, name: str = "Test CA") -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        self.certificate = (
            self._begin(self.name, self.key.public_key())
            .add_extension(x509.BasicConstraints(True, None), True)
            .add_extension(usage, True)
            .sign(self.key, hashes.SHA256())
        )
        self.roots = directory / "roots.pem"
        self.roots.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _begin(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: int = 30, issuer: x509.Name | None = None
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_NOW - datetime.timedelta(days=60))
            .not_valid_after(_NOW + datetime.timedelta(days=days))
        )

    def issue(
        self,
        file: str,
        cn: str,
        names: list[str],
        uses: list[x509.ObjectIdentifier] | None = None,
        *,
        self_signed: bool = False,
        days: int = 30,
    ) -> Path:
        """Return the path of a PEM with certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
        builder = self._begin(subject, key.public_key(), days, subject if self_signed else None)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        if uses:
            builder = builder.add_extension(x509.ExtendedKeyUsage(uses), False)
        signed = builder.sign(key if self_signed else self.key, hashes.SHA256())
        path = self.directory / f"{file}.pem"
        path.write_bytes(
            signed.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return path

    def dialling(self, pem: Path | None) -> ssl.SSLContext:
        """Return the TLS context of who dials with this certificate, or with none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.roots)
        if pem is not None:
            context.load_cert_chain(pem)
        return context

    def listening(self, pem: Path) -> ssl.SSLContext:
        """Return the TLS context of who listens with this certificate and asks for one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        context.load_verify_locations(self.roots)
        context.verify_mode = ssl.CERT_REQUIRED
        return context
