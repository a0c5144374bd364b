"""How long a call event takes from the node's socket to the frames of many dashboards, coalescing included."""

import asyncio
import json
import time
import uuid
from typing import Any

import websockets

Millis = float


async def measure(
    portal: str, nodes: str, *, host: str, cookie: str, token: str, tenant: int, dashboards: int = 200, calls: int = 100
) -> dict[str, float]:
    """Return p50 and p99 in milliseconds over every dashboard and every call.

    `portal` and `nodes` are like ws://127.0.0.1:8000; `cookie` is the session of somebody at `host`.
    """
    headers = {"Host": host, "Cookie": cookie}
    opened = [await _dashboard(portal, host, headers) for _ in range(dashboards)]
    sent: dict[str, float] = {}
    lags: list[Millis] = []
    listeners = [asyncio.create_task(_listen(socket, sent, lags)) for socket in opened]
    async with websockets.connect(f"{nodes}/node/v1/", additional_headers={"Authorization": f"Bearer {token}"}) as line:
        await _greet(line)
        answers = asyncio.create_task(_acknowledge(line))
        await asyncio.sleep(2)
        for _ in range(calls):
            call = str(uuid.uuid4())
            sent[call] = time.perf_counter()
            await line.send(json.dumps({"type": "events", "items": [_event(call, "start", tenant)]}))
            await asyncio.sleep(0.05)
        await asyncio.sleep(2)
        for call in sent:
            await line.send(json.dumps({"type": "events", "items": [_event(call, "ended", tenant)]}))
        await asyncio.sleep(0.5)
        answers.cancel()
    for listener in listeners:
        listener.cancel()
    for socket in opened:
        await socket.close()
    lags.sort()
    return {"frames": len(lags), "p50": lags[len(lags) // 2], "p99": lags[int(len(lags) * 0.99)]}


async def _dashboard(portal: str, host: str, headers: dict[str, str]) -> Any:
    headers = {name: value for name, value in headers.items() if name != "Host"}
    port = portal.rsplit(":", 1)[1]
    # The name of the host is in the address: the connection goes to this machine all the same.
    address = f"ws://{host}:{port}/ws/"
    socket = await websockets.connect(
        address,
        host="127.0.0.1",
        port=int(port),
        additional_headers=headers,
        origin=f"http://{host}:{port}",
        compression=None,
    )
    await socket.send(json.dumps({"want": "dashboard"}))
    return socket


async def _listen(socket: Any, sent: dict[str, float], lags: list[Millis]) -> None:
    seen: set[str] = set()
    async for text in socket:
        now, frame = time.perf_counter(), json.loads(text)
        for row in frame.get("live", []):
            began = sent.get(row["id"])
            if began is not None and row["id"] not in seen:
                seen.add(row["id"])
                lags.append((now - began) * 1000)


async def _greet(line: Any) -> None:
    hello = {
        "type": "hello", "node": "bench", "boot": uuid.uuid4().hex, "spool": str(uuid.uuid4()), "software": "bench",
        "held": {}, "next_sequence": 1,
    }  # fmt: skip
    await line.send(json.dumps(hello))


async def _acknowledge(line: Any) -> None:
    async for text in line:
        message = json.loads(text)
        if message["type"] == "apply":
            facts = {name: message[name] for name in ("scope", "version", "nonce")}
            await line.send(json.dumps({"type": "ack", "took_ms": 1.0, **facts}))


def _event(call: str, kind: str, tenant: int) -> dict[str, Any]:
    return {
        "at": int(time.time() * 1000), "call": call, "type": kind, "tenant": tenant, "peer": 0, "msp": 0,
        "direction": "out", "caller": "+49301110001", "called": "+442079460018", "trunk": "g1", "route": 0, "code": 0,
        "reason": "",
    }  # fmt: skip
