"""SRTP against the standard's own vectors."""

import pytest

from lab import rtcp
from lab.srtp import Srtp, SrtpError

MASTER = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6")


def packet(sequence: int) -> bytes:
    return b"\x80\x00" + (sequence & 0xFFFF).to_bytes(2, "big") + bytes(4) + b"\xca\xfe\xba\xbe" + bytes(160)


def test_keys_are_derived_as_in_rfc_3711_b_3():
    stream = Srtp(MASTER)

    assert stream._cipher.hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert f"{stream._salt:028X}" == "30CBBC08863D8C85D49DB34A9AE1"
    assert stream._auth.hex().upper() == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"


def test_packets_survive_a_round_trip_across_the_end_of_the_sequence_numbers():
    sender, receiver = Srtp(MASTER), Srtp(MASTER)

    for sequence in range(65_500, 65_600):
        assert receiver.unprotect(sender.protect(packet(sequence))) == packet(sequence)


def test_a_changed_packet_is_refused():
    sealed = bytearray(Srtp(MASTER).protect(packet(1)))
    sealed[20] ^= 1

    with pytest.raises(SrtpError):
        Srtp(MASTER).unprotect(bytes(sealed))


def test_reports_survive_a_round_trip_and_not_a_change():
    sender, receiver = Srtp(MASTER), Srtp(MASTER)
    plain = rtcp.report(b"\xca\xfe\xba\xbe", 1, 2, 3, rtcp.Reception.of(packet(7)))
    sealed = sender.protect_report(plain)

    assert rtcp.is_rtcp(sealed) and rtcp.is_rtcp(plain) and not rtcp.is_rtcp(packet(1))
    assert receiver.unprotect_report(sealed) == plain
    with pytest.raises(SrtpError):
        receiver.unprotect_report(sealed[:-1] + bytes((sealed[-1] ^ 1,)))


def test_lost_packets_are_reported():
    heard = rtcp.Reception.of(packet(65_530))
    for sequence in (*range(65_530, 65_536), *range(10, 20)):
        heard.heard(packet(sequence))

    assert int.from_bytes(heard.block()[5:8], "big") == 10
