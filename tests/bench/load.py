"""A small HTTP load: a few clients on kept connections, each asking again as soon as it has its answer."""

import asyncio
import time


async def _client(port: int, request: bytes, until: float, took: list[float], bad: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length:" in lower:
            await reader.readexactly(int(lower.split(b"content-length:")[1].split(b"\r\n")[0]))
        else:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        took.append(time.perf_counter() - began)
        if not head.startswith(b"HTTP/1.1 200"):
            bad.append(head.split(b"\r\n")[0])
    writer.close()


def ask(port: int, path: str, headers: dict[str, str], *, clients: int, seconds: float) -> list[float]:
    """Return how long each answer took, in seconds; raises AssertionError on an answer other than 200."""
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    request = "\r\n".join(lines).encode()
    took: list[float] = []
    bad: list[bytes] = []

    async def all_clients() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(_client(port, request, until, took, bad) for _ in range(clients)))

    asyncio.run(all_clients())
    assert not bad, bad[0]
    return took
