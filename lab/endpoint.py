"""What the fake Microsoft and the fake carriers share: calls by dialog, requests dispatched to them."""

import logging
import random
from collections import deque
from collections.abc import Callable

from lab import sip
from lab.agent import Agent, ServerTransaction
from lab.behaviour import ANSWER, Behaviour, behaviour_of
from lab.media import Media
from lab.refusal import Refusal
from lab.session import Call
from lab.settings import LabSettings
from lab.story import Story
from lab.transport import Flow
from lab.uri import NameAddr, SipError, Uri

log = logging.getLogger(__name__)
MOST_REFUSALS = 1000
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, NOTIFY, INFO"


class Endpoint:
    """A SIP user agent that takes and places calls."""

    name = "endpoint"
    secure = False
    echo = False

    def __init__(self, settings: LabSettings) -> None:
        self.settings = settings
        self.agent = Agent(self, settings.clocks.t1)
        self.calls: dict[tuple[str, str], Call] = {}
        self.rules: dict[str, Behaviour] = {}
        self.refusals: list[Refusal] = []
        self.received: deque[sip.Request] = deque(maxlen=500)
        self.random = random.Random(settings.seed)
        # The share of calls that are not taken although the number would take them: people are like that.
        self.refusing = 0.0
        self.story_of: Callable[[str], Story | None] = lambda number: None

    # What differs between the kinds of endpoints

    async def open_flow(self, call: Call, *, in_dialog: bool) -> Flow:
        """Return a way to the next hop of a call."""
        raise NotImplementedError

    def contact(self, call: Call, flow: Flow | None = None) -> NameAddr:
        """Return the address at which this end wants further requests."""
        raise NotImplementedError

    def record_route(self) -> NameAddr | None:
        """Return the Record-Route that this end's own proxy adds, if any."""
        return None

    def via(self, flow: Flow) -> str:
        """Return the Via of a request on the flow."""
        return f"SIP/2.0/{flow.protocol} {flow.local[0]}:{flow.local[1]};rport;branch={sip.new_branch()}"

    def check(self, request: sip.Request, flow: Flow, call: Call | None) -> Refusal | None:
        """Return what is wrong with a request of the peer."""
        return None

    def check_response(self, call: Call, response: sip.Response) -> Refusal | None:
        """Return what is wrong with a response of the peer."""
        return None

    def welcome(self, transaction: ServerTransaction) -> bool:
        """Tell whether an INVITE may go on; if not, it has been answered."""
        return True

    def options(self, transaction: ServerTransaction) -> None:
        """Answer an OPTIONS."""
        transaction.respond(sip.respond(transaction.request, 200, tag=sip.new_tag()).add("Allow", ALLOW))

    def media_host(self, flow: Flow) -> str:
        """Return the address for sound."""
        return flow.local[0]

    # Dispatching

    def on_request(self, transaction: ServerTransaction) -> None:
        """Take a new request."""
        request = transaction.request
        self.received.append(request)
        call = self.calls.get((request.call_id, request.to.tag)) if request.to.tag else None
        refusal = self.check(request, transaction.flow, call)
        if refusal is not None:
            self.refuse(transaction, refusal)
        elif request.to.tag:
            if call is None:
                transaction.refuse(481)
            else:
                call.on_request(transaction)
        elif request.method == "OPTIONS":
            self.options(transaction)
        elif request.method == "INVITE":
            if self.welcome(transaction):
                self.agent.spawn(self._take(transaction))
        else:
            transaction.refuse(405)

    def refuse(self, transaction: ServerTransaction, refusal: Refusal) -> None:
        """Write a refusal down and answer with it."""
        self.note(refusal)
        text = refusal.detail.replace('"', "'").replace("\r", " ").replace("\n", " ")
        cause = 63 if refusal.reason == "contact-missing" else 21
        transaction.refuse(refusal.code, "", ("Reason", f'Q.850;cause={cause};text="{text}"'))

    def note(self, refusal: Refusal) -> None:
        """Write a refusal down."""
        self.refusals.append(refusal)
        del self.refusals[:-MOST_REFUSALS]
        log.warning("%s refused the SBC's %s: %s", self.name, _what(refusal.message), refusal)

    def on_ack(self, ack: sip.Request, flow: Flow) -> None:
        """Take the ACK of a 2xx."""
        call = self.calls.get((ack.call_id, ack.to.tag))
        refusal = self.check(ack, flow, call)
        if refusal is not None:
            self.note(refusal)
        if call is not None:
            call.on_ack(ack)

    def on_cancel(self, invite: ServerTransaction, cancel: sip.Request) -> None:
        """Take a CANCEL."""
        for call in list(self.calls.values()):
            if call.invite is invite:
                call.on_cancel(cancel)

    def on_broken(self, error: SipError, flow: Flow) -> None:
        """Write down input that is not SIP."""
        self.note(Refusal("not-sip", None, 400, f"{flow.remote[0]}:{flow.remote[1]} {error}"))

    def behaviour(self, number: str) -> Behaviour:
        """Return how a called number behaves."""
        chosen = self.rules.get(number) or behaviour_of(number)
        if chosen is ANSWER and self.random.random() < self.refusing:
            return Behaviour("refuse", self.random.choice((486, 486, 480, 603)))
        return chosen

    async def open_media(self, host: str) -> Media:
        """Open this kind of endpoint's sound."""
        return await Media.open(host, secure=self.secure, echo=self.echo, packet_ms=self.settings.packet_ms)

    async def _take(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        call = Call(
            self,
            local=request.to,
            remote=request.from_,
            target=_target(request),
            call_id=request.call_id,
            story=self.story_of(request.uri.number),
        )
        await call.serve(transaction, self.behaviour(request.uri.number))

    def newest(self, number: str) -> Call | None:
        """Return the newest call to a number that is still up."""
        up = [call for call in self.calls.values() if call.called == number and not call.ended.is_set()]
        return up[-1] if up else None

    async def close(self) -> None:
        """Forget all calls and stop."""
        await self.agent.close()
        for call in set(self.calls.values()):
            await call.forget()


def _target(request: sip.Request) -> Uri:
    contacts = request.addresses("Contact")
    return contacts[0].uri if contacts else request.from_.uri


def _what(message: sip.Message | None) -> str:
    if isinstance(message, sip.Request):
        return f"{message.method} {message.uri}"
    if isinstance(message, sip.Response):
        return f"{message.status} to {message.cseq[1]}"
    return "silence"
