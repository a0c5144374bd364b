"""SRTP and SRTCP with AES_CM_128_HMAC_SHA1_80 (RFC 3711), enough for one sound stream."""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TAG = 10


class SrtpError(ValueError):
    """A packet that fails its check."""


def _stream(key: bytes, counter: int, length: int) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CTR(counter.to_bytes(16, "big"))).encryptor()
    return encryptor.update(bytes(length)) + encryptor.finalize()


def _mix(data: bytes, stream: bytes) -> bytes:
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")


class Srtp:
    """One direction of one stream."""

    def __init__(self, master: bytes) -> None:
        key, salt = master[:16], int.from_bytes(master[16:30], "big")
        self._cipher = _stream(key, (salt ^ (0 << 48)) << 16, 16)
        self._auth = _stream(key, (salt ^ (1 << 48)) << 16, 20)
        self._salt = int.from_bytes(_stream(key, (salt ^ (2 << 48)) << 16, 14), "big")
        self._rollover = 0
        self._highest: int | None = None
        self._control_cipher = _stream(key, (salt ^ (3 << 48)) << 16, 16)
        self._control_auth = _stream(key, (salt ^ (4 << 48)) << 16, 20)
        self._control_salt = int.from_bytes(_stream(key, (salt ^ (5 << 48)) << 16, 14), "big")
        self._reports = 0

    def protect(self, packet: bytes) -> bytes:
        """Encrypt and sign an RTP packet."""
        return self._sign(self._crypt(packet, self._advance(packet)), self._rollover)

    def unprotect(self, packet: bytes) -> bytes:
        """Check and decrypt an SRTP packet."""
        if len(packet) < 12 + TAG:
            raise SrtpError("too short")
        plain, rollover = packet[:-TAG], self._guess(packet)
        if not hmac.compare_digest(self._sign(plain, rollover), packet):
            raise SrtpError("wrong tag")
        sequence = int.from_bytes(packet[2:4], "big")
        if self._highest is None or rollover > self._rollover or sequence > self._highest:
            self._rollover, self._highest = rollover, sequence
        return self._crypt(plain, rollover)

    def protect_report(self, packet: bytes) -> bytes:
        """Encrypt and sign an RTCP packet."""
        self._reports += 1
        sealed = self._crypt_report(packet, self._reports) + (1 << 31 | self._reports).to_bytes(4, "big")
        return sealed + self._control_tag(sealed)

    def unprotect_report(self, packet: bytes) -> bytes:
        """Check and decrypt an SRTCP packet."""
        sealed, tag = packet[:-TAG], packet[-TAG:]
        if len(packet) < 12 + TAG or not hmac.compare_digest(self._control_tag(sealed), tag):
            raise SrtpError("wrong tag")
        index = int.from_bytes(sealed[-4:], "big")
        plain = sealed[:-4]
        return self._crypt_report(plain, index & 0x7FFFFFFF) if index >> 31 else plain

    def _control_tag(self, sealed: bytes) -> bytes:
        return hmac.new(self._control_auth, sealed, hashlib.sha1).digest()[:TAG]

    def _crypt_report(self, packet: bytes, index: int) -> bytes:
        source = int.from_bytes(packet[4:8], "big")
        counter = (self._control_salt << 16) ^ (source << 64) ^ (index << 16)
        return packet[:8] + _mix(packet[8:], _stream(self._control_cipher, counter, len(packet) - 8))

    def _advance(self, packet: bytes) -> int:
        sequence = int.from_bytes(packet[2:4], "big")
        if self._highest is not None and sequence < self._highest:
            self._rollover += 1
        self._highest = sequence
        return self._rollover

    def _guess(self, packet: bytes) -> int:
        sequence = int.from_bytes(packet[2:4], "big")
        if self._highest is None:
            return self._rollover
        if self._highest - sequence > 32_768:
            return self._rollover + 1
        if sequence - self._highest > 32_768 and self._rollover:
            return self._rollover - 1
        return self._rollover

    def _crypt(self, packet: bytes, rollover: int) -> bytes:
        start = header_length(packet)
        source = int.from_bytes(packet[8:12], "big")
        index = rollover << 16 | int.from_bytes(packet[2:4], "big")
        counter = (self._salt << 16) ^ (source << 64) ^ (index << 16)
        body = packet[start:]
        return packet[:start] + _mix(body, _stream(self._cipher, counter, len(body)))

    def _sign(self, packet: bytes, rollover: int) -> bytes:
        return packet + hmac.new(self._auth, packet + rollover.to_bytes(4, "big"), hashlib.sha1).digest()[:TAG]


def header_length(packet: bytes) -> int:
    """Return where the sound begins."""
    if len(packet) < 12 or packet[0] >> 6 != 2:
        raise SrtpError("not RTP")
    length = 12 + 4 * (packet[0] & 15)
    if packet[0] & 16:
        if len(packet) < length + 4:
            raise SrtpError("cut off")
        length += 4 + 4 * int.from_bytes(packet[length + 2 : length + 4], "big")
    if len(packet) < length:
        raise SrtpError("cut off")
    return length
