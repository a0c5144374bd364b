import pytest

from sbc.node.inspect import main
from sbc.node.snapshot import Snapshot
from sbc.node.spool import OpenCall, Spool
from sbc.node.state import State
from sbc.protocol import Apply, Row


def apply(scope: str, version: int, *rows: tuple[str, str, str]) -> Apply:
    return Apply(scope=scope, version=version, nonce="", needs={}, after={}, base=None, set=[Row(*row) for row in rows],
                 delete=[], closing=False, approved=False)  # fmt: skip


@pytest.fixture
def directory(tmp_path):
    state, snapshot = State(), Snapshot(tmp_path / "snapshot.sqlite")
    trunk = [("gw", "g12", "h=127.0.9.1;m=3;o=0"), ("au", "g12.p", "hunter2")]
    for message in (
        apply("msp:3", 4, *trunk),
        apply("cust:17", 2, ("tn", "17", "m=3;g=1"), ("dn", "4930123", "t=17")),
        apply("cust:18", 9, ("tn", "18", "m=3;g=1"), ("dn", "4930123", "t=18")),
    ):
        plan = state.plan(message)
        snapshot.commit(plan)
        state.commit(plan)
    snapshot.intend(apply("cust:17", 3))
    spool = Spool(tmp_path / "spool.sqlite")
    spool.store([{"kind": "cdr", "id": "c1"}], [OpenCall("c2", "", 5, 1_770_000_000_000)])
    return tmp_path


def asked(directory, *what: str) -> str:
    return "\n".join(main(["--directory", str(directory), *what]))


def test_the_engineer_at_night_sees_what_the_node_holds(directory):
    assert "cust:17: version 3 was begun" in asked(directory)
    assert "! dn 4930123 = t=17" in asked(directory, "rows", "cust:17")
    assert "  dn 4930123 = t=18" in asked(directory, "rows", "cust:18")
    assert asked(directory, "find", "4930123").count("\n") == 1
    assert "not acknowledged: 1 (1 to 1)" in asked(directory, "spool")
    assert "c2 answered 2026-02-02" in asked(directory, "spool")
    assert '"id": "c1"' in asked(directory, "record", "1")


def test_passwords_are_not_shown(directory):
    assert "hunter2" not in asked(directory, "rows", "msp:3")
    assert "au g12.p = ********" in asked(directory, "rows", "msp:3")
    assert asked(directory, "find", "hunter2") == ""


def test_a_wrong_directory_gets_one_clear_line(tmp_path):
    with pytest.raises(SystemExit, match="is this a node's directory"):
        asked(tmp_path)
