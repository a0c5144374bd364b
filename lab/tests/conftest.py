"""The lab's cast: a strict Microsoft, a carrier, and an SBC that behaves, or does not when told so."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lab import ca, sip, transport
from lab.carrier import CarrierSettings, FakeCarrier
from lab.endpoint import Endpoint
from lab.microsoft import FakeMicrosoft
from lab.rules import Directory
from lab.session import Call
from lab.settings import Clocks, LabSettings
from lab.tests.whole import LOOPBACK, lab, no_refusals, node
from lab.transport import Flow, StreamFlow
from lab.uri import NameAddr, Uri

BASE = "sbc.northwind.example"
ACME = f"acme.{BASE}"
ACME_NUMBER = "+493023125001"
ABROAD = "+442079460123"

__all__ = ["lab", "no_refusals", "node"]  # fixtures


def neighbour(settings: LabSettings, last: int) -> str:
    """The loopback address beside the SBC's that ends in ``last``."""
    return f"{settings.sbc[0].rpartition('.')[0]}.{last}"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab")
    ca.build(folder / "ca", [BASE, "sbc.fabrikam.example"])
    return folder


@pytest.fixture
def settings(certificates: Path) -> LabSettings:
    host = f"{LOOPBACK}.180"
    return LabSettings(
        folder=certificates,
        microsoft=tuple((name, f"{host}.{index}") for index, name in enumerate(ca.MICROSOFT_NAMES, 1)),
        microsoft_port=15061,
        sbc=(f"{host}.10", 15061),
        sbc_carrier_side=(f"{host}.10", 15060),
        clocks=replace(Clocks().scaled(0.01), options_tolerance=0.02, no_answer=5.0),
        seed=1,
    )


@pytest.fixture
def directory() -> Directory:
    return Directory(bases={BASE}, customers={ACME: {ACME_NUMBER, "+493023129486", "+493023129180"}})


@pytest.fixture
async def microsoft(settings: LabSettings, directory: Directory) -> AsyncIterator[FakeMicrosoft]:
    fake = FakeMicrosoft(settings, directory)
    await fake.start()
    yield fake
    await fake.close()


@pytest.fixture
async def carrier(settings: LabSettings) -> AsyncIterator[FakeCarrier]:
    fake = FakeCarrier(settings, CarrierSettings("A", (neighbour(settings, 20), 15060)))
    await fake.start()
    yield fake
    await fake.close()


class ToySbc(Endpoint):
    """An SBC that answers and places calls itself, without a word that Microsoft would refuse."""

    name = "SBC"
    secure = True

    def __init__(self, settings: LabSettings, certificate: Path | None = None) -> None:
        super().__init__(settings)
        self.certificate = certificate or settings.certificates / "sbc.pem"
        self.fqdn = ACME
        self.flows: list[StreamFlow] = []
        self.connections: set[int] = set()
        self.ports: list[transport.StreamPort] = []

    async def start(self) -> None:
        tls = transport.server_tls(self.certificate, self.settings.certificates / "microsoft-root.pem")
        # Microsoft's certificates lack the client purpose; OpenSSL refuses them, HAProxy has a way around that.
        tls.verify_mode = transport.ssl.CERT_NONE
        self.ports.append(await transport.listen_stream(*self.settings.sbc, self.agent, tls))

    async def close(self) -> None:
        await super().close()
        for flow in self.flows:
            await flow.close()
        for port in self.ports:
            await port.close()

    async def dial(self, centre: int = 0) -> StreamFlow:
        tls = transport.client_tls(self.certificate, self.settings.certificates / "microsoft-root.pem")
        name, host = self.settings.microsoft[centre]
        address = (host, self.settings.microsoft_port)
        flow = await transport.dial(address, self.agent, source=self.settings.sbc[0], tls=tls, name=name)
        self.flows.append(flow)
        return flow

    async def open_flow(self, call: Call, *, in_dialog: bool) -> Flow:
        return self.flows[0] if self.flows else await self.dial()

    def via(self, flow: Flow) -> str:
        return f"SIP/2.0/TLS {self.settings.sbc[0]}:{self.settings.sbc[1]};branch={sip.new_branch()}"

    def contact(self, call: Call, flow: Flow | None = None) -> NameAddr:
        return NameAddr(Uri("sip", "", self.fqdn, self.settings.sbc[1], {"transport": "tls"}))

    def call(self, called: str = ACME_NUMBER) -> Call:
        name = self.settings.microsoft[0][0]
        target = Uri("sip", called, name, 5061, {"user": "phone", "transport": "tls"})
        return Call(
            self,
            local=NameAddr(Uri("sip", ABROAD, self.fqdn)),
            remote=NameAddr(Uri("sip", called, name)),
            target=target,
        )


@pytest.fixture
async def sbc(settings: LabSettings) -> AsyncIterator[ToySbc]:
    toy = ToySbc(settings)
    await toy.start()
    yield toy
    await toy.close()


async def until(condition: Callable[[], object], seconds: float = 3.0) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
