import argparse
import json
from pathlib import Path

import pytest

from sbc.node.__main__ import BadSettings, alone, read_settings

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
