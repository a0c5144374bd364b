"""What `make run` looks at before it starts anything."""

import socket

import pytest

from portal import launch, run
from sbc.node.settings import NodeSettings

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


@pytest.mark.parametrize(("kind", "words"), [(TCP, r"^Port \d+ of"), (UDP, r"^Port \d+ \(UDP\) of")])
@pytest.mark.parametrize("shared", [False, True])
def test_a_busy_port_is_named(kind, words, shared):
    with socket.socket(type=kind) as busy:
        # As Kamailio opens its sockets: two of these would both get the packets, or one of them none.
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(shared))
        busy.bind(("127.0.0.1", 0))
        if kind == TCP:
            busy.listen()
        with pytest.raises(run.Stop, match=words + r" 127\.0\.0\.1 is in use"):
            launch._refuse_busy_ports([(kind, *busy.getsockname())])
    launch._refuse_busy_ports([(kind, *nobodys())])


def nobodys():
    """Return an address at which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()


@pytest.mark.parametrize(("engine", "lab"), [("kamailio", True), ("kamailio", False), ("memory", True)])
def test_everything_that_will_listen_is_looked_at(engine, lab):
    node = NodeSettings()
    doors = {(UDP, node.address, node.carrier_port), (TCP, node.address, node.carrier_port),
             (TCP, node.address, node.microsoft_port)}  # fmt: skip
    behind = {(TCP, node.inside, port) for port in (node.proxied_port, node.proxied_carrier_port, node.rpc_port,
                                                    node.tls_port)} | {(UDP, node.inside, node.ng_port)}  # fmt: skip
    carriers = {(kind, f"127.0.9.{number}", 5060) for kind in (TCP, UDP) for number in (1, 2)}

    looked_at = set(launch._listening(engine, lab=lab))

    assert {(TCP, "127.0.0.1", launch.PORTAL), (TCP, "127.0.0.1", launch.NODES)} <= looked_at
    assert (doors | behind <= looked_at) is (engine == "kamailio")
    assert (carriers <= looked_at) is (engine == "kamailio" and lab)


def test_a_start_looks_before_it_starts_anything(monkeypatch, tmp_path):
    monkeypatch.setattr(launch, "VAR", tmp_path)
    monkeypatch.setenv("STROWGER_ENGINE", "kamailio")
    with socket.socket(type=UDP) as busy:
        busy.bind(("127.0.0.1", 0))
        monkeypatch.setattr(launch, "_listening", lambda engine, lab: [(UDP, *busy.getsockname())])
        with pytest.raises(run.Stop, match="UDP"):
            launch._start(lab=False, calm=True)
    assert not (tmp_path / "secret-key").exists()
