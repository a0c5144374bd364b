"""`make run` and its sisters on a machine that has only Python, node and npm: makes the rest, then starts.

    python3 -m portal.run run          everything, until Ctrl-C
    python3 -m portal.run prepare      only what `run` needs; `prepare --tests` what the tests need
    python3 -m portal.run exec …       a command inside the prepared environment

Standard library only: this runs before anything is installed.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
SBC_PACKAGES = {
    "kamailio": "kamailio",
    "rtpengine": "rtpengine-daemon",
    "haproxy": "haproxy",
    "kamailio/tls.so": "kamailio-tls-modules",
    "kamailio/uuid.so": "kamailio-extra-modules",
    "kamailio/db_sqlite.so": "kamailio-sqlite-modules",
}
TEST_PACKAGES = {"sipp": "sip-tester", "chromium": "chromium"}
BACK = "\r\x1b[K"
SERVICES = ("kamailio", "rtpengine-daemon", "haproxy")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin"
# The packages start servers when they are installed: not here, and not at the next boot. Ours are started by us.
INSTALL = """set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > $policy
  chmod 755 $policy
fi
apt-get -qq update
apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install {packages}
[ -d /run/systemd/system ] || exit 0
for unit in {services}; do systemctl disable --now $unit >/dev/null 2>&1 || true; done
"""


class Stop(Exception):
    """The start cannot go on; the message is one line that says why and what to do."""


class Steps:
    """Prints each step as it begins, and how long it took; a quiet one only those in which there is something to do."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self.total, self.number, self.quiet = total, 0, quiet

    def __call__(self, title: str, work: Callable[[Callable[[str], None]], str]) -> None:
        """Do one step; `work` may say how far it is, and returns what came of it."""
        self.number += 1
        head = f"[{self.number}/{self.total}] {title}"
        tty = sys.stdout.isatty()
        began = not self.quiet
        if began:
            print(f"{head} …", end="" if tty else "\n", flush=True)
        started = time.monotonic()

        def say(text: str) -> None:
            nonlocal began
            if tty:
                room = max(20, shutil.get_terminal_size().columns - len(head) - 8)
                print(f"\r\x1b[K{head} … {text[:room]}", end="", flush=True)
            elif not began:
                print(f"{head} …", flush=True)
            began = True

        result = work(say)
        if began:
            print(f"{BACK if tty else ''}{head}: {result} ({time.monotonic() - started:.1f} s)", flush=True)


def prepare(*, tests: bool, engine: str, quiet: bool = False) -> str:
    """Make the environment, the front-end packages and the SBC; return the engine that can be used."""
    steps = Steps(3, quiet=quiet)
    steps("Python environment", _environment)
    steps("Front-end packages", _front_end)
    chosen = [engine]

    def sbc(say: Callable[[str], None]) -> str:
        chosen[0], result = _sbc(say, tests=tests, engine=engine)
        return result

    steps("SBC packages", sbc)
    return chosen[0]


def _environment(say: Callable[[str], None]) -> str:
    if sys.version_info < (3, 11):  # noqa: UP036 whoever starts this may have an older one
        raise Stop(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}.")
    wanted = _digest(ROOT / "requirements.txt")
    stamp = VENV / "requirements.sha256"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return "as it was"
    if not PYTHON.exists():
        say("virtual environment")
        _virtual_environment(say)
    count = 0

    def follow(line: str) -> None:
        nonlocal count
        if line.startswith("Collecting"):
            count += 1
            say(f"{count} packages")
        elif line.startswith("Installing"):
            say("installing")

    _run(
        [
            str(PYTHON),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--progress-bar",
            "off",
            "-r",
            "requirements.txt",
        ],
        follow,
        "pip cannot install requirements.txt",
    )
    stamp.write_text(wanted)
    return f"{count} packages installed" if count else "installed"


def _virtual_environment(say: Callable[[str], None]) -> None:
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    if subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0:
        return
    # Debian's Python comes without the part that makes environments.
    if not shutil.which("apt-get"):
        raise Stop("Python cannot make virtual environments here: install its venv module.")
    _install(["python3-venv"], say)
    _run(command, say, "the virtual environment cannot be made")


