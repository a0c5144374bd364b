"""A VIES of our own, by the contract that the Commission documents for its REST service."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

REGISTERED = {("DE", "123456789"): "Northwind Voice GmbH", ("FR", "12345678901"): "---", ("PL", "1234567890"): "Acme"}
UNAVAILABLE = {"ES"}


class Register(BaseHTTPRequestHandler):
    """Answers POST /check-vat-number."""

    asked: list[dict[str, Any]]

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(question)
        said, status = self.say(question)
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def say(self, question: dict[str, Any]) -> tuple[Any, int]:
        country, number = question["countryCode"], question["vatNumber"]
        if question.get("requesterNumber") == "000000000":
            return {"actionSucceed": False, "errorWrappers": [{"error": "INVALID_REQUESTER_INFO"}]}, 400
        if country in UNAVAILABLE:
            return {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}, 500
        if country == "SE":
            return b"<html>Down for maintenance", 503
        name = REGISTERED.get((country, number))
        proof = "WAPIAAAAZqw1rXYZ" if "requesterNumber" in question else ""
        return {
            "countryCode": country, "vatNumber": number, "requestDate": "2026-11-28T19:00:00.000Z",
            "valid": name is not None, "requestIdentifier": proof, "name": name or "---", "address": "---",
        }, 200  # fmt: skip

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def register() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Run the register; yields its address and the questions that it was asked."""
    asked: list[dict[str, Any]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Own", (Register,), {"asked": asked}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/rest-api", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
