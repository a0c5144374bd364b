"""The readers of SIP, SDP and certificates against input that means no good."""

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab import sdp, sip
from lab.body import mixed, sdp_of
from lab.certificate import covers
from lab.tests.test_refusals import invite, offer, put
from lab.uri import SipError, parse_name_addr, parse_uri

GOOD = invite().encode()


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    data = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        kind = draw(st.sampled_from(("set", "cut", "insert", "repeat")))
        if kind == "set":
            data[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        elif kind == "insert":
            data[at:at] = draw(
                st.sampled_from((b"\r\n", b"\0", b"\r\n\r\n", b"\xff", b'"', b"<", b">", b",", b";=", b":"))
            )
        else:
            data[at:at] = data[at : at + draw(st.integers(1, 60))]
        if not data:
            break
    return bytes(data)


@settings(max_examples=600, deadline=None)
@given(mutants() | st.binary(max_size=400))
@example(b"")
@example(b"SIP/2.0 200 OK\r\n\r\n")
def test_a_message_is_read_or_refused_and_never_breaks_the_reader(data: bytes):
    try:
        message = sip.parse(data)
    except SipError:
        return
    again = sip.parse(message.encode())
    assert again.encode() == message.encode()
    if message.body:
        with contextlib.suppress(sdp.SdpError):
            sdp.parse(message.body)


@settings(max_examples=200, deadline=None)
@given(st.lists(mutants() | st.just(GOOD), max_size=3), st.integers(1, 700))
def test_a_stream_in_pieces_is_read_or_refused(messages: list[bytes], size: int):
    framer, data = sip.Framer(), b"".join(messages)
    found = []
    try:
        for start in range(0, len(data), size):
            found += framer.feed(data[start : start + size])
    except SipError:
        return
    if all(message == GOOD for message in messages):
        assert [message.encode() for message in found] == messages


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.integers(0, 200).map(lambda at: offer()[:at] + offer()[at + 3 :]))
def test_a_description_is_read_or_refused(data: bytes):
    with contextlib.suppress(sdp.SdpError):
        sdp.parse(data)


def test_a_good_message_survives_reading_and_writing():
    message = sip.parse(GOOD)

    assert message.encode() == GOOD
    assert sdp.parse(message.body).encode() == message.body


@pytest.mark.parametrize(
    "change",
    [
        (b"Call-ID", b"X-Call"),
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE"),
        (b"CSeq: 1 INVITE", b"CSeq: 4294967296 INVITE"),
        (b"CSeq: 1 INVITE", b"CSeq: 1 INVITE\r\nCSeq: 1 INVITE"),
        (b";tag=1", b""),
        (b"z9hG4bK", b";branch="),
        (b"Content-Length: ", b"Content-Length: -"),
        (b"Content-Length: ", b"Content-Length: 9"),
        (b"<sip:+442079460123@acme", b"<sip:@acme"),
        (b"INVITE sip", b"INVITE  sip"),
        (b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"),
        (b"Max-Forwards: 70", b"Max-Forwards: 70\nX: y"),
        (b"Max-Forwards: 70", b"Max-Forwards 70"),
    ],
)
def test_a_broken_message_is_refused(change: tuple[bytes, bytes]):
    with pytest.raises(SipError):
        sip.parse(GOOD.replace(*change, 1))


def test_the_sdp_is_found_among_the_parts_of_a_body():
    message = invite()
    kind, message.body = mixed(offer(), ("application/pidf+xml", b"<presence/>"))
    for name, value in (("Content-Type", kind), ("Content-Type", kind.replace('"', ""))):
        put(name, value)(message)
        assert sdp.parse(sdp_of(message)).profile == "RTP/SAVP"

    put("Content-Type", "multipart/mixed;boundary=other")(message)
    assert sdp_of(message) == b""


def test_a_header_cannot_break_out_of_its_line():
    with pytest.raises(SipError):
        invite().add("Subject", "hello\r\nVia: forged").encode()


def test_a_stream_without_end_is_refused():
    framer = sip.Framer()
    with pytest.raises(SipError):
        for _ in range(100):
            framer.feed(b"X-Long: " + b"a" * 1000)


def test_an_address_is_taken_apart():
    address = parse_name_addr('"A \\"B\\", C" <sip:+49;ext=1@host.example:5061;transport=tls?x=y;z>;tag=7')

    assert (address.display, address.tag, address.uri.number, address.uri.port) == ('A "B", C', "7", "+49", 5061)
    assert str(parse_name_addr(str(address))) == str(address)


@pytest.mark.parametrize(
    ("host", "is_ip"),
    [("127.0.0.1", True), ("[::1]", True), ("127.1", True), ("2130706433", True), ("1.2.example", False)],
)
def test_an_address_in_any_form_is_no_name(host: str, is_ip: bool):
    assert parse_uri(f"sip:a@{host}").is_ip is is_ip


@pytest.mark.parametrize(
    ("fqdn", "covered"),
    [
        ("sbc.example.net", True),
        ("a.sbc.example.net", True),
        ("A.SBC.example.NET", True),
        ("a.b.sbc.example.net", False),
        (".sbc.example.net", False),
        ("asbc.example.net", False),
        ("example.net", False),
    ],
)
def test_a_wildcard_stands_for_one_label(fqdn: str, covered: bool):
    assert covers(("sbc.example.net", "*.sbc.example.net"), fqdn) is covered


def test_a_wildcard_alone_does_not_cover_its_base():
    assert not covers(("*.sbc.example.net",), "sbc.example.net")