def _front_end(say: Callable[[str], None]) -> str:
    lock = ROOT / "package-lock.json"
    if not lock.exists():
        return "none"
    wanted, stamp = _digest(lock), ROOT / "node_modules" / ".lock.sha256"
    if not (stamp.exists() and stamp.read_text() == wanted):
        if not shutil.which("npm"):
            raise Stop("npm is missing: install node and npm (on Debian: apt install npm).")
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], say, "npm ci failed")
        shutil.rmtree(ROOT / "static" / "vendor", ignore_errors=True)
        stamp.write_text(wanted)
        return "installed"
    return "as they were"


def _sbc(say: Callable[[str], None], *, tests: bool, engine: str) -> tuple[str, str]:
    if engine == "memory" and not tests:
        return "memory", "not wanted: the engine is in memory"
    wanted = SBC_PACKAGES | (TEST_PACKAGES if tests else {})
    missing = [package for part, package in wanted.items() if not _has(part)]
    if missing and _may_install(missing):
        _install(missing, say)
        missing = [package for part, package in wanted.items() if not _has(part)]
        return _verdict(missing, f"{len(wanted)} installed")
    return _verdict(missing, "as they were")


def _verdict(missing: list[str], good: str) -> tuple[str, str]:
    if not missing:
        return "kamailio", good
    if os.environ.get("CI") == "true":
        raise Stop(f"These packages are missing, and with CI=true nothing may be left out: {' '.join(missing)}.")
    engine = "memory" if set(missing) & set(SBC_PACKAGES.values()) else "kamailio"
    return (
        engine,
        f"missing ({' '.join(missing)}){': the SBC runs in memory, no real calls' if engine == 'memory' else ''}",
    )


def _has(part: str) -> bool:
    if part.endswith(".so"):
        return any(Path("/usr/lib").glob(f"*/{part.replace('/', '/modules/')}"))
    return shutil.which(part, path=PATH) is not None


def _may_install(packages: list[str]) -> bool:
    if not shutil.which("apt-get") or not _is_debian_12():
        return False
    if os.geteuid() == 0:
        return True
    if not shutil.which("sudo"):
        return False
    if os.environ.get("STROWGER_YES") == "1" or os.environ.get("CI") == "true":
        return True
    refused = ROOT / "var" / "no-sbc-packages"
    if refused.exists() or not sys.stdin.isatty():
        return False
    print(f"\nReal calls need {' '.join(packages)}. Install them by sudo apt-get? [Y/n] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() in ("", "y", "yes"):
        return True
    refused.parent.mkdir(exist_ok=True)
    refused.write_text("Remove this file to be asked again.\n")
    return False


def _is_debian_12() -> bool:
    try:
        facts = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    except OSError:
        return False
    return facts.get("ID", "").strip('"') == "debian" and facts.get("VERSION_ID", "").strip('"') == "12"


def _install(packages: list[str], say: Callable[[str], None]) -> None:
    script = INSTALL.format(packages=" ".join(packages), services=" ".join(SERVICES))
    say("apt-get install")
    _run(
        [*([] if os.geteuid() == 0 else ["sudo"]), "sh", "-c", script],
        say,
        f"apt-get cannot install {' '.join(packages)}",
    )


def _run(command: list[str], follow: Callable[[str], None], trouble: str) -> None:
    lines: list[str] = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          text=True, errors="replace") as process:  # fmt: skip
        for line in process.stdout or ():
            if line.strip():
                lines.append(line.strip())
                follow(line.strip())
    if process.returncode:
        errors = [line for line in lines if "rror" in line] or lines
        raise Stop(f"{trouble}: {errors[-1] if errors else process.returncode}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Prepare, and go over to what was asked for."""
    parser = argparse.ArgumentParser(prog="python3 -m portal.run")
    parser.add_argument(
        "--engine", choices=("kamailio", "memory"), default=os.environ.get("STROWGER_ENGINE", "kamailio")
    )
    parser.add_argument("--tests", action="store_true", help="also what the tests need")
    parser.add_argument("what", choices=("run", "prepare", "exec"))
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        engine = prepare(tests=options.tests, engine=options.engine, quiet=options.what == "exec")
    except Stop as stop:
        sys.exit(f"\n{stop}")
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
    if options.what == "prepare":
        return
    environment = {**os.environ, "STROWGER_ENGINE": engine, "PATH": f"{VENV / 'bin'}:{PATH}"}
    command = options.rest if options.what == "exec" else [str(PYTHON), "-m", "portal.launch", *options.rest]
    os.chdir(ROOT)
    os.execvpe(command[0], command, environment)


if __name__ == "__main__":
    main()
