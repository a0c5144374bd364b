"""`python -m sbc.node --settings node.json`: run one node until SIGTERM or SIGINT.

SIGHUP ends the node process alone: calls go on, and the next one adopts Kamailio. SIGUSR1 restarts Kamailio as planned.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import fcntl
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import IO, Any, get_type_hints

from sbc.node.daemons import DataPlane
from sbc.node.engines.base import Engine
from sbc.node.engines.memory import MemoryEngine
from sbc.node.link import LinkSettings
from sbc.node.process import Daemons, Files, NodeProcess
from sbc.node.settings import NodeSettings
from sbc.node.supervisor import Supervisor


class BadSettings(Exception):
    """The settings cannot be used; says which one and why."""


def read_settings(arguments: argparse.Namespace) -> tuple[NodeSettings, LinkSettings, str]:
    """Join the settings file and the flags; give the node's, the line's, and the engine's name."""
    said: dict[str, Any] = {}
    if arguments.settings:
        try:
            said = json.loads(arguments.settings.read_text())
        except (OSError, ValueError) as error:
            raise BadSettings(f"{arguments.settings}: {error}") from None
        if not isinstance(said, dict):
            raise BadSettings(f"{arguments.settings}: not an object")
    for name in ("portal", "node", "engine", "directory"):
        if getattr(arguments, name) is not None:
            said[name] = getattr(arguments, name)
    token_file = arguments.token_file or said.pop("token_file", None)
    token = os.environ.get("STROWGER_NODE_TOKEN") or said.pop("token", "")
    if token_file:
        try:
            token = Path(token_file).read_text().strip()
        except OSError as error:
            raise BadSettings(f"the token file: {error}") from None
    portal, node = said.pop("portal", ""), said.pop("node", "")
    engine = said.pop("engine", "kamailio")
    said.pop("token", None)
    for name, value in (("portal", portal), ("node", node), ("a token", token)):
        if not value:
            raise BadSettings(f"{name} is missing")
    if engine not in ("kamailio", "memory"):
        raise BadSettings(f"there is no engine {engine!r}")
    roots = said.pop("portal_roots", "")
    settings = _node_settings(said)
    link = LinkSettings(
        portal,
        token,
        node,
        token_file=Path(token_file) if token_file else None,
        addresses=settings.own_addresses,
        roots=Path(roots) if roots else None,
    )
    _check_roots(link)
    return settings, link, engine


def _check_roots(link: LinkSettings) -> None:
    if link.roots and not link.portal.startswith("wss:"):
        raise BadSettings("portal_roots: the portal is not dialled by wss://")
    try:
        link.trust()
    except OSError as error:
        raise BadSettings(f"portal_roots {link.roots}: {error}") from None


def alone(directory: Path) -> IO[str]:
    """Keep a second node process out of this directory for as long as the file is open."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (directory / "node.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BadSettings(f"another node process runs in {directory}") from None
    return lock


def build(node: NodeSettings, link: LinkSettings, engine: str) -> NodeProcess:
    """Put one node together."""
    chosen: Engine = MemoryEngine()
    daemons: Daemons | None = None
    if engine == "kamailio":
        plane = DataPlane(node)
        chosen, daemons = plane.engine, Supervisor(plane)
    return NodeProcess(Files(node.directory, node.records), link, chosen, daemons, is_own=node.is_own)


async def main(process: NodeProcess) -> None:
    """Run the node until it is asked to stop."""
    task = asyncio.create_task(process.run())
    loop = asyncio.get_running_loop()
    restarts: set[asyncio.Task[None]] = set()

    def leave() -> None:
        process.leave_daemons = True
        task.cancel()

    def restart() -> None:
        restarts.add(restarting := asyncio.create_task(process.restart_kamailio()))
        restarting.add_done_callback(restarts.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    loop.add_signal_handler(signal.SIGHUP, leave)
    loop.add_signal_handler(signal.SIGUSR1, restart)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _node_settings(said: dict[str, Any]) -> NodeSettings:
    hints = get_type_hints(NodeSettings)
    names = {field.name for field in dataclasses.fields(NodeSettings)}
    values: dict[str, Any] = {}
    for name, value in said.items():
        if name not in names:
            raise BadSettings(f"there is no setting {name!r}")
        hint = hints[name]
        values[name] = Path(value) if hint is Path else tuple(value) if isinstance(value, list) else value
        if hint in (int, str, bool) and type(value) is not hint:
            raise BadSettings(f"{name}: expected {hint.__name__}, got {value!r}")
    return NodeSettings(**values)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sbc.node", description=__doc__)
    parser.add_argument(
        "--settings", type=Path, help="JSON file: portal, portal_roots, node, token_file, engine, and NodeSettings"
    )
    parser.add_argument("--portal", help="ws://… or wss://… address of the portal's node endpoint")
    parser.add_argument("--node", help="this node's name")
    parser.add_argument("--token-file", help="file with this node's token")
    parser.add_argument("--directory", help="where the node keeps its files")
    parser.add_argument("--engine", choices=("kamailio", "memory"))
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("websockets").setLevel(logging.WARNING)
    try:
        settings = read_settings(_arguments())
        lock = alone(settings[0].directory)
    except (BadSettings, OSError) as error:
        sys.exit(f"sbc.node: {error}")
    # Record lines are read in a thread; an apply must not wait 5 ms for its turn at each step.
    sys.setswitchinterval(0.0005)
    with lock:
        asyncio.run(main(build(*settings)))
