"""A portal for real browsers: a database of its own with the demo in it, a Valkey, and daphne, all gone afterwards."""

import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from portal import embedded

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "strowger-demo"
PATIENCE = 40.0


# No worker runs beside the portal: what an MSP's pages asked for is done when a test says so.
JOBS = """
import sys, django
django.setup()
from portal.core import jobs
from portal.core.models import Job
from portal.db import contexts
from portal.celery import app
from tenants.models import Msp
app.loader.import_default_modules()
with contexts.public():
    msp = Msp.objects.get(slug=sys.argv[1])
with contexts.msp(msp):
    for pk in Job.objects.filter(state="queued", kind=sys.argv[2]).order_by("created_at").values_list("pk", flat=True):
        jobs.run(str(pk))
"""


@dataclass(frozen=True)
class Stage:
    """Where the portal answers."""

    port: int
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def url(self, host: str, path: str = "/") -> str:
        return f"http://{host}.localhost:{self.port}{path}"

    def work(self, msp: str, kind: str) -> None:
        """Do an MSP's jobs of a kind that wait, as the background would."""
        subprocess.run([sys.executable, "-c", JOBS, msp, kind], cwd=ROOT, env=self.environment, check=True, timeout=60)


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Give a portal with the demo's people and telephony, on a free port."""
    home = embedded.default_home(Path("var").resolve()) / f"browser-{secrets.token_hex(4)}"
    port = embedded.free_port()
    embedded.start_postgres(home, test=True)
    try:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATABASE_URL": embedded.url(home),
            "DATABASE_ADMIN_URL": embedded.admin_url(home),
            "REDIS_URL": embedded.start_valkey(home),
            "STROWGER_VAR": str(folder),
            "STROWGER_DEMO": "1",
            "STROWGER_ENGINE": "kamailio",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "SECRET_BOX_KEYS": Fernet.generate_key().decode(),
            "PORTAL_PORT": str(port),
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "WARNING",
        }
        for command in (["upgrade"], ["demo"], ["assets"], ["collectstatic", "--noinput", "--verbosity", "0"]):
            run(environment, *command)
        with portal(environment, port, folder / "portal.log"):
            yield Stage(port, environment)
    finally:
        embedded.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def run(environment: dict[str, str], *command: str) -> None:
    """Do one management command; its words are shown when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"manage.py {command[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


@contextmanager
def portal(environment: dict[str, str], port: int, log: Path) -> Iterator[None]:
    """Serve the pages until the block ends."""
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "portal.asgi:application"]
    with (
        log.open("w") as words,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=words, stderr=words) as server,
    ):
        try:
            wait_for(port, server, log)
            yield
        finally:
            server.terminate()
            server.wait(20)


def wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once the portal answers."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(
                urllib.request.Request(
                    f"http://127.0.0.1:{port}/account/login/", headers={"Host": "console.localhost"}
                ),
                timeout=5,
            )
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"The portal does not answer:\n{log.read_text()[-4000:]}")
