"""SIPp in Microsoft's place: a user agent that is not ours, so that no mistake of ours is made on both sides."""

import os
import subprocess
import time
from pathlib import Path

from tests.bench.sbc import CLIENT, HERE
from tests.system.installation import Installation

# The scenario dials it.
CALLED = "+442079460018"


def call(
    installation: Installation, folder: Path, *, customer: str, caller: str, seconds: float = 0.5, node: str = ""
) -> None:
    """Place one call from Teams over TLS and talk for so long; fails unless every step went as SIPp expects."""
    address, node = f"{installation.network}.8.9", node or f"{installation.network}.5.1"
    config = folder / "teams.cfg"
    proof = installation.var / "lab" / "ca" / "sip.pem"
    config.write_text(CLIENT.format(address=address, node=node, port=5061, pem=proof))
    command = [
        "sipp", "-sf", str(HERE / "teams.xml"), "-t", "t1", "-i", address, "-p", "5071", "-m", "1",
        "-d", str(int(seconds * 1000)), "-key", "customer", customer, "-key", "caller", caller, "-nostdin",
        "-timeout", "30s", "-timeout_error", f"{address}:5060",
    ]  # fmt: skip
    client = subprocess.Popen(["haproxy", "-db", "-f", str(config)])
    try:
        time.sleep(0.5)
        said = subprocess.run(command, cwd=folder, env={**os.environ, "TERM": "dumb"}, capture_output=True, timeout=60)
    finally:
        client.terminate()
        client.wait()
    assert said.returncode == 0, (said.stdout + said.stderr).decode(errors="replace")[-2000:]
