"""Kamailio, rtpengine and HAProxy of one node: configured, started, proven, stopped.

They outlive the node process on purpose: when that is killed, calls go on, and its successor adopts what runs.
"""

import asyncio
import base64
import json
import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sbc.node import options
from sbc.node.engines.base import DERIVED_TABLES, FLEETING_TABLES, TABLES, EngineDown, Row
from sbc.node.engines.kamailio import KamailioEngine
from sbc.node.haproxy import HaproxyAdmin, write_private
from sbc.node.rtpengine import Rtpengine
from sbc.node.settings import NodeSettings

TEMPLATES = Path(__file__).parent / "etc"
MODULES = ("/usr/lib/x86_64-linux-gnu/kamailio/modules", "/usr/lib/aarch64-linux-gnu/kamailio/modules")
SCHEMAS = Path("/usr/share/kamailio/db_sqlite")
NAMES = "ad"  # where the names of trunks lead: no row of anybody's
BOOT_TABLES = (*(table for table in (*TABLES, *DERIVED_TABLES) if table not in FLEETING_TABLES), NAMES)


class NotProven(Exception):
    """Something of the node does not run as it should; the text says what and how it was seen."""


class Daemon:
    """One program that runs beside the node process."""

    def __init__(self, name: str, command: list[str], run: Path) -> None:
        self.name = name
        self.command = command
        self.run = run
        self.pid_file = run / f"{name}.pid"
        self.log = run / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return the process id while the program runs, whoever started it."""
        if self._child is not None:
            return self._child.pid if self._child.poll() is None else None
        try:
            pid = int(self.pid_file.read_text())
            said = Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
        except (OSError, ValueError):
            return None
        # A recycled process id is somebody else's.
        return pid if said[1:] == self.command[1:] else None

    @property
    def ended_well(self) -> bool:
        """Return whether the program that we started has ended by itself or by SIGTERM, having put its things away."""
        return self._child is not None and self._child.poll() == 0

    def start(self) -> None:
        """Start the program, unless one of an earlier node process still runs."""
        if self.pid is not None:
            return
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 (the command is ours)
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.pid_file.write_text(str(self._child.pid))

    async def stop(self, patience: float = 10.0) -> None:
        """End the program politely, then not."""
        for sign, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
            if (pid := self.pid) is None:
                break
            os.killpg(pid, sign)
            deadline = time.monotonic() + wait
            while self.pid is not None and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
        self._child = None
        self.pid_file.unlink(missing_ok=True)

    def last_words(self) -> str:
        """Return the end of the program's log, for an error message."""
        try:
            return self.log.read_text(errors="replace")[-1500:].strip()
        except OSError:
            return ""


