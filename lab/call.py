"""Place one real call through the SBC and print its story."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.control import ask
from lab.exchange import LabError
from lab.settings import LabSettings
from lab.story import Step


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m lab.call", description=__doc__)
    parser.add_argument("--dir", type=Path, default=LabSettings().folder, help="the running lab's folder")
    parser.add_argument("--from", dest="caller", default="", help="the caller, as +E.164 (default: somebody)")
    parser.add_argument("--to", dest="called", default="", help="the called number; short for an emergency call")
    parser.add_argument("--via", default="", help="teams, carrier, or a carrier's name (default: whoever has --from)")
    parser.add_argument("--customer", default="", help="call as this customer, whatever the caller's number")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to talk")
    parser.add_argument("--hold", action="store_true", help="hold and resume meanwhile")
    parser.add_argument("--anonymous", action="store_true", help="hide the caller")
    parser.add_argument("--forwarded-by", dest="diverted_by", default="", help="the Teams user who forwards the call")
    return parser.parse_args(arguments)


async def place(options: argparse.Namespace) -> int:
    """Ask the lab for the call; returns the exit status."""
    wish = dict(vars(options), do="call")
    path = LabSettings(folder=wish.pop("dir")).control_path
    try:
        outcome = await ask(path, wish, _print)
    except (FileNotFoundError, ConnectionRefusedError):
        print(f"No lab listens at {path}. Start it with: python -m lab", file=sys.stderr)
        return 2
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    taken = ", ".join(outcome["taken_by"]) or "nobody"
    print(f"result {outcome['code']} {outcome['reason']}".rstrip() + f"; reached {taken}; sound {outcome['media']}")
    return 0 if outcome["code"] == 200 else 1


def _print(step: Step) -> None:
    print(step, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    sys.exit(asyncio.run(place(parse(arguments))))


if __name__ == "__main__":
    main()
