"""SIP transactions: what is sent is answered or times out, what arrives twice is handled once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from lab import sip
from lab.transport import Flow
from lab.uri import SipError

LIFE = 64  # times T1: how long a transaction is remembered


class Handler(Protocol):
    """Whoever decides what a request leads to."""

    def on_request(self, transaction: "ServerTransaction") -> None:
        """Take a new request."""

    def on_ack(self, ack: sip.Request, flow: Flow) -> None:
        """Take the ACK of a 2xx."""

    def on_cancel(self, invite: "ServerTransaction", cancel: sip.Request) -> None:
        """Take a CANCEL of an INVITE that has no final answer yet."""

    def on_broken(self, error: SipError, flow: Flow) -> None:
        """Take note of input that is not SIP."""


class ClientTransaction:
    """A request that was sent, and the responses to it."""

    def __init__(self, agent: "Agent", request: sip.Request, flow: Flow) -> None:
        self.request, self.flow = request, flow
        self.responses: asyncio.Queue[sip.Response] = asyncio.Queue()
        self.ack: Callable[[], None] | None = None
        self._agent = agent
        self._proceeding = asyncio.Event()
        self._done = asyncio.Event()

    def received(self, response: sip.Response) -> None:
        """Take a response; repeated final ones only repeat the ACK."""
        self._proceeding.set()
        if response.status >= 200:
            if self._done.is_set():
                if self.ack is not None:
                    self.ack()
                return
            self._done.set()
            if self.request.method == "INVITE" and response.status >= 300:
                self.ack = lambda: self.flow.send(_ack_refusal(self.request, response))
                self.ack()
        self.responses.put_nowait(response)

    async def final(
        self, timeout: float | None = None, on_provisional: Callable[[sip.Response], None] | None = None
    ) -> sip.Response:
        """Wait for the final response; none in time counts as 408."""
        try:
            async with asyncio.timeout(timeout if timeout is not None else LIFE * self._agent.t1):
                while True:
                    response = await self.responses.get()
                    if response.status >= 200:
                        return response
                    if on_provisional is not None:
                        on_provisional(response)
        except TimeoutError:
            return sip.respond(self.request, 408, "No answer in time")

    async def repeat(self) -> None:
        """Send the request again and again until something comes back: datagrams get lost."""
        pause = self._agent.t1
        waits_for = self._proceeding if self.request.method == "INVITE" else self._done
        while not waits_for.is_set() and pause < LIFE * self._agent.t1:
            try:
                await asyncio.wait_for(waits_for.wait(), pause)
            except TimeoutError:
                self.flow.send(self.request)
                pause *= 2


class ServerTransaction:
    """A request that arrived, and the response to it."""

    def __init__(self, agent: "Agent", request: sip.Request, flow: Flow) -> None:
        self.request, self.flow = request, flow
        self.last: sip.Response | None = None
        self.acked = asyncio.Event()
        self._agent = agent

    @property
    def is_final(self) -> bool:
        """Tell whether a final response went out."""
        return self.last is not None and self.last.status >= 200

    def respond(self, response: sip.Response) -> None:
        """Send a response, once more whenever the request comes again."""
        if self.is_final:
            return
        self.last = response
        self.flow.send(response)
        # A 2xx is repeated on streams too: another hop of the call may be UDP.
        lossy = self.flow.protocol == "UDP" or response.status < 300
        if self.request.method == "INVITE" and response.status >= 200 and lossy:
            self._agent.spawn(self._repeat(response))

    def refuse(self, status: int, reason: str = "", *headers: tuple[str, str]) -> None:
        """Send a final response that says no."""
        response = sip.respond(self.request, status, reason, tag=sip.new_tag())
        response.headers += headers
        self.respond(response)

    async def _repeat(self, response: sip.Response) -> None:
        pause, waited = self._agent.t1, 0.0
        while waited < LIFE * self._agent.t1:
            try:
                await asyncio.wait_for(self.acked.wait(), pause)
                return
            except TimeoutError:
                self.flow.send(response)
                waited, pause = waited + pause, min(pause * 2, 4.0)


class Agent:
    """Matches requests and responses over all flows of one endpoint."""

    def __init__(self, handler: Handler, t1: float = 0.5) -> None:
        self.t1 = t1
        self._handler = handler
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[str, str, str], ServerTransaction] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()

    def send(self, request: sip.Request, flow: Flow) -> ClientTransaction:
        """Send a request that carries its Via."""
        transaction = ClientTransaction(self, request, flow)
        key = (request.branch, request.method)
        self._clients[key] = transaction
        # An INVITE may ring for minutes; the others are over in 32 seconds.
        self._forget(lambda: self._clients.pop(key, None), 8 if request.method == "INVITE" else 1)
        flow.send(request)
        if flow.protocol == "UDP":
            self.spawn(transaction.repeat())
        return transaction

    def received(self, message: sip.Request | sip.Response, flow: Flow) -> None:
        """Take a message from a flow."""
        if isinstance(message, sip.Response):
            client = self._clients.get((message.branch, message.cseq[1]))
            if client is not None:
                client.received(message)
            return
        invite_key = (message.branch, message.via.host, "INVITE")
        if message.method == "ACK":
            known = self._servers.get(invite_key)
            if known is not None and known.last is not None and known.last.status >= 300:
                known.acked.set()
            else:
                self._handler.on_ack(message, flow)
            return
        key = (message.branch, message.via.host, message.method)
        if key in self._servers:
            self._again(self._servers[key])
            return
        server = self._servers[key] = ServerTransaction(self, message, flow)
        self._forget(lambda: self._servers.pop(key, None), 8 if message.method == "INVITE" else 1)
        if message.method == "CANCEL":
            self._cancel(server, self._servers.get(invite_key))
        else:
            self._handler.on_request(server)

    def broken(self, error: SipError, flow: Flow) -> None:
        """Take note of input that is not SIP."""
        self._handler.on_broken(error, flow)

    def _again(self, server: ServerTransaction) -> None:
        if server.last is not None:
            server.flow.send(server.last)

    def _cancel(self, cancel: ServerTransaction, invite: ServerTransaction | None) -> None:
        cancel.respond(sip.respond(cancel.request, 200 if invite else 481, tag=sip.new_tag()))
        if invite is not None and not invite.is_final:
            self._handler.on_cancel(invite, cancel.request)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something in the background for as long as the endpoint lives."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _forget(self, action: Callable[[], object], lives: int) -> None:
        def run() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(lives * LIFE * self.t1, run)
        self._timers.add(timer)

    async def close(self) -> None:
        """Stop everything that runs in the background."""
        for timer in self._timers:
            timer.cancel()
        me = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not me]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ack_refusal(invite: sip.Request, response: sip.Response) -> sip.Request:
    ack = sip.Request(method="ACK", uri=invite.uri)
    ack.add("Via", invite.get("Via")).add("Max-Forwards", 70)
    for route in invite.all("Route"):
        ack.add("Route", route)
    ack.add("From", invite.get("From")).add("To", response.get("To")).add("Call-ID", invite.call_id)
    return ack.add("CSeq", f"{invite.cseq[0]} ACK")
