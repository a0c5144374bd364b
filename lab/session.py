"""One call as one of its two ends sees it."""

import asyncio
import contextlib
from typing import TYPE_CHECKING

from lab import sdp, sip
from lab.agent import ClientTransaction, ServerTransaction
from lab.behaviour import Behaviour
from lab.body import mixed, sdp_of
from lab.media import Media
from lab.sdp import Sdp
from lab.story import Story
from lab.transport import Flow
from lab.uri import NameAddr, Uri

if TYPE_CHECKING:
    from lab.endpoint import Endpoint


class Call:
    """A call, from its INVITE to its end."""

    def __init__(
        self,
        endpoint: "Endpoint",
        *,
        local: NameAddr,
        remote: NameAddr,
        target: Uri,
        call_id: str = "",
        story: Story | None = None,
    ) -> None:
        self.endpoint, self.target = endpoint, target
        self.call_id = call_id or f"{sip.new_tag()}{sip.new_tag()}"
        self.tag = sip.new_tag()
        self.local = NameAddr(local.uri, local.display, {**local.params, "tag": self.tag})
        self.remote = remote
        self.called = ""
        self.trunk = ""  # the FQDN that a call of Teams goes to
        self.centre = 0  # which of Microsoft's data centres places it
        self.routes: list[NameAddr] = []
        self.story = story or Story()
        self.media: Media | None = None
        self.invite: ServerTransaction | None = None
        self.code = 0
        self.ended_by = ""
        self.end_reason = ""
        self.ringing, self.answered, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.confirmed = asyncio.Event()
        self.remote_sdp: Sdp | None = None
        self._cseq = 0
        self._version = 1
        self._placing: ClientTransaction | None = None

    def note(self, text: str) -> None:
        """Write down a step of the call."""
        self.story.note(self.endpoint.name, text)

    # The calling end

    async def place(self, *extra: tuple[str, str], body: tuple[str, bytes] | None = None) -> int:
        """Send the INVITE and wait for what becomes of it; returns the final code."""
        endpoint = self.endpoint
        self.called = self.remote.uri.number
        try:
            flow = await endpoint.open_flow(self, in_dialog=False)
        except (OSError, TimeoutError) as error:
            self.code, self.end_reason = 503, f"no connection: {error}"
            self.note(self.end_reason)
            self.ended.set()
            return self.code
        self.media = await endpoint.open_media(endpoint.media_host(flow))
        self._register(self.tag)
        invite = self._request("INVITE", flow, self.target)
        invite.add("Contact", endpoint.contact(self, flow)).add("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE")
        own = endpoint.record_route()
        if own is not None:
            invite.add("Record-Route", own)
        invite.headers += extra
        offer = self.media.describe().encode()
        kind, invite.body = mixed(offer, body) if body else ("application/sdp", offer)
        invite.add("Content-Type", kind)
        self._placing = endpoint.agent.send(invite, flow)
        self.note(f"INVITE {invite.uri} sent over {flow.protocol}")
        response = await self._placing.final(endpoint.settings.clocks.no_answer, self._progress)
        await self._outcome(response)
        return self.code

    def _progress(self, response: sip.Response) -> None:
        if response.status == 100:
            return
        self.note(f"{response.status} {response.reason}")
        self._checked(response)
        if response.status >= 180:
            self.ringing.set()
        self._learn_media(response)

    async def _outcome(self, response: sip.Response) -> None:
        self.code = response.status
        self.note(f"{response.status} {response.reason}".strip())
        if response.status >= 300:
            self.end_reason = response.get("Reason") or response.reason
            self.ended_by = self.ended_by or "called"
            await self._finish()
            return
        sound = self._checked(response)
        self.remote = response.to
        contacts = response.addresses("Contact")
        self.target = contacts[0].uri if contacts else self.target
        self.routes = self._without_own(list(reversed(response.addresses("Record-Route"))))
        self._learn_media(response)
        try:
            if not sound and (self.routes[0].uri if self.routes else self.target).is_ip:
                raise OSError("an address proves no name")
            await self._acknowledge(self._placing, self._cseq)
        except (OSError, TimeoutError) as error:
            self.end_reason = f"the other end cannot be reached: {error}"
            self.note(self.end_reason)
            await self._finish()
            return
        self.answered.set()
        if self.media is not None:
            self.media.talk()
        if not sound:
            await self.hang_up()

    def _checked(self, response: sip.Response) -> bool:
        refusal = self.endpoint.check_response(self, response)
        if refusal is not None:
            self.endpoint.note(refusal)
        return refusal is None

    def _learn_media(self, message: sip.Message) -> None:
        if described := sdp_of(message):
            try:
                self.remote_sdp = sdp.parse(described)
            except sdp.SdpError:
                return
            if self.media is not None:
                self.media.connect(self.remote_sdp)

    async def _acknowledge(self, transaction: ClientTransaction | None, number: int) -> None:
        flow = await self.endpoint.open_flow(self, in_dialog=True)
        ack = self._request("ACK", flow, self.target, number)
        flow.send(ack)
        if transaction is not None:
            transaction.ack = lambda: flow.send(ack)

    async def cancel(self, reason: str = "") -> None:
        """Give up a call that has not been answered."""
        placing = self._placing
        if placing is None or self.answered.is_set() or self.ended.is_set():
            return
        invite = placing.request
        cancel = sip.Request(method="CANCEL", uri=invite.uri)
        cancel.add("Via", invite.get("Via")).add("Max-Forwards", 70).add("From", invite.get("From"))
        cancel.add("To", invite.get("To")).add("Call-ID", self.call_id).add("CSeq", f"{invite.cseq[0]} CANCEL")
        if reason:
            cancel.add("Reason", reason)
        self.ended_by = "caller"
        self.note("CANCEL sent")
        await self.endpoint.agent.send(cancel, placing.flow).final()

    # Both ends

    async def hang_up(self) -> int:
        """Say BYE; returns the code of the answer."""
        if not self.answered.is_set() or self.ended.is_set():
            await self.cancel()
            return 0
        self.ended_by = self.ended_by or "this end"
        response = await self.send("BYE")
        await self._finish()
        return response.status

    async def wind_up(self, placing: asyncio.Task[int], patience: float = 3.0) -> None:
        """End the call whatever it is doing, also when the program stops."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.hang_up()
                if self._placing is not None:
                    await asyncio.wait({placing})
        placing.cancel()
        await self.forget()

    async def send(self, method: str, *headers: tuple[str, str]) -> sip.Response:
        """Send a request inside the dialog and return its answer."""
        flow = await self.endpoint.open_flow(self, in_dialog=True)
        request = self._request(method, flow, self.target)
        request.headers += headers
        self.note(f"{method} sent")
        response = await self.endpoint.agent.send(request, flow).final()
        self.note(f"{response.status} to {method}")
        return response

    async def re_invite(self, direction: str) -> int:
        """Change the direction of the sound: inactive is hold, sendrecv resumes; returns the code of the answer."""
        assert self.media is not None
        flow = await self.endpoint.open_flow(self, in_dialog=True)
        self._version += 1
        request = self._request("INVITE", flow, self.target)
        request.add("Contact", self.endpoint.contact(self, flow)).add("Content-Type", "application/sdp")
        request.body = self.media.describe(direction, self._version).encode()
        self.note(f"re-INVITE ({direction}) sent")
        transaction = self.endpoint.agent.send(request, flow)
        response = await transaction.final(32)
        self.note(f"{response.status} to re-INVITE")
        if response.status < 300:
            self._checked(response)
            self._learn_media(response)
            self.media.hold(direction == "inactive")
            await self._acknowledge(transaction, request.cseq[0])
        return response.status

    async def hold(self) -> int:
        """Put the other end on hold."""
        return await self.re_invite("inactive")

    async def resume(self) -> int:
        """Go on after a hold."""
        return await self.re_invite("sendrecv")

    # The called end

    async def serve(self, transaction: ServerTransaction, behaviour: Behaviour) -> None:
        """Answer an INVITE in the way that the called number behaves."""
        request = transaction.request
        self.invite, self.called, self.trunk = transaction, request.uri.number, self.target.host
        self.routes = self._without_own(request.addresses("Record-Route"))
        self.note(f"INVITE {request.uri} received over {transaction.flow.protocol}")
        self._register(self.tag)
        self.endpoint.agent.spawn(self._give_up())
        if behaviour.kind == "silence":
            return
        transaction.respond(sip.respond(request, 100))
        if behaviour.kind == "refuse":
            self.code = behaviour.code
            self.note(f"{behaviour.code} sent")
            transaction.refuse(behaviour.code)
            await self._finish()
            return
        await self._ring(transaction, behaviour)
        if behaviour.kind == "ring":
            return
        shortest, longest = self.endpoint.settings.clocks.ring
        await asyncio.sleep(self.endpoint.random.uniform(shortest, longest))
        if self.ended.is_set():
            return
        await self._answer(transaction)
        if behaviour.kind == "short":
            await self.confirmed.wait()
            await self.hang_up()

    async def _give_up(self) -> None:
        # Nobody cancels a call that was never acknowledged with so much as a 100.
        try:
            async with asyncio.timeout(self.endpoint.settings.clocks.no_answer):
                await _either(self.answered, self.ended)
        except TimeoutError:
            self.code, self.end_reason = 408, "no answer"
            await self._finish()

    async def _ring(self, transaction: ServerTransaction, behaviour: Behaviour) -> None:
        if behaviour.kind == "fork":
            other = sip.new_tag()
            self._register(other)
            transaction.respond(self._response(transaction, 180, other))
        if behaviour.kind == "early":
            transaction.respond(await self._with_sdp(transaction, 183))
            self.note("183 sent")
        else:
            transaction.respond(self._response(transaction, 180, self.tag))
            self.note("180 sent")
        self.ringing.set()

    async def _answer(self, transaction: ServerTransaction) -> None:
        response = await self._with_sdp(transaction, 200)
        if transaction.is_final:
            return
        self.code = 200
        self.answered.set()
        transaction.respond(response)
        self.note("200 sent")
        if self.media is not None:
            self.media.talk()

    def _response(self, transaction: ServerTransaction, status: int, tag: str) -> sip.Response:
        response = sip.respond(transaction.request, status, tag=tag)
        own = self.endpoint.record_route()
        if own is not None and not transaction.request.to.tag:
            response.add("Record-Route", own)
        for route in transaction.request.all("Record-Route"):
            response.add("Record-Route", route)
        return response.add("Contact", self.endpoint.contact(self, transaction.flow))

    async def _with_sdp(self, transaction: ServerTransaction, status: int) -> sip.Response:
        endpoint = self.endpoint
        if self.media is None:
            self.media = await endpoint.open_media(endpoint.media_host(transaction.flow))
        self._learn_media(transaction.request)
        direction = self.remote_sdp.direction if self.remote_sdp else "sendrecv"
        mirrored = {"sendonly": "recvonly", "recvonly": "sendonly"}.get(direction, direction)
        response = self._response(transaction, status, self.tag).add("Content-Type", "application/sdp")
        response.body = self.media.describe(mirrored, self._version).encode()
        return response

    def on_request(self, transaction: ServerTransaction) -> None:
        """Take a request inside the dialog."""
        request = transaction.request
        self.note(f"{request.method} received")
        if self.ended.is_set():
            transaction.refuse(481)
        elif request.method == "BYE":
            self.ended_by, self.end_reason = "other end", request.get("Reason")
            transaction.respond(sip.respond(request, 200))
            self.endpoint.agent.spawn(self._finish())
        elif request.method == "INVITE":
            self._version += 1
            self.endpoint.agent.spawn(self._re_answer(transaction))
        else:
            transaction.respond(sip.respond(request, 200))

    async def _re_answer(self, transaction: ServerTransaction) -> None:
        contacts = transaction.request.addresses("Contact")
        self.target = contacts[0].uri if contacts else self.target
        self.invite = transaction
        response = await self._with_sdp(transaction, 200)
        if self.media is not None and self.remote_sdp is not None:
            self.media.hold(self.remote_sdp.direction == "inactive")
        transaction.respond(response)

    def on_ack(self, ack: sip.Request) -> None:
        """Take the ACK."""
        if self.invite is not None:
            self.invite.acked.set()
        if not self.confirmed.is_set():
            self.note("ACK received")
            self.confirmed.set()
        self._learn_media(ack)

    def on_cancel(self, cancel: sip.Request) -> None:
        """Take a CANCEL."""
        assert self.invite is not None
        self.code, self.ended_by, self.end_reason = 487, "other end", cancel.get("Reason")
        self.note("CANCEL received")
        self.invite.refuse(487)
        self.endpoint.agent.spawn(self._finish())

    # Small parts

    def _register(self, tag: str) -> None:
        self.endpoint.calls[(self.call_id, tag)] = self

    def _without_own(self, routes: list[NameAddr]) -> list[NameAddr]:
        own = self.endpoint.record_route()
        return [route for route in routes if own is None or route.uri.host != own.uri.host]

    def _request(self, method: str, flow: Flow, uri: Uri, number: int | None = None) -> sip.Request:
        if number is None:
            self._cseq += 1
        request = sip.Request(method=method, uri=uri)
        request.add("Via", self.endpoint.via(flow)).add("Max-Forwards", 70)
        for route in self.routes:
            request.add("Route", route)
        request.add("From", self.local).add("To", self.remote).add("Call-ID", self.call_id)
        return request.add("CSeq", f"{number or self._cseq} {method}")

    async def _finish(self) -> None:
        self.ended.set()
        if self.media is not None:
            await self.media.close()
        # Late requests of a call that is over still deserve a sensible answer.
        asyncio.get_running_loop().call_later(5, self._unregister)

    def _unregister(self) -> None:
        for key in [key for key, call in self.endpoint.calls.items() if call is self]:
            del self.endpoint.calls[key]

    async def forget(self) -> None:
        """Close the sound and say nothing more."""
        self.ended.set()
        if self.media is not None:
            await self.media.close()


async def _either(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
