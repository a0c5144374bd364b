"""HTTP under daphne without Django's new thread for each request: its WSGI handler in a bounded pool of threads."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from asgiref.wsgi import WsgiToAsgiInstance

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

logger = logging.getLogger(__name__)
BODY_IN_MEMORY = 64 * 1024


def stay_on_one_processor(wish: str = "") -> int | None:
    """Keep this thread, and those that it starts, on one of the processors that it may use; return which.

    Threads that take turns for the interpreter find nothing of what they need near by where they go on elsewhere. Which
    one follows from the number of the process, so that several spread. None: there is no such choice, and all remain.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    wish = wish or str(allowed[os.getpid() % len(allowed)])
    if wish not in map(str, allowed):
        logger.warning("PORTAL_PROCESSOR is none of this process: %r, of %s. Linux chooses.", wish, allowed)
        return None
    os.sched_setaffinity(0, {int(wish)})
    return int(wish)


class ThreadedWsgi:
    """Serves a WSGI application to ASGI from at most `threads` threads; further requests wait their turn."""

    def __init__(self, application: Any, *, threads: int, processor: str = "any") -> None:
        self.application, self.processor = application, processor
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.processor != "any":
            # Not before there is something to serve: whoever imports us may be no server. Our threads inherit it.
            stay_on_one_processor(self.processor)
            self.processor = "any"
        with SpooledTemporaryFile(max_size=BODY_IN_MEMORY) as body:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                body.write(message.get("body", b""))
                if not message.get("more_body"):
                    break
            body.seek(0)
            loop = asyncio.get_running_loop()
            await _send_all(send, await loop.run_in_executor(self.pool, self._respond, scope, body, send, loop))

    def _respond(
        self, scope: Scope, body: IO[bytes], send: Send, loop: asyncio.AbstractEventLoop
    ) -> list[dict[str, Any]]:
        """Return what is left to send when the thread is done: a whole page, or the end of what was streamed."""
        started: list[dict[str, Any]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            pairs = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers]
            started[:] = [{"type": "http.response.start", "status": int(status[:3]), "headers": pairs}]

        def emit(messages: list[dict[str, Any]]) -> None:
            asyncio.run_coroutine_threadsafe(_send_all(send, messages), loop).result()

        environ = _environ(scope, body)
        response = self.application(environ, start_response)
        try:
            # A whole page does not keep the thread until it is sent; only what is streamed on purpose does.
            waiting: bytes | None = None
            for chunk in response:
                if waiting is not None:
                    emit([*started, {"type": "http.response.body", "body": waiting, "more_body": True}])
                    started.clear()
                waiting = chunk
            return [*started, {"type": "http.response.body", "body": waiting or b""}]
        finally:
            # Django gives its database connection back to the pool here.
            if hasattr(response, "close"):
                response.close()


def _environ(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
    instance = WsgiToAsgiInstance(None)
    instance.scope = scope
    environ: dict[str, Any] = instance.build_environ(scope, body)
    return environ


async def _send_all(send: Send, messages: list[dict[str, Any]]) -> None:
    for message in messages:
        await send(message)


async def refuse_http(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 404 to everything: this address is for nodes."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
