import argparse
import json
import re
from pathlib import Path

import pytest

from sbc.node.__main__ import BadSettings, alone, read_settings
from sbc.node.daemons import DataPlane
from sbc.node.settings import NodeSettings

ETC = Path(__file__).resolve().parent.parent / "node" / "etc"

GOOD = {"portal": "ws://127.0.0.1:8001", "node": "sbc-1", "token": "secret", "directory": "/tmp/node"}


def read(tmp_path: Path, said: object, **flags):
    path = tmp_path / "node.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    blank = dict.fromkeys(("portal", "node", "engine", "directory", "token_file"))
    return read_settings(argparse.Namespace(settings=path, **blank | flags))


def test_settings_of_node_and_line_come_from_one_file(tmp_path):
    said = GOOD | {"engine": "memory", "address": "127.9.9.9", "carrier_port": 5070, "microsoft_names": ["a.example"]}
    node, link, engine = read(tmp_path, said)

    assert (node.address, node.carrier_port, node.microsoft_names) == ("127.9.9.9", 5070, ("a.example",))
    assert node.directory == Path("/tmp/node")
    assert (link.portal, link.node, link.token, engine) == ("ws://127.0.0.1:8001", "sbc-1", "secret", "memory")


def test_flags_win_over_the_file(tmp_path):
    (tmp_path / "token").write_text("rotated\n")
    node, link, _ = read(tmp_path, GOOD, node="sbc-2", directory="/tmp/other", token_file=str(tmp_path / "token"))

    assert (link.node, link.bearer(), node.directory) == ("sbc-2", "rotated", Path("/tmp/other"))


@pytest.mark.parametrize(
    "said, says",
    [
        ("{", "node.json"),
        ({**GOOD, "token": ""}, "a token is missing"),
        ({**GOOD, "portal": ""}, "portal is missing"),
        ({**GOOD, "engine": "asterisk"}, "no engine 'asterisk'"),
        ({**GOOD, "colour": "red"}, "no setting 'colour'"),
        ({**GOOD, "carrier_port": "5060"}, "carrier_port: expected int"),
        ({**GOOD, "token_file": "/nowhere/token"}, "token file"),
        (
            {**GOOD, "portal": "wss://a.example", "portal_roots": "/nowhere/ca"},
            "portal_roots /nowhere/ca: .*No such file",
        ),
        ({**GOOD, "portal": "wss://a.example", "portal_roots": "/dev/null"}, "portal_roots /dev/null: "),
        ({**GOOD, "portal_roots": "/nowhere/ca"}, "portal_roots: the portal is not dialled by wss://"),
        ([], "not an object"),
    ],
)
def test_wrong_settings_get_one_clear_line(tmp_path, said, says):
    with pytest.raises(BadSettings, match=says):
        read(tmp_path, said)


def test_two_node_processes_do_not_share_a_directory(tmp_path):
    with alone(tmp_path / "node"), pytest.raises(BadSettings, match="another node process"):
        alone(tmp_path / "node")
    alone(tmp_path / "node").close()


def test_kamailio_keeps_its_files_in_the_nodes_directory(tmp_path):
    """A service user cannot make /run/kamailio, and two nodes on one machine must not share it."""
    plane = DataPlane(NodeSettings(directory=tmp_path))
    command = plane.daemons["kamailio"].command
    assert command[command.index("-Y") + 1] == str(tmp_path / "run")


def test_the_example_for_a_new_node_is_understood(tmp_path):
    example = json.loads((Path(__file__).parents[2] / "deploy" / "node.example.json").read_text())
    token = tmp_path / "node.token"
    token.write_text("secret\n")

    node, link, engine = read(tmp_path, example | {"token_file": str(token)})

    assert (link.portal, link.token, engine) == ("wss://console.voice.example/node/v1/", "secret", "kamailio")
    assert node.directory == Path("/var/lib/strowger-node")


SAID = """v=0
o=- 1 1 IN IP4 10.0.0.1
c=IN IP4 {0}
m=audio 4000 RTP/AVP 8
c=IN IP4 {0}/127
a=rtcp:4001 IN IP4 {0}
a=candidate:1 1 UDP 2130706431 {0} 4000 typ host
a=candidate:2 1 UDP 1694498815 203.0.113.9 4000 typ srflx raddr {0} rport 4000
"""


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.9.8.7", "169.254.169.254", "0.0.0.0", "192.0.2.77", "203.0.113.9"]
)
def test_no_sound_is_sent_to_a_node_in_the_world_itself(address):
    """In the lab everybody lives on loopback, so that its calls cannot show this rule."""
    text = (ETC / "kamailio" / "20-arrivals.cfg").read_text().replace("@INSIDE@", "192.0.2.77")
    said = SAID.format(address).replace("\n", "\r\n")
    rules = re.findall(
        r'subst_body\("/(.*?)/(.*?)/g"\)', text.partition("route[MEDIA_OUTSIDE] {")[2].partition("\n}")[0]
    )
    assert len(rules) == 4

    for pattern, instead in rules:
        said = re.sub(pattern, instead.replace("\\\\", "\\"), said)

    own = address not in ("0.0.0.0", "203.0.113.9")
    assert (address in said) is not own
    assert said.count("IN IP4 0.0.0.0") == (2 if address == "0.0.0.0" else 0), "which is a call on hold"
    assert not re.search("candidate.* 0[.]0[.]0[.]0 .*typ|rtcp.* 0[.]0", said)


@pytest.mark.parametrize(
    ("source", "real", "lab"),
    [
        ("127.0.5.1", True, True),  # where the lab's node and every node inside listens
        ("127.0.9.1", True, False),
        ("127.0.0.1", True, False),
        ("192.0.2.5", True, False),
        ("192.0.2.6", False, False),
        ("0.1.2.3", True, True),
        ("169.254.169.254", True, True),
        ("224.0.0.1", True, True),
        ("255.255.255.255", True, True),
        ("10.1.2.3", False, False),
    ],
)
def test_what_is_this_machines_or_nobodys_is_no_carriers(source, real, lab):
    assert NodeSettings(address="192.0.2.5").is_own(source) is real
    assert NodeSettings().is_own(source) is lab