class DataPlane:
    """Everything of one node that carries calls. `start` returns when each part has been proven."""

    def __init__(self, settings: NodeSettings) -> None:
        self.settings = settings
        s = settings
        self.kamailio_cfg = s.run / "kamailio.cfg"
        self.haproxy_cfg = s.run / "haproxy.cfg"
        self.certificates = s.directory / "tls" / "microsoft"
        self.given = s.directory / "tls" / "given.pem"  # by the portal
        self.dialled = s.directory / "tls" / "dialled.pem"  # what Kamailio has read
        self.haproxy = HaproxyAdmin(
            s.haproxy_socket, self.certificates, s.run / "microsoft_networks.lst", s.run / "microsoft.crtlist"
        )
        self.engine = KamailioEngine(s, self.haproxy)
        self.rtpengine = Rtpengine(s.inside, s.ng_port)
        memory = ["-m", str(s.shared_memory_mb), "-M", str(s.private_memory_mb), "-x", "fm", "-X", "fm"]
        # Its own choice, /run/kamailio, is gone when Debian's service is off, and no service user can make it.
        self._kamailio = [s.kamailio, "-E", "-f", str(self.kamailio_cfg), "-Y", str(s.run)]
        self.daemons = {
            "rtpengine": Daemon("rtpengine", self._rtpengine_command(), s.run),
            "kamailio": Daemon("kamailio", [*self._kamailio, "-DD", *memory, "-w", str(s.run)], s.run),
            "haproxy": Daemon("haproxy", [s.haproxy, "-db", "-f", str(self.haproxy_cfg)], s.run),
        }

    @property
    def certificate(self) -> Path:
        """Return the PEM that this node should present: what the portal gave, or what was put on its disk by hand."""
        return self.given if self.given.exists() else self.settings.certificate

    async def start(self, rows: Iterable[Row] = ()) -> None:
        """Bring everything up with these rows and prove it; what still runs is adopted with the rows that it has."""
        rows = list(rows)
        if not self.certificate.exists() and any(each.pid is None for each in self.daemons.values()):
            raise NotProven(
                "it has no certificate yet: add one in the console, under Certificates "
                f"({self.certificate} is not there)"
            )
        self.write_files(rows)
        for name in ("rtpengine", "kamailio", "haproxy"):
            if name == "kamailio" and self.daemons[name].pid is None:
                await self._check_kamailio()
            self.daemons[name].start()
        await self.prove()

    async def restart_kamailio(self, rows: Iterable[Row]) -> None:
        """Start Kamailio anew with these rows; running calls survive a planned restart."""
        write_private(self.dialled, self.certificate.read_text())
        await self.daemons["kamailio"].stop()
        self._write_boot_database(rows)
        self.daemons["kamailio"].start()
        await self.prove()

    async def stop(self) -> None:
        """Stop everything that this node runs."""
        await self.engine.close()
        for name in ("haproxy", "kamailio", "rtpengine"):
            await self.daemons[name].stop()

    def write_files(self, rows: list[Row]) -> None:
        """Write configuration, keys of our own and the rows that Kamailio loads when it starts."""
        s = self.settings
        for directory in (s.directory, s.run, s.records, s.secrets, self.certificates):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        networks = next((value for table, key, value in rows if (table, key) == ("rg", "msnets")), "")
        write_private(
            self.haproxy.networks, "".join(f"{each.strip()}\n" for each in networks.split(",") if each.strip())
        )
        if self.daemons["haproxy"].pid is None:
            write_private(self.haproxy.own, self.certificate.read_text())
        listed = [self.haproxy.own, *sorted(self.certificates.glob("*.pem"))]
        write_private(self.haproxy.crt_list, "".join(f"{path}\n" for path in dict.fromkeys(listed)))
        values = self._values()
        write_private(self.kamailio_cfg, fill("kamailio", values))
        write_private(self.haproxy_cfg, fill("haproxy.cfg", values))
        write_private(Path(values["LUA"]), fill("microsoft_peer.lua", values))
        write_private(
            Path(values["TLS_CONFIG"]),
            "".join(
                f"[{side}:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\n"
                f"private_key = {self.dialled}\ncertificate = {self.dialled}\nca_list = {s.microsoft_roots}\n"
                for side in ("server", "client")
            ),
        )
        if self.daemons["kamailio"].pid is None:
            write_private(self.dialled, self.certificate.read_text())
            self._write_boot_database(rows)

    async def prove(self, patience: float = 15.0) -> None:
        """Return when every listener answers; raise NotProven with what is wrong when patience is over."""
        deadline = time.monotonic() + patience
        while True:
            try:
                for name, daemon in self.daemons.items():
                    if daemon.pid is None:
                        raise NotProven(f"{name} ended: {daemon.last_words()}")
                await self.engine.prove()
                await asyncio.to_thread(self._prove_once)
                return
            except (NotProven, EngineDown, OSError) as trouble:
                over = any(daemon.pid is None for daemon in self.daemons.values())
                if over or time.monotonic() > deadline:
                    raise trouble if isinstance(trouble, NotProven) else NotProven(str(trouble)) from trouble
                await asyncio.sleep(0.02)

    def _prove_once(self) -> None:
        s = self.settings
        doors = [(s.address, s.microsoft_port, "Microsoft"), (s.address, s.carrier_port, "carriers over TCP")]
        inside = [s.proxied_port, s.proxied_carrier_port, s.tls_port, s.rpc_port]
        doors += [(s.inside, port, "Kamailio inside") for port in inside]
        for address, port, name in doors:
            try:
                socket.create_connection((address, port), 1).close()
            except OSError as error:
                raise NotProven(f"nobody listens on {address}:{port} ({name})") from error
        if not self.rtpengine.pongs():
            raise NotProven(f"rtpengine does not answer on {s.inside}:{s.ng_port}")
        if not options.is_answered(s):
            raise NotProven(f"no answer to OPTIONS on {s.address}:{s.carrier_port}")

    async def _check_kamailio(self) -> None:
        check = await asyncio.create_subprocess_exec(
            *self._kamailio, "-c", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await check.communicate()
        if check.returncode != 0:
            raise NotProven(f"kamailio -c: {said.decode(errors='replace')[-3000:]}")

    def _rtpengine_command(self) -> list[str]:
        s = self.settings
        return [
            s.rtpengine,
            "--config-file=none",
            "--foreground",
            "--table=-1",
            "--log-stderr",
            "--log-level=3",
            f"--interface={s.address}",
            f"--listen-ng={s.inside}:{s.ng_port}",
            f"--port-min={s.media_low}",
            f"--port-max={s.media_high}",
            f"--timeout={s.media_silence}",
            f"--silent-timeout={s.media_silence_on_hold}",
            "--delete-delay=0",  # ports of ended calls are free at once
            "--num-threads=2",
        ]

    def _values(self) -> dict[str, str]:
        s = self.settings
        modules = next((path for path in MODULES if Path(path).is_dir()), MODULES[0])
        return {
            "ADDRESS": s.address,
            "INSIDE": s.inside,
            "ON_LOOPBACK": "1" if s.on_loopback else "0",
            "MICROSOFT_PORT": str(s.microsoft_port),
            "CARRIER_PORT": str(s.carrier_port),
            "PROXIED_PORT": str(s.proxied_port),
            "PROXIED_CARRIER_PORT": str(s.proxied_carrier_port),
            "RPC_PORT": str(s.rpc_port),
            "TLS_PORT": str(s.tls_port),
            "NG_PORT": str(s.ng_port),
            "UDP_WORKERS": str(s.udp_workers),
            "PROXIED_WORKERS": str(s.proxied_workers),
            "TABLE_BITS": str(s.table_bits),
            "DOWN_FOR": str(s.down_for),
            "RING_FOR_MS": str(s.ring_for * 1000),
            "HELP_RINGS_IN_MS": str(s.help_rings_in * 1000),
            "MAX_INV_MS": str(s.ring_for * 1000 + 60_000),
            "EARLY_TIMEOUT": str(s.ring_for + 60),
            "LONGEST_CALL": str(s.longest_call),
            "TRUNK_SILENCE_MS": str(int(s.trunk_silence * 1000)),
            "MICROSOFT_SILENCE_MS": str(int(s.microsoft_silence * 1000)),
            "NODE_CPS": str(s.node_cps),
            "NODE_CHANNELS": str(s.most_calls),
            "MICROSOFT_EVERY": str(s.microsoft_options_every),
            "TRUNK_EVERY": str(s.trunk_options_every),
            "PROBE_MISSES": str(s.probe_misses),
            "MODULES": modules,
            "RPC_SOCKET": str(s.rpc_socket),
            "BOOT_DATABASE": str(s.boot_database),
            "DIALOG_DATABASE": str(s.dialog_database),
            "RECORDS": str(s.records),
            "TLS_CONFIG": str(s.run / "tls.cfg"),
            "SECRET": own_secret(s, "token"),
            "VEIL": base64.b64encode(bytes.fromhex(own_secret(s, "veil"))).decode().rstrip("="),
            "RPC_KEY": own_secret(s, "rpc"),
            "HAPROXY_SOCKET": str(s.haproxy_socket),
            "LUA": str(s.run / "microsoft_peer.lua"),
            "CRT_LIST": str(self.haproxy.crt_list),
            "NETWORKS": str(self.haproxy.networks),
            "MICROSOFT_ROOTS": str(s.microsoft_roots),
            # A common name may be anything, so that it must be a name as a whole.
            "MICROSOFT_NAMES_RE": "^([A-Za-z0-9*-]+[.])*(" + "|".join(map(_pattern, s.microsoft_names)) + ")$",
            "MICROSOFT_NAMES": ", ".join(f'"{name}"' for name in s.microsoft_names),
        }

    def _write_boot_database(self, rows: Iterable[Row]) -> None:
        """Put the rows where Kamailio's hash tables load them from: 100,000 take it 0.13 s."""
        s = self.settings
        draft = s.boot_database.with_suffix(".new")
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600))
        by_table: dict[str, list[tuple[str, str]]] = {table: [] for table in BOOT_TABLES}
        for table, key, value in rows:
            if table in by_table:
                by_table[table].append((key, value))
        with suppress(OSError, ValueError, AttributeError):
            by_table[NAMES] = list(json.loads(s.names.read_text()).items())
        database = sqlite3.connect(draft, isolation_level=None)
        try:
            database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;" + VERSION_TABLE)
            for table, pairs in by_table.items():
                database.execute(HTABLE.format(table=table))
                database.execute("INSERT INTO version VALUES (?, 2)", (table,))
                database.executemany(f"INSERT INTO {table} (key_name, key_value) VALUES (?, ?)", pairs)  # noqa: S608
            database.execute("COMMIT")
        finally:
            database.close()
        draft.replace(s.boot_database)
        if not s.dialog_database.exists():
            with sqlite3.connect(s.dialog_database) as dialogs:
                for part in ("standard", "dialog"):
                    dialogs.executescript((SCHEMAS / f"{part}-create.sql").read_text())
            dialogs.close()
            s.dialog_database.chmod(0o600)


