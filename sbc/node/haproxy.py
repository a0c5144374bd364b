"""HAProxy's runtime: certificates and source networks change without a restart and without dropping a connection."""

import asyncio
import os
import re
from collections.abc import Iterable
from pathlib import Path

_NAME = re.compile(r"^[a-z0-9][a-z0-9.-]{0,80}$")


class HaproxyRefused(Exception):
    """HAProxy is away, or did not take what it was given; what it held before is still in force."""


class HaproxyAdmin:
    """Changes a running HAProxy over its runtime socket, and the files that it would read at its next start."""

    def __init__(self, socket: Path, directory: Path, networks: Path, crt_list: Path) -> None:
        self.socket = socket
        self.directory = directory
        self.networks = networks
        self.crt_list = crt_list

    @property
    def own(self) -> Path:
        """Return the file of the certificate that is shown to who asks for no other name."""
        return self.directory / "node.pem"

    async def command(self, *lines: str) -> str:
        """Send one command (a payload counts as part of it) and return the answer."""
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_unix_connection(str(self.socket))
                try:
                    writer.write(("\n".join(lines) + "\n").encode())
                    await writer.drain()
                    return (await reader.read()).decode().strip()
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            raise HaproxyRefused(f"HAProxy does not answer: {error}") from error

    async def set_networks(self, networks: Iterable[str]) -> None:
        """Let these source networks, and no others, reach the Microsoft listener."""
        wanted = clean(networks)
        write_private(self.networks, "".join(f"{each}\n" for each in sorted(wanted)))
        held = await self.networks_held()
        for each in sorted(wanted - held):
            await self._expect_silence(f"add acl {self.networks} {each}")
        for each in held - wanted:
            await self._expect_silence(f"del acl {self.networks} {each}")

    async def networks_held(self) -> set[str]:
        """Return the source networks that reach the Microsoft listener now."""
        lines = (await self.command(f"show acl {self.networks}")).splitlines()
        return clean(line.partition(" ")[2] for line in lines)

    async def set_certificate(self, name: str, pem: str) -> None:
        """Put a new or renewed chain and key in force; a key that does not fit its certificate is refused."""
        if not _NAME.match(name):
            raise HaproxyRefused(f"{name!r} is no name for a certificate")
        path = self.directory / f"{name}.pem"
        known = path.exists()
        if not known:
            await self._expect(f"new ssl cert {path}", "New empty certificate store")
        try:
            # The payload ends with an empty line, so it may contain none.
            text = "\n".join(line for line in pem.splitlines() if line.strip())
            await self._expect(f"set ssl cert {path} <<\n{text}\n", "Transaction")
            await self._expect(f"commit ssl cert {path}", "Success!")
        except HaproxyRefused:
            await self.command(f"abort ssl cert {path}")
            if not known:
                await self.command(f"del ssl cert {path}")
            raise
        write_private(path, pem, lasting=True)
        if str(path) not in self.crt_list.read_text().split():
            await self._expect(f"add ssl crt-list {self.crt_list} {path}", "Success!")
            write_private(self.crt_list, self.crt_list.read_text() + f"{path}\n")

    async def shows(self, name: str, short_fingerprint: str) -> bool:
        """Tell whether HAProxy holds the certificate with this SHA-1 fingerprint under the name, in use."""
        said = await self.command(f"show ssl cert {self.directory / name}.pem")
        return f"SHA1 FingerPrint: {short_fingerprint.upper()}" in said and "Status: Used" in said

    async def certificates_shown(self) -> set[str]:
        """Return the files of the certificates that are shown to somebody."""
        lines = (await self.command(f"show ssl crt-list {self.crt_list}")).splitlines()
        return {line.split()[0] for line in lines if line.startswith("/")}

    async def hide_certificate(self, path: str) -> None:
        """Show a certificate to nobody any more that was never set here."""
        await self._expect(f"del ssl crt-list {self.crt_list} {path}", "deleted")
        await self._expect(f"del ssl cert {path}", "deleted")

    async def remove_certificate(self, name: str) -> None:
        """Show this certificate to nobody any more."""
        path = self.directory / f"{name}.pem"
        await self.command(f"del ssl crt-list {self.crt_list} {path}")
        await self.command(f"del ssl cert {path}")
        kept = [line for line in self.crt_list.read_text().splitlines() if line != str(path)]
        write_private(self.crt_list, "".join(f"{line}\n" for line in kept))
        path.unlink(missing_ok=True)

    async def _expect(self, command: str, answer: str) -> None:
        said = await self.command(command)
        if answer not in said:
            raise HaproxyRefused(said or "no answer")

    async def _expect_silence(self, command: str) -> None:
        said = await self.command(command)
        if said:
            raise HaproxyRefused(said)


def clean(networks: Iterable[str]) -> set[str]:
    """Return networks as HAProxy holds them: each once, without blanks."""
    return {each.strip() for each in networks if each.strip()}


def write_private(path: Path, text: str, *, lasting: bool = False) -> None:
    """Replace a file at once, readable by nobody else; a lasting one is whole after a power cut, too."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        if lasting:
            file.flush()
            os.fsync(file.fileno())
    draft.replace(path)
    if lasting:
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make sure that the names in a directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
