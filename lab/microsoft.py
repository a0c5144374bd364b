"""A stand-in for Microsoft's SIP proxies that is as strict as the documents allow it to be."""

import asyncio
import logging
import ssl
import time

from lab import rules, sip, transport
from lab.agent import ServerTransaction
from lab.endpoint import ALLOW, Endpoint
from lab.heartbeat import Heartbeats
from lab.pidf import location
from lab.refusal import Refusal
from lab.rules import Directory
from lab.session import Call
from lab.settings import LabSettings
from lab.story import Story
from lab.transport import Address, Flow, StreamFlow, StreamPort
from lab.uri import NameAddr, Uri

log = logging.getLogger(__name__)
AGENT = "Microsoft.PSTNHub.SIPProxy lab"
INNER = "api-du-a-lab.pstnhub.microsoft.com"


class FakeMicrosoft(Endpoint):
    """Three names at three addresses that behave as one service."""

    name = "Teams"
    secure = True

    def __init__(
        self, settings: LabSettings, directory: Directory, addresses: dict[str, Address] | None = None
    ) -> None:
        super().__init__(settings)
        self.directory = directory
        # Stands in for DNS: a base or derived FQDN to the SBC's address.
        self.addresses = addresses or {}
        self.names = tuple(name for name, _ in settings.microsoft)
        self.heartbeats = Heartbeats(settings.clocks, self.names)
        self.answers: dict[tuple[str, str], int] = {}
        # Names that take no new calls just now: they answer 503, and the SBC goes on to the next.
        self.overloaded: set[str] = set()
        self._ports: list[StreamPort] = []
        self._flows: dict[tuple[str, int, str], StreamFlow] = {}
        self._dialling: dict[tuple[str, int, str], asyncio.Lock] = {}
        self._greeting: set[tuple[str, str]] = set()
        self._tls: list[ssl.SSLContext] = []

    async def start(self) -> None:
        """Listen at all names."""
        folder = self.settings.certificates
        for name, host in self.settings.microsoft:
            pem = folder / f"{name.split('.')[0]}.pem"
            server = transport.server_tls(pem, folder / "sbc-root.pem")
            self._tls.append(transport.client_tls(pem, folder / "sbc-root.pem"))
            self._ports.append(await transport.listen_stream(host, self.settings.microsoft_port, self.agent, server))
        self.agent.spawn(self._watch())

    async def close(self) -> None:
        """Hang up on everybody and stop."""
        await super().close()
        for flow in self._flows.values():
            await flow.close()
        for port in self._ports:
            await port.close()

    # Strictness

    def check(self, request: sip.Request, flow: Flow, call: Call | None) -> Refusal | None:
        """Return the first rule that the request breaks."""
        refusal = rules.check_request(request, flow.certificate, self.directory, self.names)
        if refusal is None and call is not None and request.method != "CANCEL":
            refusal = self._follows_routes(request)
        return refusal

    def _follows_routes(self, request: sip.Request) -> Refusal | None:
        routes = request.addresses("Route")
        if request.uri.host != INNER or not routes or routes[0].uri.host not in self.names:
            text = f"{request.method} {request.uri} by way of {[str(route) for route in routes]}"
            return Refusal("route-set", request, 481, f"{text} ignores our Contact or Record-Route")
        return None

    def check_response(self, call: Call, response: sip.Response) -> Refusal | None:
        """Return the first rule that an answer of the SBC breaks."""
        own = (*self.names, INNER)
        if not response.all("Contact") or response.get("Contact") == "*":
            return rules.contact_present(response) if response.status >= 200 else None
        refusal = rules.first(rules.contact_named(response), rules.routes_named(response, own))
        if refusal is None:
            fqdn = response.addresses("Contact")[0].uri.host
            if fqdn != call.trunk:
                refusal = Refusal("contact-other", response, 0, f"Contact says {fqdn}, the call went to {call.trunk}")
            else:
                refusal = rules.routes_match(response, fqdn, own)
        if refusal is None and (response.status >= 200 or response.body):
            refusal = rules.offer(response)
        return refusal

    def welcome(self, transaction: ServerTransaction) -> bool:
        """Send new calls away from a name that is overloaded."""
        if self._name_at(transaction.flow) not in self.overloaded:
            return True
        transaction.refuse(503, "", ("Retry-After", "1"))
        return False

    def options(self, transaction: ServerTransaction) -> None:
        """Answer the SBC's OPTIONS and begin to send our own to its Contact."""
        request, flow = transaction.request, transaction.flow
        fqdn = request.addresses("Contact")[0].uri.host
        name = self._name_at(flow)
        refusal = self.heartbeats.beat(fqdn, name, request, flow, time.monotonic())
        if refusal is not None:
            self.refuse(transaction, refusal)
            return
        transaction.respond(sip.respond(request, 200, tag=sip.new_tag()).add("Allow", ALLOW))
        if (fqdn, name) not in self._greeting:
            self._greeting.add((fqdn, name))
            self.agent.spawn(self._greet(fqdn, name))

    def _name_at(self, flow: Flow) -> str:
        return next((name for name, host in self.settings.microsoft if host == flow.local[0]), self.names[0])

    async def _greet(self, fqdn: str, name: str) -> None:
        while self.heartbeats.healthy(fqdn, name, time.monotonic()):
            try:
                self.answers[(fqdn, name)] = await self.send_options(fqdn, self.names.index(name))
            except (OSError, TimeoutError) as error:
                self.answers[(fqdn, name)] = 0
                log.warning("OPTIONS from %s to %s failed: %s", name, fqdn, error)
            await asyncio.sleep(self.settings.clocks.microsoft_options)
        self._greeting.discard((fqdn, name))

    async def send_options(self, fqdn: str, centre: int = 0) -> int:
        """Ask a trunk whether it lives; returns the code of its answer."""
        flow = await self._connect("options", centre, fqdn, None)
        own = Uri("sip", "", self.names[centre], 5061, {"transport": "tls"})
        request = sip.Request(method="OPTIONS", uri=Uri("sip", "", fqdn, self._port(fqdn), {"transport": "tls"}))
        request.add("Via", self.via(flow)).add("Max-Forwards", 70).add("CSeq", "1 OPTIONS")
        request.add("From", NameAddr(own, "", {"tag": sip.new_tag()})).add("To", NameAddr(request.uri))
        request.add("Call-ID", sip.new_tag() + sip.new_tag())
        request.add("Contact", NameAddr(own)).add("User-Agent", AGENT).add("Allow", ALLOW)
        response = await self.agent.send(request, flow).final()
        return response.status

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(max(self.settings.clocks.options_longest / 60, 0.05))
            for refusal in self.heartbeats.overdue(time.monotonic()):
                self.note(refusal)

    # Where things are

    def _address(self, fqdn: str) -> Address:
        parent = fqdn.partition(".")[2]
        return self.addresses.get(fqdn) or self.addresses.get(parent) or self.settings.sbc

    def _port(self, fqdn: str) -> int:
        return self._address(fqdn)[1]

    async def open_flow(self, call: Call, *, in_dialog: bool) -> Flow:
        """Return a connection to the SBC; requests inside a dialog come by another one, from another data centre."""
        hop = call.routes[0].uri if call.routes else call.target
        if in_dialog:
            return await self._connect("dialog", (call.centre + 1) % len(self.names), hop.host, hop.port)
        return await self._connect("call", call.centre, hop.host, None)

    async def _connect(self, kind: str, centre: int, fqdn: str, port: int | None) -> StreamFlow:
        key = (kind, centre, fqdn)
        host, usual = self._address(fqdn)
        async with self._dialling.setdefault(key, asyncio.Lock()):
            flow = self._flows.get(key)
            if flow is None or flow.closed:
                source = self.settings.microsoft[centre][1]
                try:
                    flow = await transport.dial(
                        (host, port or usual), self.agent, source=source, tls=self._tls[centre], name=fqdn
                    )
                except ssl.SSLCertVerificationError as error:
                    self.note(Refusal("sbc-certificate", None, 504, f"{fqdn}: {error.verify_message}"))
                    raise
                self._flows[key] = flow
            return flow

    def via(self, flow: Flow) -> str:
        """Return the Via; its port is the one that we listen on."""
        return f"SIP/2.0/TLS {flow.local[0]}:{self.settings.microsoft_port};branch={sip.new_branch()}"

    def contact(self, call: Call, flow: Flow | None = None) -> NameAddr:
        """Return the address of the machine behind the proxy, as Teams does."""
        return NameAddr(Uri("sip", "", INNER, 443, {"x-i": call.tag, "x-c": f"{call.tag}/s/1"}))

    def record_route(self) -> NameAddr:
        """Return the proxy that stays in the path."""
        return NameAddr(Uri("sip", "", self.names[0], 5061, {"transport": "tls", "lr": None}))

    # Calls that Teams users place

    def call(
        self,
        trunk: str,
        caller: str,
        called: str,
        *,
        anonymous: bool = False,
        diverted_by: str = "",
        emergency: bool = False,
        centre: int = 0,
        story: Story | None = None,
    ) -> tuple[Call, list[tuple[str, str]], tuple[str, bytes] | None]:
        """Prepare a call of a customer's Teams user; hand the parts to Call.place, or use place_call."""
        ours, phone = self.names[centre], {"user": "phone"}
        shown = Uri("sip", caller, ours, None, phone)
        if anonymous:
            shown = Uri("sip", "anonymous", "anonymous.invalid")
        target = Uri("sip", called, trunk, self._port(trunk), {**phone, "transport": "tls"})
        call = Call(
            self,
            local=NameAddr(shown, "Anonymous" if anonymous else ""),
            remote=NameAddr(Uri("sip", called, trunk, None, phone)),
            target=target,
            story=story,
        )
        call.trunk = trunk
        call.centre = centre
        headers = [
            ("User-Agent", AGENT),
            ("P-Asserted-Identity", f"<tel:{caller}>,<sip:{caller}@{ours};user=phone>"),
        ]
        if anonymous:
            headers.append(("Privacy", "id"))
        if diverted_by:
            headers.append(("History-Info", _diversion(diverted_by, ours)))
            headers.append(("History-Info", f"<sip:{called}@{ours};user=phone>;index=1.1"))
        body = None
        if emergency:
            content = f"{call.tag}@{ours}"
            headers += [("Geolocation", f"<cid:{content}>"), ("Geolocation-Routing", "no")]
            body = (f"application/pidf+xml\r\nContent-ID: <{content}>", location(caller, trunk))
        return call, headers, body

    async def place_call(self, trunk: str, caller: str, called: str, **options: object) -> Call:
        """Place a call and wait until it is answered or has failed."""
        call, headers, body = self.call(trunk, caller, called, **options)  # type: ignore[arg-type]
        await call.place(*headers, body=body)
        return call


def _diversion(number: str, host: str) -> str:
    return f'<sip:{number}@{host};user=phone?Reason=SIP;cause=302;text="Moved Temporarily">;index=1'
