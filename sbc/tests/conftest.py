"""A real SBC for the tests that ask for one, and a portal for the nodes that dial one."""

from sbc.tests.dialling import node, token
from sbc.tests.node_portal import portal, short_waits
from sbc.tests.rated import decks, send, trunk
from sbc.tests.sip.fixtures import sbc, stage

__all__ = ["decks", "node", "portal", "sbc", "send", "short_waits", "stage", "token", "trunk"]
