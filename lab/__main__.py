"""Run the lab until it is told to stop."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from lab import ca
from lab.control import Control
from lab.exchange import Lab
from lab.scenario import Scenario
from lab.settings import LabSettings
from lab.traffic import Traffic

log = logging.getLogger(__name__)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    usual = LabSettings()
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("--dir", type=Path, default=usual.folder, help="folder for certificates and the control socket")
    parser.add_argument("--scenario", type=Path, required=True, help="JSON file with bases, customers and carriers")
    parser.add_argument("--traffic", action="store_true", help="place a few calls a minute")
    parser.add_argument("--network", default="127.0", help="the first two numbers of every address in the lab")
    parser.add_argument("--sbc", type=_address, help="the SBC's address towards Microsoft (default: NETWORK.5.1:5061)")
    parser.add_argument("--sbc-carrier-side", type=_address, help="(default: NETWORK.5.1:5060)")
    parser.add_argument("--microsoft-port", type=int, default=usual.microsoft_port)
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args(arguments)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


async def run(options: argparse.Namespace) -> int:
    """Run the lab; returns the exit status."""
    settings = LabSettings(
        folder=options.dir,
        microsoft=tuple((name, f"{options.network}.8.{index}") for index, name in enumerate(ca.MICROSOFT_NAMES, 1)),
        sbc=options.sbc or (f"{options.network}.5.1", 5061),
        sbc_carrier_side=options.sbc_carrier_side or (f"{options.network}.5.1", 5060),
        microsoft_port=options.microsoft_port,
        seed=options.seed,
        # Traffic for the eye needs no fifty packets a second.
        packet_ms=60 if options.traffic else 20,
    )
    scenario = Scenario.read(options.scenario)
    ca.build(settings.certificates, scenario.bases)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    lab = Lab(settings, scenario)
    control = Control(lab, settings.control_path)
    try:
        await lab.start()
        await control.start()
    except OSError as error:
        print(f"The lab cannot start: {error}", file=sys.stderr)
        await lab.close()
        return 1
    works = [asyncio.create_task(_follow(lab, options.scenario))]
    if options.traffic:
        works.append(asyncio.create_task(Traffic(lab, options.seed).run()))
    print(
        f"lab ready: {len(scenario.customers)} customers, {len(scenario.carriers)} carriers, {settings.control_path}",
        flush=True,
    )
    await stop.wait()
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)
    await control.close()
    await lab.close()
    return 0


async def _follow(lab: Lab, path: Path) -> None:
    seen = path.stat().st_mtime_ns
    while True:
        await asyncio.sleep(2)
        with contextlib.suppress(OSError):
            changed = path.stat().st_mtime_ns
            if changed == seen:
                continue
            seen = changed
            try:
                lab.learn(Scenario.read(path))
            except (ValueError, KeyError, TypeError):
                log.exception("the scenario %s is not usable; the lab goes on with the last one", path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    sys.exit(asyncio.run(run(parse(arguments))))


if __name__ == "__main__":
    main()
