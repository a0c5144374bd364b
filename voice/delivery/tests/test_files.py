"""Files into a real SFTP server and a bucket: whole, once, under names that say what is in them."""

import asyncio
import csv
import io
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import asyncssh
import pytest
from django.core.exceptions import ValidationError
from urllib3.exceptions import SSLError

from lab import ca
from portal.db import contexts
from voice.delivery import feed, pump, services
from voice.delivery.files import COLUMNS
from voice.delivery.models import Store, StoredFile
from voice.delivery.pinned import pinned_pool
from voice.delivery.schedule import next_time
from voice.delivery.tests.conftest import BY, NOW
from voice.delivery.tests.make import priced

pytestmark = pytest.mark.django_db
LATER = timedelta(days=2)


class Password(asyncssh.SSHServer):
    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == ("strowger", "right")


@pytest.fixture
def sftp(tmp_path, settings):
    """An SFTP server of the real protocol whose root is a folder."""
    settings.DELIVERY_NETWORKS = ["127.0.0.0/8"]
    (tmp_path / "cdr").mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()

    async def start():
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Password, server_host_keys=[key],
            sftp_factory=lambda chan: asyncssh.SFTPServer(chan, chroot=str(tmp_path)),
        )  # fmt: skip

    server = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    host_key = key.export_public_key().decode().strip()
    yield tmp_path / "cdr", server.sockets[0].getsockname()[1], " ".join(host_key.split()[:2])
    loop.call_soon_threadsafe(server.close)
    asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def store(desk, port=22, **facts):
    whole = {"msp": desk, "name": "Files", "host": "localhost", "port": port, "folder": "cdr", "username": "strowger",
             "secret": "right", "host_key": "ssh-ed25519 AAAA"}  # fmt: skip
    return services.save_store(Store(**whole | facts), by=BY)


def put(desk):
    """Put what is due two days on, and return how many files there were."""
    return pump.put_due(desk, now=datetime.now(UTC) + LATER)


def test_calls_come_as_csv_once_and_under_a_name_that_says_which(desk, acme, sftp):
    folder, port, key = sftp
    contexts.use_msp(desk)
    calls = [priced(acme, NOW - timedelta(seconds=n), destination=name) for n, name in ((3, "Germany"), (2, "=1+1"))]
    feed.collect(desk, NOW)
    store(desk, port, host_key=key)

    assert [put(desk), put(desk)] == [1, 0]

    assert [file.name for file in folder.iterdir()] == ["northwind-calls-000000001-000000001.csv"]
    rows = list(csv.DictReader(io.StringIO((folder / "northwind-calls-000000001-000000001.csv").read_text())))
    assert [row["id"] for row in rows] == [str(key) for key in calls]
    assert [row["destination"] for row in rows] == ["Germany", "'=1+1"], "no cell is a formula"
    assert (rows[0]["called"], rows[0]["micros"], list(rows[0])) == ("+4989123400", "180000", COLUMNS)
    assert StoredFile.objects.get().state == "done"


def test_a_server_with_another_key_gets_nothing(desk, acme, sftp):
    folder, port, _key = sftp
    contexts.use_msp(desk)
    priced(acme, NOW - timedelta(seconds=1))
    feed.collect(desk, NOW)
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    store(desk, port, host_key=" ".join(other.split()[:2]))

    put(desk)

    file = StoredFile.objects.get()
    assert (file.state, list(folder.iterdir())) == ("waiting", [])
    assert "key" in file.error.lower()


def test_a_wrong_password_is_told_and_put_right(desk, acme, sftp):
    folder, port, key = sftp
    contexts.use_msp(desk)
    priced(acme, NOW - timedelta(seconds=1))
    feed.collect(desk, NOW)
    made = store(desk, port, host_key=key, secret="wrong")
    put(desk)
    assert StoredFile.objects.get().state == "waiting"

    made.secret = "right"
    services.save_store(made, by=BY)
    services.put_again(StoredFile.objects.all(), by=BY)
    pump.put_due(desk)

    assert StoredFile.objects.get().state == "done"
    assert len(list(folder.iterdir())) == 1


