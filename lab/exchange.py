"""The whole lab: Microsoft, the carriers, and the calls between them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from lab.carrier import FakeCarrier
from lab.microsoft import FakeMicrosoft
from lab.scenario import Customer, Scenario
from lab.session import Call
from lab.settings import LabSettings
from lab.story import Step, Story

SOMEBODY_ABROAD = "+442079460123"


class LabError(ValueError):
    """A wish that the lab cannot fulfil."""


@dataclass
class Order:
    """A call that somebody wants to be placed."""

    caller: str = ""
    called: str = ""
    via: str = ""  # teams, carrier, or a carrier's name; empty: whoever has the number
    customer: str = ""
    seconds: float = 5.0
    hold: bool = False
    anonymous: bool = False
    diverted_by: str = ""


@dataclass
class Outcome:
    """What became of it."""

    code: int
    reason: str
    trunk: str
    story: Story
    taken_by: list[str] = field(default_factory=list)
    media: dict[str, int] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        return {
            "code": self.code,
            "reason": self.reason,
            "trunk": self.trunk,
            "taken_by": self.taken_by,
            "media": self.media,
        }


class Lab:
    """Runs all endpoints and places calls between them."""

    def __init__(self, settings: LabSettings, scenario: Scenario) -> None:
        self.settings, self.scenario = settings, scenario
        self.microsoft = FakeMicrosoft(settings, scenario.directory(), dict(scenario.addresses))
        self.carriers = {one.name: FakeCarrier(settings, one) for one in scenario.carriers}
        self._told: dict[str, tuple[Story, list[str]]] = {}
        for endpoint in (self.microsoft, *self.carriers.values()):
            endpoint.story_of = self._teller(endpoint.name)

    async def start(self) -> None:
        """Start every endpoint, or none."""
        try:
            await self.microsoft.start()
            for carrier in self.carriers.values():
                await carrier.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop every endpoint."""
        for endpoint in (self.microsoft, *self.carriers.values()):
            await endpoint.close()

    def learn(self, scenario: Scenario) -> None:
        """Take over customers and numbers of a newer scenario; carriers stay."""
        self.scenario = scenario
        self.microsoft.directory = scenario.directory()
        self.microsoft.addresses = dict(scenario.addresses)

    async def place(self, order: Order, on_step: Callable[[Step], None] | None = None) -> Outcome:
        """Place a call, talk for a while, hang up, and tell what happened."""
        order = self._complete(order)
        story = Story(on_step=on_step)
        taken: list[str] = []
        key = _key(order.called)
        self._told[key] = (story, taken)
        try:
            call, extra, body = self._prepare(order, story)
            placing = asyncio.create_task(call.place(*extra, body=body))
            try:
                await placing
                if call.answered.is_set():
                    await self._talk(call, order)
            finally:
                await call.wind_up(placing)
        finally:
            self._told.pop(key, None)
        sound = call.media
        media = {"sent": sound.sent, "received": sound.received, "refused": sound.refused} if sound else {}
        return Outcome(call.code, call.end_reason, call.trunk, story, taken, media)

    async def _talk(self, call: Call, order: Order) -> None:
        if order.hold:
            await asyncio.sleep(order.seconds / 3)
            await call.hold()
            await asyncio.sleep(order.seconds / 3)
            await call.resume()
        try:
            await asyncio.wait_for(call.ended.wait(), order.seconds / (3 if order.hold else 1))
        except TimeoutError:
            call.note("hanging up")

    def _complete(self, order: Order) -> Order:
        """Put somebody in where the order names nobody."""
        customer = self.scenario.named(order.customer) if order.customer else None
        people = [customer] if customer else [one for one in self.scenario.customers if one.numbers]
        if not people or not people[0].numbers:
            return order
        inside, outside = people[0].numbers[0], next(iter(people[0].destinations), SOMEBODY_ABROAD)
        inbound = self.scenario.owner_of(order.called) is not None or order.via not in ("", "teams")
        caller = order.caller or (outside if inbound else inside)
        return replace(order, caller=caller, called=order.called or (inside if inbound else outside))

    def _prepare(self, order: Order, story: Story) -> tuple[Call, list[tuple[str, str]], tuple[str, bytes] | None]:
        if not self._by_carrier(order):
            customer = self._customer(order.customer, order.caller)
            return self.microsoft.call(
                customer.fqdn,
                order.caller,
                order.called,
                anonymous=order.anonymous,
                diverted_by=order.diverted_by,
                emergency=len(order.called.lstrip("+")) <= 4,
                story=story,
            )
        call = self._carrier(order).call(order.caller, order.called, anonymous=order.anonymous, story=story)
        return call, [], None

    def _by_carrier(self, order: Order) -> bool:
        if order.via:
            return order.via != "teams"
        return not order.customer and self.scenario.owner_of(order.caller) is None

    def _customer(self, name: str, number: str) -> Customer:
        found = self.scenario.named(name) if name else self.scenario.owner_of(number)
        if found is None:
            raise LabError(f"No customer {name!r}." if name else f"{number} belongs to no customer; name one.")
        return found

    def _carrier(self, order: Order) -> FakeCarrier:
        if not self.carriers:
            raise LabError("The scenario has no carrier.")
        if order.via in self.carriers:
            return self.carriers[order.via]
        owner = self.scenario.owner_of(order.called)
        wanted = [name for name in (owner.carriers if owner else ()) if name in self.carriers]
        return self.carriers[wanted[0] if wanted else next(iter(self.carriers))]

    def is_told(self, number: str) -> bool:
        """Tell whether somebody follows a call to this number just now; others had better not call it."""
        return _key(number) in self._told

    def _teller(self, name: str) -> Callable[[str], Story | None]:
        def story_of(number: str) -> Story | None:
            story, taken = self._told.get(_key(number), (None, []))
            taken.append(name)
            return story

        return story_of


def _key(number: str) -> str:
    # The SBC may write the number without its plus or with another prefix.
    return number[-7:].lstrip("+")
