"""The certificate that the portal gives this node: checked, shown by HAProxy at once, dialled with by Kamailio later.

HAProxy changes it in memory, under open connections. Kamailio cannot: its `tls.reload` breaks connections under load,
so that it goes on with what it read when it started.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from sbc.node.daemons import DataPlane
from sbc.node.haproxy import HaproxyRefused, write_private
from sbc.node.rows import Kind
from sbc.pem import BadPem, Identity, leaf_of, read_identity, short_fingerprint
from sbc.protocol import Certificate, CertificateState

CHECK = """defaults
    mode tcp
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend check
    bind 127.0.0.1:1 ssl crt {path}
"""


class CertificateRefused(Exception):
    """The node goes on with the certificate that it had; says why."""


class Certificates:
    """Puts certificates in force and tells which ones are."""

    def __init__(self, plane: DataPlane) -> None:
        self.plane = plane
        self._bad: set[str] = set()

    def state(self, nonce: str = "", reason: str = "") -> CertificateState:
        """Say what is shown and what is dialled with."""
        served, dialled = leaf_of(_text(self.plane.haproxy.own)), leaf_of(_text(self.plane.dialled))
        return CertificateState(
            served=served[0] if served else "",
            until=int(served[1].timestamp() * 1000) if served else 0,
            dialled=dialled[0] if dialled else "",
            nonce=nonce,
            reason=reason,
        )

    async def take(self, asked: Certificate) -> None:
        """Show this certificate from now on, or raise CertificateRefused with the old one in force."""
        try:
            identity = read_identity(asked.chain, asked.key, now=datetime.now(UTC))
        except BadPem as error:
            raise CertificateRefused(str(error)) from None
        if identity.fingerprint != asked.fingerprint:
            raise CertificateRefused("it has another fingerprint than was said")
        if identity.fingerprint in self._bad:
            raise CertificateRefused("Kamailio did not start with it")
        if self.state().served != identity.fingerprint:
            await self._check(identity.pem)
            await self._show(identity)
        write_private(self.plane.given, identity.pem, lasting=True)

    async def take_back(self, refused: str, before: str) -> None:
        """Return to the PEM that Kamailio dialled with before: it does not start with the refused one."""
        self._bad.add(refused)
        write_private(self.plane.given, before, lasting=True)
        await self.plane.haproxy.set_certificate("node", before)

    async def put_right(self) -> dict[str, Kind]:
        """Let HAProxy show again what it should and nothing else; say by name what was otherwise."""
        haproxy, found = self.plane.haproxy, dict[str, Kind]()
        ours = {str(path) for path in (haproxy.own, *haproxy.directory.glob("*.pem"))}
        for path in await haproxy.certificates_shown() - ours:
            await haproxy.hide_certificate(path)
            found[Path(path).name] = "foreign"
        # What the portal gave stands beside what is shown; what was put there by hand is read at the next start only.
        wanted = _text(self.plane.given) or _text(haproxy.own)
        fingerprint = short_fingerprint(wanted)
        if fingerprint and not (
            await haproxy.shows("node", fingerprint) and short_fingerprint(_text(haproxy.own)) == fingerprint
        ):
            await haproxy.set_certificate("node", wanted)
            found[haproxy.own.name] = "different"
        return found

    async def _show(self, identity: Identity) -> None:
        haproxy = self.plane.haproxy
        if self.plane.daemons["haproxy"].pid is None:
            # It will start with this one: a node may be given its first certificate before anything runs.
            haproxy.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            return write_private(haproxy.own, identity.pem, lasting=True)
        before = _text(haproxy.own)
        try:
            await haproxy.set_certificate("node", identity.pem)
            if not await haproxy.shows("node", identity.short_fingerprint):
                await haproxy.set_certificate("node", before)
                raise CertificateRefused("HAProxy took it and does not show it")
        except HaproxyRefused as error:
            raise CertificateRefused(f"HAProxy: {error}") from None

    async def _check(self, pem: str) -> None:
        """Let HAProxy read it from a file, as at its next start."""
        folder = self.plane.given.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft, config = folder / "draft.pem", folder / "draft.cfg"
        write_private(draft, pem)
        write_private(config, CHECK.format(path=draft))
        try:
            said = await _said(self.plane.settings.haproxy, "-c", "-f", str(config))
        finally:
            draft.unlink(missing_ok=True)
            config.unlink(missing_ok=True)
        if said:
            raise CertificateRefused(f"HAProxy would not start with it: {said[-300:]}")


async def _said(*command: str) -> str:
    """Run a check; give what it said if it failed."""
    check = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        said, _ = await asyncio.wait_for(check.communicate(), 10)
    except TimeoutError:
        check.kill()
        return "it does not end its check"
    return (said.decode(errors="replace") or "no reason given") if check.returncode else ""


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""
