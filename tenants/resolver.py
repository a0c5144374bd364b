"""What DNS says, behind one small interface: the real one, and one that reads a file for tests and the demo."""

import json
from pathlib import Path
from typing import Protocol, cast

import dns.exception
import dns.resolver
from django.conf import settings
from django.utils.module_loading import import_string

SECONDS = 3.0
MOST = 50


class DnsUnreachable(Exception):
    """No name server gave an answer, neither yes nor no."""


class DnsResolver(Protocol):
    """Whoever answers what TXT records a name has."""

    def texts(self, name: str) -> list[str]:
        """Return the name's TXT records, none where it has none; raises DnsUnreachable without an answer."""


class PublicDns:
    """Asks the name servers of this machine."""

    def texts(self, name: str) -> list[str]:
        try:
            answer = dns.resolver.resolve(f"{name}.", "TXT", lifetime=SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise DnsUnreachable(name) from error
        return [b"".join(record.strings).decode("ascii", "replace") for record in list(answer)[:MOST]]


class FileDns:
    """Answers from a JSON file of names and their texts, settings.DNS_FILE."""

    def texts(self, name: str) -> list[str]:
        path = Path(settings.DNS_FILE)
        return [str(text) for text in json.loads(path.read_text()).get(name, [])] if path.exists() else []


def resolver() -> DnsResolver:
    """Return the one that the settings name."""
    return cast(DnsResolver, import_string(settings.DNS_RESOLVER)())
