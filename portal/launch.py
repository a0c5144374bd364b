"""Everything of one machine under one supervisor: servers, portal, workers, one SBC node, the lab (`make run`)."""

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psycopg
from cryptography.fernet import Fernet

from portal import embedded
from portal.run import ROOT, Steps, Stop
from portal.supervisor import Program, Supervisor
from portal.ui import vendor
from sbc.node.settings import NodeSettings

VAR = Path(os.environ.get("STROWGER_VAR", str(ROOT / "var")))
PORTAL = int(os.environ.get("PORTAL_PORT") or 8000)
NODES = int(os.environ.get("NODES_PORT") or 8001)
ENVIRONMENT = VAR / "run" / "environment.json"
# Where the node and the lab of the demo listen, beside the portal's own ports.
LAB = os.environ.get("STROWGER_LAB_NETWORK") or "127.0"
Place = tuple[int, str, int]
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
PATIENCE = 60.0


def main() -> None:
    """Start everything, say where it is, and stay until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make run")
    parser.add_argument("--calm", action="store_true", help="the lab places no calls by itself")
    parser.add_argument("--no-lab", action="store_true", help="no fake Microsoft, no fake carriers, no traffic")
    options = parser.parse_args()
    try:
        _start(lab=not options.no_lab, calm=options.calm)
    except (Stop, embedded.ServerError) as trouble:
        sys.exit(f"\n{trouble}")


def _start(*, lab: bool, calm: bool) -> None:
    engine = os.environ.get("STROWGER_ENGINE", "kamailio")
    home = embedded.default_home(VAR)
    VAR.mkdir(parents=True, exist_ok=True)
    (VAR / "run").mkdir(mode=0o700, exist_ok=True)
    _refuse_busy_ports(_listening(engine, lab=lab))
    environment = _environment(engine)
    supervisor = Supervisor(VAR / "log", environment)
    steps = Steps(5)
    try:
        steps("PostgreSQL", lambda say: _postgres(supervisor, environment, home))
        steps("Valkey", lambda say: _valkey(supervisor, environment, home))
        _write_private(ENVIRONMENT, json.dumps({name: environment[name] for name in KEPT if name in environment}))
        steps("Database", lambda say: _manage(environment, say, "upgrade"))
        demo = VAR / "demo"
        steps("Demo data", lambda say: _demo(environment, say, demo))
        steps("Pages' files", lambda say: _static(environment, say))
        # From here on children are on their own: none of them makes roles.
        environment.pop("DATABASE_ADMIN_URL", None)
        for program in _portal():
            supervisor.start(program)
        _wait_for(supervisor, lambda: _page_answers() and embedded.listens(NODES), "the portal")
        for program in _sbc(demo, engine, lab=lab, calm=calm):
            supervisor.start(program)
            if program.name == "lab":
                # The node proves itself with what the lab's authority issues.
                _wait_for(supervisor, (VAR / "lab" / "ca" / "sbc.pem").exists, "the lab", program)
        if not supervisor.stopping:
            _welcome(demo, engine)
        supervisor.run()
    finally:
        supervisor.stop()
        ENVIRONMENT.unlink(missing_ok=True)
    print("Stopped.")


# One worker alone has nobody to talk to. As root Celery warns of what nobody here can send: pickles.
CALM = ("--without-gossip", "--without-mingle", "--without-heartbeat")
QUIET = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}
KEPT = (
    "DATABASE_URL",
    "DATABASE_ADMIN_URL",
    "REDIS_URL",
    "STROWGER_DEMO",
    "STROWGER_ENGINE",
    "STROWGER_VAR",
    "SECRET_KEY",
)


def _environment(engine: str) -> dict[str, str]:
    for name, made in (("secret-key", secrets.token_urlsafe(50)), ("secret-box-keys", Fernet.generate_key().decode())):
        if not (VAR / name).exists():
            _write_private(VAR / name, made)
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "STROWGER_DEMO": os.environ.get("STROWGER_DEMO", "1"),
        "STROWGER_ENGINE": engine,
        "STROWGER_VAR": str(VAR),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }


def _postgres(supervisor: Supervisor, environment: dict[str, str], home: Path) -> str:
    if url := os.environ.get("DATABASE_URL"):
        try:
            embedded.check_version(url)
        except psycopg.OperationalError as error:
            raise Stop(f"DATABASE_URL does not answer: {str(error).strip().splitlines()[0]}")
        return "yours (DATABASE_URL)"
    program = _ground(supervisor, "postgres", home)
    environment["DATABASE_URL"] = embedded.url(home)
    environment["DATABASE_ADMIN_URL"] = embedded.admin_url(home)
    _wait_for(supervisor, lambda: _connects(environment["DATABASE_URL"]), "PostgreSQL", program)
    return f"started, data in {home / 'postgres'}"


def _valkey(supervisor: Supervisor, environment: dict[str, str], home: Path) -> str:
    if os.environ.get("REDIS_URL"):
        return "yours (REDIS_URL)"
    port, password = embedded.free_port(), secrets.token_urlsafe(24)
    program = _ground(supervisor, "valkey", home, "--port", str(port), VALKEY_PASSWORD=password)
    environment["REDIS_URL"] = f"redis://:{password}@127.0.0.1:{port}/0"
    _wait_for(supervisor, lambda: embedded.listens(port), "Valkey", program)
    return f"started on 127.0.0.1:{port}"


def _ground(supervisor: Supervisor, name: str, home: Path, *rest: str, **environment: str) -> Program:
    command = [sys.executable, "-m", "portal.embedded", name, "--data", str(home), "--quiet", *rest]
    return supervisor.start(Program(name, command, environment, ground=True, patience=25))


def _demo(environment: dict[str, str], say: Callable[[str], None], folder: Path) -> str:
    if not (ROOT / "sbc" / "management" / "commands" / "demo.py").exists():
        return "none"
    folder.mkdir(mode=0o700, exist_ok=True)
    return _manage(environment, say, "demo", "--dir", str(folder))


def _static(environment: dict[str, str], say: Callable[[str], None]) -> str:
    if (ROOT / "node_modules").is_dir() and not vendor.is_current(ROOT):
        _manage(environment, say, "assets")
    now = str(sorted((str(p), p.stat().st_mtime_ns) for p in (ROOT / "static").rglob("*") if p.is_file()))
    stamp = VAR / "run" / "static"
    if stamp.exists() and stamp.read_text() == now and (VAR / "staticfiles").is_dir():
        return "as they were"
    result = _manage(environment, say, "collectstatic", "--noinput", "--clear", "--verbosity", "0") or "collected"
    stamp.write_text(now)
    return result


def _manage(environment: dict[str, str], say: Callable[[str], None], *command: str) -> str:
    lines: list[str] = []
    with subprocess.Popen([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # fmt: skip
        for line in process.stdout or ():
            if line.strip():
                lines.append(line.rstrip())
                say(line.strip())
    if process.returncode:
        raise Stop("\n".join(["", *lines[-12:], f"manage.py {command[0]} failed."]))
    return lines[-1].strip() if lines else "done"


def _portal() -> list[Program]:
    python = sys.executable
    daphne = [python, "-m", "daphne", "--no-server-name", "-b", os.environ.get("PORTAL_BIND", "127.0.0.1"),
              "--access-log", str(VAR / "log" / "access.log")]  # fmt: skip
    celery = [python, "-m", "celery", "-A", "portal.celery"]
    return [
        Program("portal", [*daphne, "-p", str(PORTAL), "portal.asgi:application"]),
        Program("nodes", [*daphne, "-p", str(NODES), "portal.asgi_nodes:application"]),
        Program("sbc", [python, "manage.py", "runworker", "sbc", "--layer", "workers"]),
        Program(
            "worker",
            [*celery, "-q", "worker", "--concurrency", "2", "--loglevel", "WARNING", *CALM],
            QUIET,
            patience=15,
        ),
        Program("beat", [*celery, "-q", "beat", "--schedule", str(VAR / "run" / "beat"), "--loglevel", "WARNING"]),
    ]


def _sbc(demo: Path, engine: str, *, lab: bool, calm: bool) -> list[Program]:
    programs, python = [], sys.executable
    scenario, token = demo / "scenario.json", demo / "node.token"
    folder = embedded.default_home(VAR)
    if lab and engine == "kamailio" and scenario.exists():
        command = [python, "-m", "lab", "--dir", str(VAR / "lab"), "--scenario", str(scenario), "--network", LAB]
        programs.append(Program("lab", command if calm else [*command, "--traffic"]))
    if token.exists():
        settings = demo / "node.json"
        _write_private(settings, json.dumps(_node(demo, folder / "node", engine, token), indent=1))
        programs.append(Program("node", [python, "-m", "sbc.node", "--settings", str(settings)], patience=20))
    return programs


def _node(demo: Path, folder: Path, engine: str, token: Path) -> dict[str, str]:
    name = demo / "node.name"
    settings = {
        "portal": f"ws://127.0.0.1:{NODES}/node/v1/",
        "node": name.read_text().strip() if name.exists() else "lab-1",
        "token_file": str(token),
        "engine": engine,
        "directory": str(folder),
    }
    certificates = VAR / "lab" / "ca"
    if engine == "kamailio":
        settings |= {
            "address": f"{LAB}.5.1",
            "inside": f"{LAB}.5.1",
            "certificate": str(certificates / "sbc.pem"),
            "microsoft_roots": str(certificates / "microsoft-root.pem"),
        }
    return settings


def _welcome(demo: Path, engine: str) -> None:
    ready = demo / "ready.json"
    places = json.loads(ready.read_text()) if ready.exists() else [{"who": "Operator", "host": "console.localhost"}]
    print()
    if engine == "memory":
        print("The SBC runs in memory: pages work, no real calls are carried.\n")
    widths = [max(len(place.get(part, "")) for place in places) for part in ("who", "login")]
    for place in places:
        if place.get("login"):
            print(f"  {place['who']:<{widths[0]}}  {place['login']:<{widths[1]}}  {place.get('password', '')}")
    print()
    for host in dict.fromkeys(place["host"] for place in places):
        print(f"ready: http://{host}:{PORTAL}/")
    print("Ctrl-C stops everything.\n", flush=True)


def _page_answers() -> bool:
    # Python does not resolve *.localhost; browsers do. A page that refuses us is an answer, too.
    request = urllib.request.Request(f"http://127.0.0.1:{PORTAL}/", headers={"Host": f"console.localhost:{PORTAL}"})
    try:
        with urllib.request.urlopen(request, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _wait_for(supervisor: Supervisor, ready: Callable[[], bool], name: str, program: Program | None = None) -> None:
    until = time.monotonic() + PATIENCE
    while not supervisor.stopping and not ready():
        supervisor.work(0.1)
        if program and program.again_at is not None:
            raise Stop(f"{name} cannot start: {program.last_line}")
        if time.monotonic() > until:
            raise Stop(f"{name} does not answer after {PATIENCE:.0f} s; look in {VAR / 'log'}.")


def _listening(engine: str, *, lab: bool) -> list[Place]:
    """Return what the programs that are about to start will listen on, media apart."""
    places: list[Place] = [(TCP, "127.0.0.1", PORTAL), (TCP, "127.0.0.1", NODES)]
    if engine == "kamailio":
        node = NodeSettings(address=f"{LAB}.5.1", inside=f"{LAB}.5.1")
        inside = (node.proxied_port, node.proxied_carrier_port, node.rpc_port, node.tls_port)
        places += [(kind, node.address, node.carrier_port) for kind in (TCP, UDP)]
        places += [(TCP, node.address, node.microsoft_port), (UDP, node.inside, node.ng_port)]
        places += [(TCP, node.inside, port) for port in inside]
        if lab:
            places += [(TCP, f"{LAB}.8.{number}", 5061) for number in (1, 2, 3)]
            places += [(kind, f"{LAB}.9.{number}", 5060) for kind in (TCP, UDP) for number in (1, 2)]
    return places


def _refuse_busy_ports(places: list[Place]) -> None:
    for kind, host, port in places:
        with socket.socket(type=kind) as probe:
            # What was closed a moment ago may still linger. With it two that listen on UDP would share the packets.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == TCP))
            try:
                probe.bind((host, port))
            except PermissionError:
                raise Stop(f"No permission to listen on {host}:{port}.")
            except OSError:
                hint = ", or set PORTAL_PORT or NODES_PORT" if port in (PORTAL, NODES) else ""
                by = " (UDP)" if kind == UDP else ""
                raise Stop(f"Port {port}{by} of {host} is in use: stop what listens there{hint}.")


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


if __name__ == "__main__":
    main()
