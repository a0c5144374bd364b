"""Digest authentication as a carrier asks for it (RFC 2617, MD5, qop=auth)."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

PAIR = re.compile(r'([a-z-]+)=(?:"([^"]*)"|([^\s,]+))', re.IGNORECASE)


@dataclass(frozen=True)
class Account:
    """A user who may call."""

    username: str
    password: str
    realm: str = "carrier.lab"


@dataclass
class Gate:
    """Asks callers who they are."""

    account: Account
    nonces: set[str] = field(default_factory=set)

    def challenge(self) -> tuple[str, str]:
        """Return the header that asks."""
        nonce = secrets.token_hex(16)
        self.nonces.add(nonce)
        return "Proxy-Authenticate", f'Digest realm="{self.account.realm}", nonce="{nonce}", algorithm=MD5, qop="auth"'

    def admits(self, method: str, header: str) -> bool:
        """Tell whether the answer proves the password, once for every challenge."""
        given = {name.lower(): quoted or bare for name, quoted, bare in PAIR.findall(header)}
        nonce = given.get("nonce", "")
        if nonce not in self.nonces or given.get("username") != self.account.username:
            return False
        count, client = given.get("nc", ""), given.get("cnonce", "")
        expected = answer(self.account, method, given.get("uri", ""), nonce, count, client)
        if not hmac.compare_digest(expected, given.get("response", "")):
            return False
        self.nonces.discard(nonce)
        return True


def answer(account: Account, method: str, uri: str, nonce: str, count: str, client: str) -> str:
    """Return the response to a challenge."""
    first = _md5(f"{account.username}:{account.realm}:{account.password}")
    second = _md5(f"{method}:{uri}")
    middle = f"{nonce}:{count}:{client}:auth" if client else nonce
    return _md5(f"{first}:{middle}:{second}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
