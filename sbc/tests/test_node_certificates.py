"""A certificate of the portal's on a real HAProxy and Kamailio: shown at once, dialled with after a restart."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sbc import protocol
from sbc.node.daemons import NotProven
from sbc.node.link import LinkSettings
from sbc.node.process import Files, NodeProcess
from sbc.node.supervisor import Supervisor
from sbc.pem import leaf_of
from sbc.tests.node_portal import FakePortal, eventually
from sbc.tests.sip.certificates import CLIENT, SERVER
from sbc.tests.sip.message import SDP
from sbc.tests.sip.stage import Stage
from sbc.tests.test_node_sip import configured

pytestmark = pytest.mark.sip
NAMES = ["sbc.northwind.example", "*.sbc.northwind.example"]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.hang_up()
    await stage.plane.stop()


@contextlib.asynccontextmanager
async def running(stage: Stage, portal: FakePortal) -> AsyncIterator[NodeProcess]:
    settings = LinkSettings(portal.address, portal.token, "sbc-1")
    files = Files(stage.settings.directory, stage.settings.records)
    node = NodeProcess(files, settings, stage.engine, Supervisor(stage.plane))
    task = asyncio.create_task(node.run())
    try:
        await eventually(lambda: portal.certificates or task.done())
        yield node
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def fresh(stage: Stage, name: str = "given") -> protocol.Certificate:
    text = stage.authority.issue(name, f"{name}.example", NAMES, [SERVER, CLIENT]).read_text()
    chain, mark, key = text.partition("-----BEGIN PRIVATE KEY")
    leaf = leaf_of(text)
    assert leaf
    return protocol.Certificate(fingerprint=leaf[0], chain=chain, key=mark + key, nonce=name, restart=False)


async def give(portal: FakePortal, certificate: protocol.Certificate) -> protocol.CertificateState:
    await portal.send(certificate)
    return await eventually(
        lambda: next((each for each in portal.certificates if each.nonce == certificate.nonce), None), 30
    )


async def shown(stage: Stage) -> str:
    """Dial the Microsoft listener anew; return the fingerprint of what it shows."""
    _, writer = await asyncio.open_connection(
        stage.settings.address, stage.settings.microsoft_port, local_addr=(f"{stage.net}.9", 0),
        ssl=stage.authority.dialling(stage.microsoft_pem), server_hostname="sbc.northwind.example",
    )  # fmt: skip
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    leaf = leaf_of(ssl.DER_cert_to_PEM_cert(der))
    assert leaf
    return leaf[0]


async def test_a_new_certificate_is_shown_at_once_and_an_open_call_goes_on(stage: Stage, portal: FakePortal) -> None:
    async with running(stage, portal):
        await configured(portal, stage)
        first = portal.certificates[0]
        assert (await shown(stage), first.served, first.dialled) == (first.served,) * 3
        microsoft, carrier = await stage.microsoft(), await stage.carrier(1)
        invite = stage.invite_from_teams(microsoft, "+442000001")
        dialog, _, _ = await stage.answered(microsoft, invite, carrier, SDP)
        certificate = fresh(stage)

        said = await give(portal, certificate)

        assert (said.served, said.dialled, said.reason) == (certificate.fingerprint, first.dialled, "")
        assert await shown(stage) == certificate.fingerprint
        # The connection of the call was made with the old one, and stands.
        dialog.request("BYE")
        carrier.reply(await carrier.expect("BYE"), 200)
        await microsoft.expect("BYE", 200)
        kept = [stage.plane.given, stage.plane.haproxy.own]
        assert all(path.stat().st_mode & 0o777 == 0o600 and certificate.key in path.read_text() for path in kept)
        assert not list(stage.plane.given.parent.glob("draft*"))
        again = await give(portal, fresh_nonce(certificate, "again"))
        assert again.reason == ""


def fresh_nonce(certificate: protocol.Certificate, nonce: str, *, restart: bool = False) -> protocol.Certificate:
    return protocol.Certificate(
        fingerprint=certificate.fingerprint, chain=certificate.chain, key=certificate.key, nonce=nonce, restart=restart
    )


async def test_kamailio_dials_with_it_after_a_restart_that_keeps_calls(stage: Stage, portal: FakePortal) -> None:
    async with running(stage, portal):
        await configured(portal, stage)
        microsoft, carrier = await stage.microsoft(), await stage.carrier(1)
        invite = stage.invite_from_teams(microsoft, "+442000001")
        dialog, _, _ = await stage.answered(microsoft, invite, carrier, SDP)
        certificate = fresh(stage)
        await give(portal, certificate)

        said = await give(portal, fresh_nonce(certificate, "restart", restart=True))

        assert (said.served, said.dialled, said.reason) == (certificate.fingerprint, certificate.fingerprint, "")
        await microsoft.connect()
        dialog.request("BYE")
        carrier.reply(await carrier.expect("BYE"), 200)
        # Towards Microsoft the new one proves who we are.
        stage.invite_from_carrier(carrier, "+4930111")
        await microsoft.expect("INVITE")
        assert leaf_of(stage.plane.dialled.read_text()) == leaf_of(certificate.chain)


async def test_what_cannot_be_shown_leaves_the_old_one_in_force(stage: Stage, portal: FakePortal) -> None:
    async with running(stage, portal):
        await configured(portal, stage)
        old = portal.certificates[0].served
        one, other = fresh(stage, "one"), fresh(stage, "other")
        mixed = protocol.Certificate(
            fingerprint=one.fingerprint, chain=one.chain, key=other.key, nonce="mixed", restart=False
        )
        lying = protocol.Certificate(
            fingerprint=one.fingerprint, chain=other.chain, key=other.key, nonce="lying", restart=False
        )

        for bad, why in ((mixed, "does not belong"), (lying, "another fingerprint")):
            said = await give(portal, bad)
            assert (said.served, why in said.reason) == (old, True)

        assert await shown(stage) == old
        assert not stage.plane.given.exists()


async def test_a_certificate_that_kamailio_does_not_start_with_is_taken_back(
    stage: Stage, portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(stage, portal):
        await configured(portal, stage)
        old = portal.certificates[0].served
        certificate = fresh(stage)
        real = stage.plane.prove

        async def prove(patience: float = 15.0) -> None:
            if leaf_of(stage.plane.dialled.read_text()) == leaf_of(certificate.chain):
                raise NotProven("tls: cannot load it")
            await real(patience)

        monkeypatch.setattr(stage.plane, "prove", prove)
        said = await give(portal, fresh_nonce(certificate, "bad", restart=True))

        assert (said.served, said.dialled) == (old, old)
        assert "Kamailio did not start with it: tls: cannot load it" in said.reason
        assert await shown(stage) == old
        again = await give(portal, fresh_nonce(certificate, "once more"))
        assert (again.served, again.reason) == (old, "Kamailio did not start with it")


async def test_a_node_may_get_its_first_certificate_from_the_portal(stage: Stage, portal: FakePortal) -> None:
    stage.settings.certificate.unlink()
    certificate = fresh(stage)
    async with running(stage, portal) as node:
        assert portal.certificates[0].served == ""

        said = await give(portal, certificate)

        assert said.reason == ""
        await eventually(lambda: node.is_up)
        await configured(portal, stage)
        assert await shown(stage) == certificate.fingerprint
        assert (await eventually(lambda: portal.certificates[-1].dialled)) == certificate.fingerprint
