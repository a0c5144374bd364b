"""A feed with calls in it, a receiver of webhooks, and an SFTP server."""

import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from portal.core.audit import Actor
from portal.db import contexts
from voice.delivery import feed

BY = Actor.system("tests")
# Records have partitions around today.
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def office(client_of, nadia, northwind):
    return client_of(nadia, northwind)


@pytest.fixture
def desk(northwind):
    """Northwind's context, with a feed that was opened an hour ago."""
    contexts.use_msp(northwind)
    feed.collect(northwind, NOW - timedelta(hours=1))
    return northwind


class Receiver(BaseHTTPRequestHandler):
    """Answers as the test says, and keeps what it got."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.got.append((dict(self.headers.items()), body))
        self.send_response(self.server.answer)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for _ in range(self.server.drops):
            try:
                self.wfile.write(b" ")
            except OSError:
                break  # nobody waits any more
            time.sleep(0.1)

    def log_message(self, *args):
        pass


@pytest.fixture
def receiver(settings):
    settings.DELIVERY_NETWORKS = ["127.0.0.0/8"]
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.answer, server.headers, server.drops = [], 200, {}, 0
    server.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