class Hello(BaseHTTPRequestHandler):
    """Says hello to everybody."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args):
        pass


@pytest.fixture
def bucket(settings):
    """A server that keeps what is put into it, by its path: host asked for, signature, content."""
    settings.DELIVERY_NETWORKS = ["127.0.0.0/8"]

    class Bucket(BaseHTTPRequestHandler):
        def do_GET(self):
            body = b'<?xml version="1.0"?><LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PUT(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.server.kept[self.path] = (self.headers["host"], self.headers["authorization"], body)
            self.send_response(200)
            self.send_header("etag", '"1"')
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Bucket)
    server.kept = {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_everything_goes_into_a_bucket_as_json_lines(desk, acme, bucket):
    contexts.use_msp(desk)
    priced(acme, NOW - timedelta(seconds=1))
    feed.collect(desk, NOW)
    store(desk, bucket.server_port, way="s3", folder="bucket/strowger", content="all", host_key="")

    put(desk)

    assert StoredFile.objects.get().error == ""
    ((path, (_host, signed, body)),) = bucket.kept.items()
    assert path == "/bucket/strowger/northwind-all-000000001-000000001.jsonl"
    assert signed.startswith("AWS4-HMAC-SHA256 Credential=strowger/")
    assert body.decode().count("\n") == 1
    assert b'"sequence": 1' in body


@pytest.mark.parametrize(("later", "arrives"), [("127.0.0.1", True), ("10.1.2.3", False), ("198.51.100.7", False)])
def test_a_name_leads_into_a_bucket_only_where_it_was_looked_at(desk, acme, bucket, monkeypatch, later, arrives):
    answers = ["127.0.0.1"]

    def resolve(host, port, *_kind, **_facts):
        named = host == "files.northwind.example"
        address = (answers.pop(0) if answers else later) if named else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    contexts.use_msp(desk)
    priced(acme, NOW - timedelta(seconds=1))
    feed.collect(desk, NOW)
    place = {"host": "files.northwind.example", "folder": "bucket", "host_key": ""}
    store(desk, bucket.server_port, way="s3", content="all", **place)
    monkeypatch.setattr("voice.delivery.addresses.socket.getaddrinfo", resolve)

    put(desk)
    monkeypatch.undo()

    assert [host for host, _signed, _body in bucket.kept.values()] == (
        [f"files.northwind.example:{bucket.server_port}"] if arrives else []
    )
    error = StoredFile.objects.get().error
    assert error == "" if arrives else "public network" in error or "https://" in error


@pytest.mark.parametrize(("name", "is_known"), [("files.northwind.example", True), ("evil.example", False)])
def test_the_certificate_is_checked_against_the_name_and_not_the_address(
    tmp_path, settings, monkeypatch, name, is_known
):
    settings.DELIVERY_NETWORKS = ["127.0.0.0/8"]
    root, key = ca.Authority.open(tmp_path, "root", "Root"), ca.new_key()
    (tmp_path / "leaf.pem").write_bytes(ca.pem(root.issue(ca.Leaf(name, (name,)), key)) + ca.pem_key(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "leaf.pem")
    server = HTTPServer(("127.0.0.1", 0), Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("voice.delivery.pinned.address_of", lambda host, port: ("127.0.0.1", True))
    pool = pinned_pool(ca_certs=str(tmp_path / "root.pem"), retries=False, timeout=5)

    url = f"https://files.northwind.example:{server.server_port}/"
    if is_known:
        assert pool.request("GET", url).data == b"hello"
    else:
        with pytest.raises(SSLError, match="northwind"):
            pool.request("GET", url)
    server.shutdown()
    server.server_close()


def test_files_are_due_at_the_hour_or_after_midnight():
    at = datetime(2026, 11, 2, 23, 59, 30, tzinfo=UTC)

    assert next_time("hour", at) == datetime(2026, 11, 3, tzinfo=UTC)
    assert next_time("day", at) == datetime(2026, 11, 3, 0, 10, tzinfo=UTC)
    assert next_time("day", datetime(2026, 11, 3, 0, 10, tzinfo=UTC)) == datetime(2026, 11, 4, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "wrong",
    [{"host": "files.example; rm"}, {"folder": "../../etc"}, {"folder": "/etc"}, {"secret": ""}, {"host_key": ""},
     {"way": "s3", "folder": ""}, {"port": 0}],
)  # fmt: skip
def test_bad_places_are_refused(desk, wrong):
    with pytest.raises(ValidationError):
        store(desk, **wrong)
