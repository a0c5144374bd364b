"""A stand-in for a carrier: takes and places calls over UDP and TCP, and can be told to fail."""

from dataclasses import dataclass
from typing import Literal

from lab import sip, transport
from lab.agent import ServerTransaction
from lab.behaviour import Behaviour
from lab.digest import Account, Gate
from lab.endpoint import ALLOW, Endpoint
from lab.session import Call
from lab.settings import LabSettings
from lab.story import Story
from lab.transport import Address, DatagramPort, Flow, StreamFlow, StreamPort
from lab.uri import NameAddr, Uri

Mood = Literal["well", "busy", "failing", "overloaded", "silent", "deaf"]
MOODS: dict[str, Behaviour] = {
    "busy": Behaviour("refuse", 486),
    "failing": Behaviour("refuse", 500),
    "overloaded": Behaviour("refuse", 503),
    "silent": Behaviour("silence"),
}


@dataclass(frozen=True)
class CarrierSettings:
    """One carrier's address and how it wants to be spoken to."""

    name: str
    address: Address = ("127.0.9.1", 5060)
    account: Account | None = None
    # The transport of the calls that the carrier places.
    transport: Literal["udp", "tcp"] = "udp"


class FakeCarrier(Endpoint):
    """A carrier."""

    echo = True

    def __init__(self, settings: LabSettings, carrier: CarrierSettings) -> None:
        super().__init__(settings)
        self.carrier = carrier
        self.name = carrier.name
        # "well" or a way to fail: "deaf" does not even answer OPTIONS.
        self.mood: Mood = "well"
        self.probes = 0
        self._gate = Gate(carrier.account) if carrier.account else None
        self._udp: DatagramPort
        self._tcp: StreamPort
        self._dialled: dict[Address, StreamFlow] = {}

    async def start(self) -> None:
        """Listen on UDP and TCP."""
        host, port = self.carrier.address
        self._udp = await transport.listen_datagram(host, port, self.agent)
        self._tcp = await transport.listen_stream(host, port or self._udp_port(), self.agent)

    def _udp_port(self) -> int:
        port: int = self._udp.transport.get_extra_info("sockname")[1]
        return port

    async def close(self) -> None:
        """Hang up on everybody and stop."""
        await super().close()
        self._udp.transport.close()
        for flow in self._dialled.values():
            await flow.close()
        await self._tcp.close()

    @property
    def address(self) -> Address:
        """Return where the carrier listens."""
        return self.carrier.address[0], self._udp_port()

    def on_request(self, transaction: ServerTransaction) -> None:
        """Take a new request, unless the carrier plays dead."""
        if self.mood != "deaf":
            super().on_request(transaction)

    def options(self, transaction: ServerTransaction) -> None:
        """Answer a probe."""
        self.probes += 1
        transaction.respond(sip.respond(transaction.request, 200, tag=sip.new_tag()).add("Allow", ALLOW))

    def behaviour(self, number: str) -> Behaviour:
        """Return how a called number behaves in the carrier's mood."""
        return MOODS.get(self.mood) or super().behaviour(number)

    def welcome(self, transaction: ServerTransaction) -> bool:
        """Ask for the password where the carrier wants one."""
        if self._gate is None or self.mood == "silent":
            return True
        request = transaction.request
        if self._gate.admits(request.method, request.get("Proxy-Authorization")):
            return True
        transaction.refuse(407, "", self._gate.challenge())
        return False

    def via(self, flow: Flow) -> str:
        """Return the Via, with the address that the carrier listens on."""
        host, port = self.address
        return f"SIP/2.0/{flow.protocol} {host}:{port};rport;branch={sip.new_branch()}"

    def contact(self, call: Call, flow: Flow | None = None) -> NameAddr:
        """Return the carrier's own address."""
        protocol = flow.protocol.lower() if flow is not None else self.carrier.transport
        params: dict[str, str | None] = {"transport": "tcp"} if protocol == "tcp" else {}
        return NameAddr(Uri("sip", call.local.uri.number, *self.address, params))

    async def open_flow(self, call: Call, *, in_dialog: bool) -> Flow:
        """Return a way to the next hop: the top route, else the other end's Contact."""
        hop = call.routes[0].uri if call.routes else call.target
        # A name can only be the SBC's: carriers in the lab have no DNS.
        usual = self.settings.sbc_carrier_side
        remote = (hop.host, hop.port or 5060) if hop.is_ip else usual
        wanted = (hop.params.get("transport") or ("udp" if in_dialog else self.carrier.transport)).lower()
        if wanted != "tcp":
            return self._udp.to(remote)
        flow = self._dialled.get(remote)
        if flow is None or flow.closed:
            flow = await transport.dial(remote, self.agent, source=self.carrier.address[0])
            self._dialled[remote] = flow
        return flow

    def call(self, caller: str, called: str, *, anonymous: bool = False, story: Story | None = None) -> Call:
        """Prepare a call of somebody out in the world."""
        host, port = self.settings.sbc_carrier_side
        shown = Uri("sip", caller, self.carrier.address[0], None, {"user": "phone"})
        if anonymous:
            shown = Uri("sip", "anonymous", "anonymous.invalid")
        target = Uri("sip", called, host, port, {"user": "phone"})
        return Call(self, local=NameAddr(shown), remote=NameAddr(target), target=target, story=story)

    async def place_call(
        self, caller: str, called: str, *, anonymous: bool = False, story: Story | None = None
    ) -> Call:
        """Place a call and wait until it is answered or has failed."""
        call = self.call(caller, called, anonymous=anonymous, story=story)
        headers = [("User-Agent", f"Carrier {self.name}")]
        if anonymous:
            asserted = Uri("sip", caller, self.carrier.address[0], None, {"user": "phone"})
            headers += [("P-Asserted-Identity", f"<{asserted}>"), ("Privacy", "id")]
        await call.place(*headers)
        return call
