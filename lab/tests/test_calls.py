"""Calls between the lab's own parts, without an SBC between them."""

from lab.microsoft import FakeMicrosoft
from lab.tests.conftest import ABROAD, ACME, ACME_NUMBER, ToySbc, until


async def test_a_call_to_a_teams_user_is_answered_and_hung_up_without_a_refusal(microsoft: FakeMicrosoft, sbc: ToySbc):
    call = sbc.call()

    assert await call.place() == 200
    await until(lambda: call.media.received > 3)
    assert await call.hang_up() == 200

    assert microsoft.refusals == []
    assert call.media.refused == 0


async def test_a_call_of_a_teams_user_is_held_resumed_and_hung_up_on_other_connections(
    microsoft: FakeMicrosoft, sbc: ToySbc
):
    call = await microsoft.place_call(ACME, ACME_NUMBER, ABROAD)
    assert call.code == 200
    await until(lambda: call.media.received > 3)

    assert await call.hold() == 200
    assert call.remote_sdp.direction == "inactive"
    assert await call.resume() == 200
    assert await call.hang_up() == 200

    assert microsoft.refusals == []
    # The INVITE came by one connection, what followed by another.
    sources = {flow.remote for flow in sbc.ports[0].flows}
    assert len({host for host, _ in sources}) == 2
