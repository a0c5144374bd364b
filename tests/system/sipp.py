"""SIPp in Microsoft's place: a user agent that is not ours, so that no mistake of ours is made on both sides."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.sbc import CLIENT, HERE
from tests.system.installation import Installation

# The scenario dials it.
CALLED = "+442079460018"


@contextmanager
def calls(
    installation: Installation,
    folder: Path,
    *,
    customer: str,
    caller: str,
    count: int = 1,
    rate: int = 10,
    seconds: float = 0.5,
    node: str = "",
    faultless: bool = True,
) -> Iterator[None]:
    """Place calls from Teams over TLS, `rate` a second, that talk for so long, and wait for their ends after the block.

    A connection that breaks is dialled anew, as Microsoft does. Fails unless each step of each call went as expected;
    where something is killed under them a call may end by its timer (`faultless=False`).
    """
    address, node = f"{installation.network}.8.9", node or f"{installation.network}.5.1"
    config = folder / "teams.cfg"
    proof = installation.var / "lab" / "ca" / "sip.pem"
    config.write_text(CLIENT.format(address=address, node=node, port=5061, pem=proof))
    command = [
        "sipp", "-sf", str(HERE / "teams.xml"), "-t", "t1", "-i", address, "-p", "5071", "-m", str(count),
        "-r", str(rate), "-l", str(count), "-mp", "40000",
        "-max_reconnect", "20", "-reconnect_close", "false", "-reconnect_sleep", "500", "-d", str(int(seconds * 1000)),
        "-key", "customer", customer, "-key", "caller", caller, "-nostdin",
        "-timeout", f"{count / rate + seconds + 30:.0f}s", "-timeout_error", f"{address}:5060",
    ]  # fmt: skip
    client = subprocess.Popen(["haproxy", "-db", "-f", str(config)])
    said = folder / "sipp.log"
    try:
        time.sleep(0.5)
        with said.open("wb") as log:
            process = subprocess.Popen(
                command, cwd=folder, env={**os.environ, "TERM": "dumb"}, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            yield
            process.wait(count / rate + seconds + 60)
        finally:
            process.kill()
            process.wait()
    finally:
        client.terminate()
        client.wait()
    assert process.returncode == 0 or not faultless, said.read_text(errors="replace")[-2000:]


def call(installation: Installation, folder: Path, **how: Any) -> None:
    """Place one call; see `calls`."""
    with calls(installation, folder, **how):
        pass
