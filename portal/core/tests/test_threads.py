"""A page leaves its thread as soon as it is drawn; what is streamed leaves chunk by chunk, in order."""

import asyncio
import os
from threading import Thread

import pytest

from portal.core.threads import ThreadedWsgi

SCOPE = {
    "type": "http", "http_version": "1.1", "method": "POST", "path": "/x", "root_path": "", "scheme": "http",
    "query_string": b"", "headers": [(b"host", b"acme.example")], "client": ["127.0.0.1", 1], "server": ["h", 80],
}  # fmt: skip


class Answer:
    def __init__(self, chunks):
        self.chunks, self.closed = chunks, False

    def __iter__(self):
        return iter(self.chunks)

    def close(self):
        self.closed = True


@pytest.mark.parametrize("chunks", [[b"whole"], [b"one", b"two", b"three"], []])
def test_what_the_application_answers_arrives_whole_and_it_is_told_the_end(chunks):
    answer, sent = Answer(chunks), []

    def application(environ, start_response):
        assert environ["wsgi.input"].read() == b"question"
        start_response("200 OK", [("Content-Type", "text/plain")])
        return answer

    async def receive():
        return {"type": "http.request", "body": b"question", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(ThreadedWsgi(application, threads=1)(SCOPE, receive, send))

    assert [message["type"] for message in sent] == ["http.response.start"] + ["http.response.body"] * max(
        1, len(chunks)
    )
    assert sent[0]["headers"] == [(b"content-type", b"text/plain")]
    assert b"".join(message.get("body", b"") for message in sent) == b"".join(chunks)
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(chunks) - 1) + [False]
    assert answer.closed


@pytest.mark.parametrize(("wish", "stays"), [("", True), ("any", False), ("4095", False), ("first", False)])
def test_all_threads_of_the_server_stay_on_one_processor_that_may_be_chosen(wish, stays):
    seen = []

    def application(environ, start_response):
        seen.append(os.sched_getaffinity(0))
        start_response("200 OK", [])
        return [b""]

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        """Nobody listens."""

    # A thread of its own: who runs the tests stays where it is.
    allowed = os.sched_getaffinity(0)
    serve = ThreadedWsgi(application, threads=1, processor=wish)
    server = Thread(target=lambda: asyncio.run(serve(SCOPE, receive, send)))
    server.start()
    server.join()

    assert len(seen) == 1
    assert len(seen[0]) == (1 if stays else len(allowed))
    assert os.sched_getaffinity(0) == allowed
