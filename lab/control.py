"""The lab's control socket: one line of JSON asks, lines of JSON answer."""

import asyncio
import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from lab.carrier import Mood
from lab.exchange import Lab, LabError, Order
from lab.story import Step


class Control:
    """Listens on a unix socket."""

    def __init__(self, lab: Lab, path: Path) -> None:
        self.lab, self.path = lab, path
        self._server: asyncio.Server
        self._busy: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the socket; what an earlier run left behind goes away."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        self.path.chmod(0o600)

    async def close(self) -> None:
        """Close the socket."""
        self._server.close()
        for task in list(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
        self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)

        def say(data: dict[str, Any]) -> None:
            writer.write(json.dumps(data).encode() + b"\n")

        try:
            wish = json.loads(await asyncio.wait_for(reader.readline(), 10))
            say({"done": await self._do(wish, lambda step: say({"step": asdict(step)}))})
        except (ValueError, TypeError, KeyError, TimeoutError) as error:
            say({"error": str(error) or type(error).__name__})
        finally:
            self._busy.discard(task)
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()

    async def _do(self, wish: dict[str, Any], on_step: Any) -> dict[str, Any]:
        match wish.pop("do", ""):
            case "call":
                return (await self.lab.place(Order(**wish), on_step)).as_data()
            case "status":
                return status(self.lab)
            case "mood":
                return self._set_mood(wish["carrier"], wish["mood"])
            case other:
                raise LabError(f"The lab cannot {other!r}.")

    def _set_mood(self, carrier: str, mood: Mood) -> dict[str, Any]:
        if carrier not in self.lab.carriers or mood not in get_args(Mood):
            raise LabError(f"Carriers: {', '.join(self.lab.carriers)}; moods: {', '.join(get_args(Mood))}.")
        self.lab.carriers[carrier].mood = mood
        return {"carrier": carrier, "mood": mood}


def status(lab: Lab) -> dict[str, Any]:
    """Describe how the lab is."""
    microsoft = lab.microsoft
    return {
        "refusals": [{"reason": one.reason, "code": one.code, "detail": one.detail} for one in microsoft.refusals],
        "options_seen": sorted(
            f"{fqdn} at {name}" for (fqdn, name), beat in microsoft.heartbeats.beats.items() if beat.flow
        ),
        "options_answered": {f"{name} to {fqdn}": code for (fqdn, name), code in microsoft.answers.items()},
        "calls": {
            one.name: sum(not call.ended.is_set() for call in set(one.calls.values()))
            for one in (microsoft, *lab.carriers.values())
        },
        "moods": {name: carrier.mood for name, carrier in lab.carriers.items()},
    }


async def ask(path: Path, wish: dict[str, Any], on_step: Any = None) -> dict[str, Any]:
    """Ask a running lab; steps are handed on as they come."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(json.dumps(wish).encode() + b"\n")
        while line := await reader.readline():
            answer = json.loads(line)
            if "step" in answer:
                if on_step is not None:
                    on_step(Step(**answer["step"]))
            elif "error" in answer:
                raise LabError(answer["error"])
            else:
                done: dict[str, Any] = answer["done"]
                return done
    finally:
        writer.close()
    raise LabError("The lab hung up.")
