"""A whole SBC for tests, with Microsoft on one side and carriers on the other, each at an address of its own."""

import asyncio
import os
import random
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sbc.node.daemons import DataPlane
from sbc.node.engines.base import DERIVED_TABLES, TABLES, Row
from sbc.node.records import Line, merge
from sbc.node.settings import NodeSettings
from sbc.tests.reading import parse_chunk
from sbc.tests.sip.certificates import CLIENT, SERVER, Authority
from sbc.tests.sip.message import SDP, SRTP_SDP, Message
from sbc.tests.sip.phone import Dialog, Phone, StreamPhone, UdpPhone

ACME, GLOBEX, INITECH = "acme.sbc.northwind.example", "globex.sbc.northwind.example", "initech.sbc.northwind.example"


class Stage:
    """The cast of a SIP test: Acme (17) and Globex (18), carriers A, B and C, Microsoft's three names."""

    def __init__(self, directory: Path, **changes: Any) -> None:
        # Every process has a /24 of loopback to itself, so that runs do not meet.
        self.net = f"127.{random.randint(40, 200)}.{os.getpid() % 250 + 1}"
        self.authority = Authority(directory / "ca")
        pem = self.authority.issue(
            "node", "sbc.northwind.example", ["sbc.northwind.example", "*.sbc.northwind.example"], [SERVER, CLIENT]
        )
        self.microsoft_pem = self.authority.issue(
            "microsoft", "sip.pstnhub.microsoft.com", ["sip.pstnhub.microsoft.com", "*.pstnhub.microsoft.com"], [SERVER]
        )
        settings = {
            "trunk_options_every": 3600,
            "microsoft_options_every": 3600,
            "trunk_silence": 0.6,
            "microsoft_silence": 0.8,
            "down_for": 2,
            "help_rings_in": 1,
            "shared_memory_mb": 128,
            "udp_workers": 2,
            "proxied_workers": 2,
            "table_bits": 10,
        }
        self.settings = NodeSettings(
            directory=directory / "node",
            address=f"{self.net}.5",
            inside=f"{self.net}.4",
            certificate=pem,
            microsoft_roots=self.authority.roots,
            **{**settings, **changes},
        )
        self.plane = DataPlane(self.settings)
        self.engine = self.plane.engine
        self.phones: list[Phone] = []
        self._read: dict[Path, int] = {}

    def rows(self) -> list[Row]:
        """Return the rows that every test starts with."""
        net = self.net
        names = {"ms1": "sip", "ms2": "sip2", "ms3": "sip3"}
        rows = [
            ("rg", "allow", f"{net}.64/26"),
            ("rg", "deny", f"{net}.127/32"),
            ("rg", "msnets", f"{net}.8/29"),
            *(
                ("rg", key, f"h={name}.pstnhub.microsoft.com;a={net}.{8 + i};p=5061")
                for i, (key, name) in enumerate(names.items(), 1)
            ),
            ("bd", "sbc.northwind.example", "3"),
            ("fq", ACME, "17"),
            ("fq", GLOBEX, "18"),
            ("tn", "17", tenant(fq=ACME, default="4930111")),
            ("tn", "18", tenant(fq=GLOBEX, default="4989222", policy="refuse")),
            *(("dn", number, "t=17;st=1;in=teams") for number in ("4930111", "4930112", "4930113")),
            ("dn", "4930115", "t=17;st=1;in=g3"),
            ("dn", "4930118", "t=17;st=1;in=refuse"),
            ("dn", "4930119", "t=17;st=0;in=teams"),
            ("dn", "4989222", "t=18;st=1;in=teams"),
            *(("gw", f"g{i}", self.trunk(i)) for i in (1, 2, 3)),
            ("ip", f"17:{net}.65", "g1"),
            ("ip", f"17:{net}.66", "g2"),
            ("ip", f"18:{net}.65", "g1"),
            *(("sr", f"{net}.{64 + i}", "1") for i in (1, 2, 3)),
            ("rt", "17.1.00:", "r=0;b=1"),
            ("rt", "17.1.00:44", "r=7;g=g1,g2"),
            ("rt", "17.1.00:498922", "r=10;g=g1"),
            ("rt", "17.1.00:447", "r=8;g=g2"),
            ("rt", "17.1.00:4490", "r=9;b=1"),
            ("rt", "18.1.00:", "r=0;g=g1"),
            ("bl", "m3:44870", "1"),
            ("bl", "m3:", "5"),
            ("em", "17:112", "x=0;g=g1,g2"),
            ("em", "18:112", "x=0;g=g1"),
        ]
        return rows

    def trunk(self, i: int, **changes: Any) -> str:
        """Return the row of carrier number `i`."""
        said = {
            "h": f"{self.net}.{64 + i}",
            "p": 5060,
            "t": "udp",
            "a": "ip",
            "cps": 0,
            "cc": 0,
            "m": 3,
            "o": 0,
            "fw": "orig",
            "st": 1,
        }
        return ";".join(f"{key}={value}" for key, value in {**said, **changes}.items())

    async def carrier(self, i: int) -> UdpPhone:
        """Return carrier number `i`, listening."""
        phone = UdpPhone(f"{self.net}.{64 + i}", 5060, (self.settings.address, self.settings.carrier_port))
        await phone.start()
        self.phones.append(phone)
        return phone

    async def microsoft(self, i: int = 1, *, dials: bool = True, listens: bool = True) -> StreamPhone:
        """Return Microsoft's proxy number `i`."""
        name = ("sip", "sip2", "sip3")[i - 1] + ".pstnhub.microsoft.com"
        phone = StreamPhone(
            f"{self.net}.{8 + i}",
            5061,
            (self.settings.address, self.settings.microsoft_port),
            name=name,
            dial=self.authority.dialling(self.microsoft_pem),
            listen=self.authority.listening(self.microsoft_pem) if listens else None,
        )
        await phone.start()
        if dials:
            await phone.connect()
        self.phones.append(phone)
        return phone

    async def hang_up(self) -> None:
        for phone in self.phones:
            await phone.stop()  # type: ignore[attr-defined]
        self.phones.clear()

    async def reset(self) -> None:
        """Bring the rows back to what every test starts with."""
        wanted = {(table, key): value for table, key, value in self.rows()}
        held = {
            (table, key): value
            for table in (*TABLES, *DERIVED_TABLES)
            for key, value in (await self.engine.dump(table)).items()
        }
        await self.engine.delete_rows([key for key in held if key not in wanted])
        await self.engine.set_rows([(*key, value) for key, value in wanted.items() if held.get(key) != value])
        await self.engine.delete_rows([("md", key) for key in await self.engine.dump("md")])
        await self.engine.fetch_events()

    async def new_second(self) -> None:
        """Wait until Kamailio counts calls in a new window."""
        await asyncio.sleep(1.02 - time.time() % 1)

    async def change(self, *rows: Row) -> None:
        """Change rows for the rest of this test."""
        await self.engine.set_rows(rows)

    def invite_from_carrier(
        self,
        carrier: Phone,
        called: str,
        caller: str = "+442071234567",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        body: str | None = None,
        sender: str = "",
        **more: Any,
    ) -> Message:
        """Send an INVITE as a carrier does and return it."""
        sdp = SDP.format(address=carrier.address, port=42000) if body is None else body
        sender = (sender or f"<sip:{caller}@{carrier.address}>") + f";tag={uuid.uuid4().hex}"
        invite = carrier.request(
            "INVITE",
            f"sip:{called}@{self.settings.address}:5060",
            sender=sender,
            to=f"<sip:{called}@{self.settings.address}>",
            headers=headers,
            body=sdp,
            **more,
        )
        carrier.send(invite.build())
        return invite

    def invite_from_teams(
        self,
        microsoft: Phone,
        called: str,
        caller: str = "+4930111",
        *,
        host: str = ACME,
        headers: tuple[tuple[str, str], ...] = (),
        body: str | None = None,
        send: bool = True,
        **more: Any,
    ) -> Message:
        """Send an INVITE as Teams does and return it."""
        sdp = SRTP_SDP.format(address=microsoft.address, port=40000) if body is None else body
        sender = f"<sip:{caller}@sip.pstnhub.microsoft.com:5061;user=phone>;tag={uuid.uuid4().hex}"
        invite = microsoft.request(
            "INVITE",
            f"sip:{called}@{host}:5061;user=phone;transport=tls",
            sender=sender,
            to=f"<sip:{called}@{host}:5061;user=phone>",
            body=sdp,
            headers=(
                ("Allow", "INVITE,ACK,CANCEL,BYE,NOTIFY"),
                ("User-Agent", "Microsoft.PSTNHub.SIPProxy v.2020"),
                *headers,
            ),
            **more,
        )
        if send:
            microsoft.send(invite.build())
        return invite

    def caller(self, phone: Phone, invite: Message, answer: Message) -> Dialog:
        return Dialog.of_caller(phone, invite, answer)

    def callee(self, phone: Phone, invite: Message, answer: Message) -> Dialog:
        return Dialog.of_callee(phone, invite, answer)

    async def answered(self, caller: Phone, invite: Message, callee: Phone, sdp: str) -> tuple[Dialog, Dialog, Message]:
        """Let the callee ring and answer; return both sides' dialogs and the INVITE that the callee got."""
        got = await callee.expect("INVITE")
        callee.reply(got, 180)
        await caller.expect("INVITE", 180)
        said = callee.reply(got, 200, body=sdp.format(address=callee.address, port=41000))
        answer = await caller.expect("INVITE", 200)
        mine = Dialog.of_caller(caller, invite, answer)
        mine.request("ACK")
        await callee.expect("ACK")
        return mine, Dialog.of_callee(callee, got, said), got

    def lines(self) -> list[Line]:
        """Return every record line that Kamailio has written so far."""
        found: list[Line] = []
        for path in sorted(self.settings.records.glob("calls_*.log")):
            lines, _, bad = parse_chunk(path.read_bytes())
            assert not bad, bad
            found += lines
        return found

    async def record(self, call_id: str, patience: float = 3.0, **options: Any) -> dict[str, Any]:
        """Return the record of the call with this Call-ID."""
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            lines = self.lines()
            ids = {line.id for line in lines if getattr(getattr(line, "facts", line), "call_id", "") == call_id}
            for each in ids:
                record = merge([line for line in lines if line.id == each], **options)
                if record is not None:
                    return record
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"no record of {call_id} in {lines}")
            await asyncio.sleep(0.02)


def tenant(
    *,
    fq: str,
    default: str = "",
    policy: str = "replace",
    state: int = 1,
    cps: int = 50,
    channels: int = 50,
    foreign: int = 0,
    longest: int = 15,
) -> str:
    """Return a customer's switch row."""
    return (
        f"m=3;st={state};cps={cps};cc={channels};g=1;ml={longest};fq={fq};def={default};scr={policy};fx={foreign};co=DE"
    )


@asynccontextmanager
async def running(directory: Path, **changes: Any) -> AsyncIterator[Stage]:
    """Give a running SBC, and take everything down afterwards."""
    stage = Stage(directory, **changes)
    try:
        await stage.plane.start(stage.rows())
        yield stage
    finally:
        await stage.hang_up()
        await stage.plane.stop()
