"""Everything that the fake Microsoft refuses, each shown by one message that differs from a good one in one point."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lab import ca, sdp, sip
from lab.agent import ServerTransaction
from lab.media import Media
from lab.microsoft import FakeMicrosoft
from lab.refusal import Refusal
from lab.settings import LabSettings
from lab.tests.conftest import ABROAD, ACME, ACME_NUMBER, BASE, ToySbc
from lab.uri import parse_uri

SIP = "sip.pstnhub.microsoft.com"
Change = Callable[[sip.Request], None]


def offer(**changes: object) -> bytes:
    described = sdp.Sdp("127.0.0.1", 40000, profile="RTP/SAVP", cryptos=[sdp.new_crypto()])
    for name, value in changes.items():
        setattr(described, name, value)
    return described.encode()


def invite() -> sip.Request:
    request = sip.Request(method="INVITE", uri=parse_uri(f"sip:{ACME_NUMBER}@{SIP}:5061;user=phone;transport=tls"))
    request.add("Via", f"SIP/2.0/TLS 127.0.0.1:5061;branch={sip.new_branch()}").add("Max-Forwards", 70)
    request.add("Record-Route", f"<sip:{ACME};transport=tls;lr>")
    request.add("From", f"<sip:{ABROAD}@{ACME}>;tag=1").add("To", f"<sip:{ACME_NUMBER}@{SIP}>")
    request.add("Call-ID", sip.new_tag()).add("CSeq", "1 INVITE")
    request.add("Contact", f"<sip:{ABROAD}@{ACME}:5061;transport=tls>").add("Content-Type", "application/sdp")
    request.body = offer()
    return request


def options(fqdn: str = BASE) -> sip.Request:
    request = sip.Request(method="OPTIONS", uri=parse_uri(f"sip:{SIP}:5061;transport=tls"))
    request.add("Via", f"SIP/2.0/TLS 127.0.0.1:5061;branch={sip.new_branch()}").add("Max-Forwards", 70)
    request.add("From", f"<sip:{fqdn}>;tag=1").add("To", f"<sip:{SIP}>").add("Call-ID", sip.new_tag())
    return request.add("CSeq", "1 OPTIONS").add("Contact", f"<sip:{fqdn}:5061;transport=tls>")


def put(name: str, *values: str) -> Change:
    def change(request: sip.Request) -> None:
        request.headers = [(key, value) for key, value in request.headers if key.lower() != name.lower()]
        request.headers += [(name, value) for value in values]

    return change


def dial(uri: str) -> Change:
    return lambda request: setattr(request, "uri", parse_uri(uri))


def describe(body: bytes) -> Change:
    return lambda request: setattr(request, "body", body)


LONG = f"{'a' * (64 - len(BASE))}.{BASE}"
EVERYWHERE: list[tuple[str, int, Change]] = [
    ("contact-missing", 403, put("Contact")),
    ("contact-ip", 403, put("Contact", "<sip:127.0.5.1:5061;transport=tls>")),
    ("contact-ip", 403, put("Contact", "<sip:[::1]:5061;transport=tls>")),
    ("contact-ip", 403, put("Contact", f"<sip:127.1;transport=tls>, <sip:{BASE};transport=tls>")),
    ("contact-transport", 403, put("Contact", f"<sip:{BASE}>")),
    ("fqdn-not-in-certificate", 403, put("Contact", "<sip:sbc.contoso.example;transport=tls>")),
    ("fqdn-not-in-certificate", 403, put("Contact", f"<sip:two.labels.{BASE};transport=tls>")),
    ("fqdn-unknown", 403, put("Contact", "<sip:sbc.fabrikam.example;transport=tls>")),
    ("fqdn-too-long", 403, put("Contact", f"<sip:{LONG};transport=tls>")),
    ("record-route-ip", 403, put("Record-Route", "<sip:127.0.5.1:5061;transport=tls;lr>")),
    ("record-route-ip", 403, put("Record-Route", f"<sip:{BASE};lr>", "<sip:127.0.5.1;lr>")),
    ("record-route-other", 403, put("Record-Route", f"<sip:other.{BASE};transport=tls;lr>")),
    ("sips", 416, put("Contact", f"<sips:{BASE};transport=tls>")),
    ("replaces", 403, put("Replaces", "1@sbc;to-tag=1;from-tag=2")),
    ("replaces", 403, put("Require", "replaces")),
    ("request-uri-host", 404, dial(f"sip:{ACME_NUMBER}@127.0.8.1:5061;user=phone;transport=tls")),
    ("request-uri-host", 404, dial(f"sip:{ACME_NUMBER}@{SIP}:5060;user=phone;transport=tls")),
]
CALLS: list[tuple[str, int, Change]] = [
    ("delayed-offer", 488, describe(b"")),
    ("sdp-type", 488, put("Content-Type", "text/plain")),
    ("sdp-broken", 488, describe(b"v=0\r\nm=audio 1 RTP/SAVP 0\r\n")),
    ("sdp-profile", 488, describe(offer(profile="RTP/AVP"))),
    ("sdp-crypto", 488, describe(offer(cryptos=[]))),
    ("sdp-crypto", 488, describe(offer(cryptos=[sdp.Crypto(1, "AES_CM_128_HMAC_SHA1_32", bytes(30))]))),
    ("sdp-crypto", 488, describe(offer(cryptos=[sdp.new_crypto(), sdp.Crypto(2, "NULL_HMAC_SHA1_80", bytes(30))]))),
    ("sdp-crypto", 488, describe(offer(cryptos=[sdp.Crypto(1, sdp.SUITE, bytes(29))]))),
    ("hold-form", 488, describe(offer(direction="sendonly"))),
    ("hold-form", 488, describe(offer(address="0.0.0.0"))),
    ("request-uri-number", 404, dial(f"sip:{ACME_NUMBER[1:]}@{SIP};user=phone")),
    ("from-number", 403, put("From", f"<sip:{ABROAD[1:]}@{ACME}>;tag=1")),
    ("from-host", 403, put("From", f"<sip:{ABROAD}@127.0.9.1>;tag=1")),
    ("to-form", 403, put("To", f"<sip:{ACME_NUMBER}@127.0.5.1>")),
    ("to-form", 403, put("To", f"<sip:{ACME_NUMBER[1:]}@{SIP}>")),
    ("number-unknown", 404, dial(f"sip:+493023125999@{SIP};user=phone")),
    ("number-unknown", 404, put("Contact", f"<sip:nobody.{BASE};transport=tls>")),
]


async def ask(sbc: ToySbc, request: sip.Request) -> sip.Response:
    flow = sbc.flows[0] if sbc.flows else await sbc.dial()
    return await sbc.agent.send(request, flow).final(3)


@pytest.mark.parametrize(("reason", "code", "change"), EVERYWHERE + CALLS)
async def test_a_wrong_invite_is_refused(microsoft: FakeMicrosoft, sbc: ToySbc, reason: str, code: int, change: Change):
    request = invite()
    if reason == "number-unknown":  # the FQDN's own host, so that nothing but the number is wrong
        put("Record-Route")(request)
    change(request)
    host = request.addresses("Contact")[0].uri.host if request.get("Contact") else ACME
    if reason == "number-unknown":
        put("From", f"<sip:{ABROAD}@{host}>;tag=1")(request)

    response = await ask(sbc, request)

    assert [refusal.reason for refusal in microsoft.refusals] == [reason], microsoft.refusals
    assert response.status == code


@pytest.mark.parametrize(("reason", "code", "change"), EVERYWHERE)
async def test_a_wrong_options_is_refused(
    microsoft: FakeMicrosoft, sbc: ToySbc, reason: str, code: int, change: Change
):
    request = options()
    change(request)

    response = await ask(sbc, request)

    assert [refusal.reason for refusal in microsoft.refusals] == [reason], microsoft.refusals
    assert response.status == code
    assert microsoft.answers == {}


async def test_a_missing_contact_is_refused_with_cause_63(microsoft: FakeMicrosoft, sbc: ToySbc):
    request = options()
    put("Contact")(request)

    assert "cause=63" in (await ask(sbc, request)).get("Reason")


async def test_options_of_a_derived_trunk_are_refused(microsoft: FakeMicrosoft, sbc: ToySbc):
    assert (await ask(sbc, options(ACME))).status == 403
    assert [refusal.reason for refusal in microsoft.refusals] == ["options-not-from-base"]


async def test_what_is_right_is_not_refused(microsoft: FakeMicrosoft, sbc: ToySbc):
    anonymous = invite()
    put("From", "<sip:anonymous@anonymous.invalid>;tag=1")(anonymous)

    assert [(await ask(sbc, request)).status for request in (options(), invite(), anonymous)] == [200, 200, 200]
    assert microsoft.refusals == []


async def test_input_that_is_not_sip_is_written_down_and_ends_the_connection(microsoft: FakeMicrosoft, sbc: ToySbc):
    flow = await sbc.dial()
    flow._writer.write(b"GET / HTTP/1.1\r\nHost: sip\r\n\r\n")

    await flow._reading

    assert [refusal.reason for refusal in microsoft.refusals] == ["not-sip"]


# Certificates

# A missing certificate never gets past the handshake; the rule stands behind it.
UNREACHABLE = {'certificate-missing'}  # fmt: skip


async def test_a_client_without_a_certificate_gets_no_connection(microsoft: FakeMicrosoft, settings: LabSettings):
    await _fails_to_connect(settings, None)


async def test_a_client_of_another_authority_gets_no_connection(microsoft: FakeMicrosoft, settings: LabSettings):
    await _fails_to_connect(settings, settings.certificates / "forgeries" / "self-signed.pem")


async def _fails_to_connect(settings: LabSettings, certificate: Path | None) -> None:
    toy = ToySbc(settings)
    toy.certificate = certificate
    with pytest.raises(OSError):
        await toy.dial()
    await toy.close()


async def test_a_certificate_without_the_server_purpose_is_refused(
    microsoft: FakeMicrosoft, settings: LabSettings, tmp_path: Path
):
    root = ca.Authority.open(settings.certificates, "sbc-root", ca.SBC_ROOT)
    key = ca.new_key()
    leaf = ca.Leaf(BASE, (BASE,), (ca.Purpose.CLIENT_AUTH,))
    (tmp_path / "client.pem").write_bytes(ca.pem(root.issue(leaf, key)) + ca.pem_key(key))
    toy = ToySbc(settings, tmp_path / "client.pem")

    response = await ask(toy, options())
    await toy.close()

    assert response.status == 403
    assert [refusal.reason for refusal in microsoft.refusals] == ["certificate-purpose"]


async def test_a_server_whose_certificate_does_not_cover_the_trunk_is_noticed(
    microsoft: FakeMicrosoft, settings: LabSettings, tmp_path: Path
):
    root = ca.Authority.open(settings.certificates, "sbc-root", ca.SBC_ROOT)
    key = ca.new_key()
    (tmp_path / "other.pem").write_bytes(ca.pem(root.issue(ca.sbc_leaf(["sbc.other.example"]), key)) + ca.pem_key(key))
    toy = ToySbc(settings, tmp_path / "other.pem")
    await toy.start()

    call = await microsoft.place_call(ACME, ACME_NUMBER, ABROAD)
    await toy.close()

    assert call.code == 503
    assert [refusal.reason for refusal in microsoft.refusals] == ["sbc-certificate"]


# Answers of the SBC

ANSWERS: list[tuple[str, Callable[[sip.Response], None]]] = [
    ("contact-missing", put("Contact")),
    ("contact-ip", put("Contact", "<sip:127.0.5.1:5061;transport=tls>")),
    ("contact-other", put("Contact", f"<sip:{BASE}:15061;transport=tls>")),
    ("record-route-ip", put("Record-Route", "<sip:127.0.5.1;transport=tls;lr>")),
    ("record-route-other", put("Record-Route", f"<sip:{BASE};transport=tls;lr>")),
    ("delayed-offer", describe(b"")),
    ("sdp-profile", describe(offer(profile="RTP/AVP"))),
    ("sdp-crypto", describe(offer(cryptos=[sdp.Crypto(1, "AES_CM_128_HMAC_SHA1_32", bytes(30))]))),
]


@pytest.mark.parametrize(("reason", "change"), ANSWERS)
async def test_a_wrong_answer_is_refused_and_the_call_ended(
    microsoft: FakeMicrosoft, sbc: ToySbc, monkeypatch: pytest.MonkeyPatch, reason: str, change: Change
):
    honest = ServerTransaction.respond

    def spoilt(transaction: ServerTransaction, response: sip.Response) -> None:
        if response.status == 200 and transaction.request.method == "INVITE":
            change(response)
        honest(transaction, response)

    monkeypatch.setattr(ServerTransaction, "respond", spoilt)

    call = await microsoft.place_call(ACME, ACME_NUMBER, ABROAD)

    assert [refusal.reason for refusal in microsoft.refusals] == [reason], microsoft.refusals
    assert call.ended.is_set()


# Inside a call


async def test_requests_that_ignore_the_route_set_are_refused(microsoft: FakeMicrosoft, sbc: ToySbc):
    call = sbc.call()
    await call.place()
    call.routes = []

    assert await call.hang_up() == 481
    assert [refusal.reason for refusal in microsoft.refusals] == ["route-set"]


@pytest.mark.parametrize(("direction", "reasons"), [("inactive", []), ("sendonly", ["hold-form"])])
async def test_only_inactive_is_a_hold(microsoft: FakeMicrosoft, sbc: ToySbc, direction: str, reasons: list[str]):
    call = sbc.call()
    await call.place()

    code = await call.re_invite(direction)
    await call.hang_up()

    assert [refusal.reason for refusal in microsoft.refusals] == reasons
    assert code == (488 if reasons else 200)


async def test_a_re_invite_without_an_offer_is_refused(
    microsoft: FakeMicrosoft, sbc: ToySbc, monkeypatch: pytest.MonkeyPatch
):
    call = sbc.call()
    await call.place()
    with monkeypatch.context() as patch:
        patch.setattr(Media, "describe", lambda *_: type("Nothing", (), {"encode": lambda self: b""})())
        assert await call.re_invite("inactive") == 488
    await call.hang_up()

    assert [refusal.reason for refusal in microsoft.refusals] == ["delayed-offer"]


def test_every_reason_has_a_test_here_or_beside_the_heartbeat():
    folder = Path(__file__).parent
    sources = "".join(path.read_text() for path in folder.parent.glob("*.py"))
    tests = "".join(path.read_text() for path in folder.glob("test_*.py")).replace(f"UNREACHABLE = {UNREACHABLE}", "")
    reasons = {part.split('"')[1] for part in sources.split("Refusal(")[1:] if part.lstrip().startswith('"')}

    assert len(reasons) > 25
    assert {reason for reason in reasons if f'"{reason}"' not in tests} == UNREACHABLE
    assert str(Refusal("sips", None, 416, "why")) == "sips: why"
