import argparse
import json
from pathlib import Path

import pytest

from sbc.node.__main__ import BadSettings, alone, read_settings
from sbc.node.daemons import DataPlane
from sbc.node.settings import NodeSettings

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
