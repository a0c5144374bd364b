"""A lab around a real SBC: Kamailio, rtpengine and HAProxy as the node runs them. Microsoft may refuse nothing."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab import ca
from lab.exchange import Lab
from lab.scenario import Scenario
from lab.settings import Clocks, LabSettings
from sbc.node.daemons import DataPlane
from sbc.node.settings import NodeSettings

# Two test runs on one machine do not meet.
LOOPBACK = f"127.{16 + os.getpid() % 200}"
NODE, MICROSOFT, CARRIERS = f"{LOOPBACK}.190.1", f"{LOOPBACK}.191", f"{LOOPBACK}.192"
BASE = "sbc.northwind.example"
ACME, GLOBEX = f"acme.{BASE}", f"globex.{BASE}"
ALICE, BOB, GINA = "+493023125001", "+493023125002", "+12125550101"
ABROAD = "+442079460123"


def rows() -> list[tuple[str, str, str]]:
    names = [
        ("rg", f"ms{index}", f"h={name};a={MICROSOFT}.{index};p=5061")
        for index, name in enumerate(ca.MICROSOFT_NAMES, 1)
    ]
    customers = [(17, ACME, (ALICE, BOB), "DE"), (18, GLOBEX, (GINA,), "US")]
    found = [("rg", "allow", f"{CARRIERS}.0/24"), ("rg", "msnets", f"{MICROSOFT}.0/24"), ("bd", BASE, "3"), *names]
    for number, host in ((12, 1), (13, 2)):
        gateway = f"h={CARRIERS}.{host};p=5060;t=udp;a=ip;cps=0;cc=0;m=3;o=0;fw=own;st=1"
        found += [("gw", f"g{number}", gateway), ("sr", f"{CARRIERS}.{host}", "1")]
    found.append(("gw", "g14", f"h={CARRIERS}.3;p=5060;t=udp;a=digest;cps=0;cc=0;m=3;o=0;fw=own;st=1"))
    found += [("au", "g14.u", "strowger"), ("au", "g14.p", "s;=, 'secret\""), ("au", "g14.r", "carrier.lab")]
    found.append(("gw", "g15", f"h={CARRIERS}.1;p=5070;t=tcp;a=ip;cps=0;cc=0;m=3;o=0;fw=orig;st=1"))
    for pk, fqdn, numbers, country in customers:
        found += [("rt", f"{pk}.43.00:81", "r=8;g=g14"), ("rt", f"{pk}.43.00:82", "r=9;g=g15")]
        found += [("ip", f"{pk}:{CARRIERS}.{host}", f"g{11 + host}") for host in (1, 2)]
        found += [("rt", f"{pk}.43.00:", "r=0;g=g12,g13"), ("rt", f"{pk}.43.00:44", "r=7;g=g13")]
        found += [("em", f"{pk}:112", "x=0;g=g12"), ("fq", fqdn, str(pk))]
        found += [("dn", number[1:], f"t={pk};st=1;in=teams") for number in numbers]
        limits = f"m=3;st=1;cps=50;cc=30;g=43;fq={fqdn};def={numbers[0][1:]};scr=refuse;fx=0;co={country}"
        found.append(("tn", str(pk), limits))
    return found


SCENARIO = {
    "bases": [BASE],
    "customers": [
        {"name": "acme", "fqdn": ACME, "numbers": [ALICE, BOB]},
        {"name": "globex", "fqdn": GLOBEX, "numbers": [GINA]},
    ],
    "carriers": [
        {"name": "A", "host": f"{CARRIERS}.1"},
        {"name": "B", "host": f"{CARRIERS}.2"},
        {"name": "tcp", "host": f"{CARRIERS}.1", "port": 5070, "transport": "tcp"},
        {"name": "digest", "host": f"{CARRIERS}.3", "username": "strowger", "password": "s;=, 'secret\""},
    ],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    settings = LabSettings(
        folder=tmp_path_factory.mktemp("sbc"),
        microsoft=tuple((name, f"{MICROSOFT}.{index}") for index, name in enumerate(ca.MICROSOFT_NAMES, 1)),
        sbc=(NODE, 5061),
        sbc_carrier_side=(NODE, 5060),
        clocks=Clocks(2.0, 6.0, 0.5, 2.0, (0.05, 0.1), (1.0, 2.0), 20.0),
        seed=7,
    )
    ca.build(settings.certificates, [BASE])
    running = Lab(settings, Scenario.of(SCENARIO))
    await running.start()
    yield running
    await running.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(lab: Lab) -> AsyncIterator[DataPlane]:
    plane = DataPlane(node_settings(lab.settings.folder, lab.settings.certificates))
    try:
        await plane.start(rows())
        yield plane
    finally:
        await plane.stop()


def node_settings(folder: Path, certificates: Path) -> NodeSettings:
    return NodeSettings(
        directory=folder / "node",
        address=NODE,
        inside=NODE,
        certificate=certificates / "sbc.pem",
        microsoft_roots=certificates / "microsoft-root.pem",
        microsoft_options_every=2,
        trunk_options_every=2,
        shared_memory_mb=64,
        table_bits=10,
    )


@pytest_asyncio.fixture(loop_scope="module")
async def no_refusals(lab: Lab) -> AsyncIterator[None]:
    lab.microsoft.refusals.clear()
    yield
    assert [str(refusal) for refusal in lab.microsoft.refusals] == []