VERSION_TABLE = "CREATE TABLE version (table_name TEXT PRIMARY KEY, table_version INTEGER NOT NULL);"
HTABLE = """CREATE TABLE {table} (id INTEGER PRIMARY KEY, key_name TEXT NOT NULL, key_type INTEGER NOT NULL DEFAULT 0,
    value_type INTEGER NOT NULL DEFAULT 0, key_value TEXT NOT NULL, expires INTEGER NOT NULL DEFAULT 0)"""


def fill(template: str, values: dict[str, str]) -> str:
    """Return a template (a file, or a folder of parts) with this machine's values; customers' text is never one."""
    for name, value in values.items():
        if not re.fullmatch(r"[\w./:, \"@*^$()|+\[\]-]*", value):
            raise NotProven(f"{name} may not be {value!r}")
    parts = sorted((TEMPLATES / template).glob("*.cfg")) or [TEMPLATES / template]
    text = "\n".join(part.read_text() for part in parts)
    return re.sub(r"@([A-Z][A-Z_]+)@", lambda match: values[match[1]], text)


def own_secret(settings: NodeSettings, name: str) -> str:
    """Return a key that this node made for itself and keeps over restarts."""
    path = settings.secrets / f"{name}.key"
    if not path.exists():
        write_private(path, secrets.token_hex(16))
    return path.read_text()


def _pattern(name: str) -> str:
    return "".join(f"[{each}{each.upper()}]" if each.isalpha() else f"[{each}]" for each in name.lower())
