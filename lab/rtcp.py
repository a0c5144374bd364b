"""RTCP: what each end reports of the sound that it sent and got, so that an SBC can judge the quality (RFC 3550)."""

import time
from dataclasses import dataclass

CLOCK = 8000
EPOCH = 2_208_988_800  # seconds from 1900 to 1970


@dataclass
class Reception:
    """What has been heard of one source."""

    source: int
    first: int
    highest: int
    received: int = 0
    jitter: float = 0.0
    sender_report: int = 0
    sender_report_at: float = 0.0
    _transit: float | None = None

    @classmethod
    def of(cls, packet: bytes) -> "Reception":
        """Begin with a source's first RTP packet."""
        sequence = int.from_bytes(packet[2:4], "big")
        return cls(int.from_bytes(packet[8:12], "big"), sequence, sequence)

    def heard(self, packet: bytes) -> None:
        """Count an RTP packet."""
        sequence = int.from_bytes(packet[2:4], "big")
        step = (sequence - self.highest) & 0xFFFF
        if step < 0x8000:
            self.highest += step
        self.received += 1
        transit = time.monotonic() * CLOCK - int.from_bytes(packet[4:8], "big")
        if self._transit is not None:
            self.jitter += (min(abs(transit - self._transit), CLOCK) - self.jitter) / 16
        self._transit = transit

    def take(self, report: bytes) -> None:
        """Keep the moment of a sender report, which the next report refers to."""
        if len(report) >= 28 and report[1] == 200:
            self.sender_report = int.from_bytes(report[10:14], "big")
            self.sender_report_at = time.monotonic()

    def block(self) -> bytes:
        """Return the report block about this source."""
        lost = max(self.highest - self.first + 1 - self.received, 0)
        expected = max(self.highest - self.first + 1, 1)
        delay = time.monotonic() - self.sender_report_at if self.sender_report else 0.0
        return b"".join(
            (
                self.source.to_bytes(4, "big"),
                min(lost * 256 // expected, 255).to_bytes(1, "big"),
                min(lost, 0x7FFFFF).to_bytes(3, "big"),
                (self.highest & 0xFFFFFFFF).to_bytes(4, "big"),
                int(self.jitter).to_bytes(4, "big"),
                self.sender_report.to_bytes(4, "big"),
                (int(delay * 65536) & 0xFFFFFFFF).to_bytes(4, "big"),
            )
        )


def report(source: bytes, timestamp: int, packets: int, octets: int, heard: Reception | None) -> bytes:
    """Write a sender report with the name of the sender."""
    now = time.time() + EPOCH
    moment = int(now).to_bytes(4, "big") + int(now % 1 * 2**32).to_bytes(4, "big")
    blocks = heard.block() if heard else b""
    counts = timestamp.to_bytes(4, "big") + packets.to_bytes(4, "big") + octets.to_bytes(4, "big")
    body = source + moment + counts + blocks
    name = b"lab@strowger.example"
    description = source + bytes((1, len(name))) + name
    description += bytes(4 - len(description) % 4)
    return _packet(200, 1 if heard else 0, body) + _packet(202, 1, description)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body


def is_rtcp(packet: bytes) -> bool:
    """Tell RTCP from RTP on one port (RFC 5761)."""
    return len(packet) >= 8 and packet[0] >> 6 == 2 and 192 <= packet[1] <= 223
