"""Logos: a PNG is taken apart, checked and put together again from the parts that draw it."""

import struct
import zlib
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 256 * 1024
MOST_WIDTH, MOST_HEIGHT = 1200, 600
# What draws the picture; comments, locations, profiles and animations stay behind.
KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


@dataclass(frozen=True)
class Picture:
    data: bytes
    width: int
    height: int


def clean(data: bytes) -> Picture:
    """Return the same picture in a PNG of our own making; raises ValidationError with words for the user."""
    if len(data) > MOST_BYTES:
        raise ValidationError(_("The logo may have at most %(most)s kB.") % {"most": MOST_BYTES // 1024})
    try:
        return _clean(data)
    except (struct.error, zlib.error, IndexError, KeyError):
        raise ValidationError(_("This PNG is damaged. Export it again and try once more."))


def _clean(data: bytes) -> Picture:
    if not data.startswith(SIGNATURE):
        raise ValidationError(_("Use a PNG file: other formats can carry scripts or cannot be checked."))
    chunks = _chunks(data)
    if [name for name, _body in chunks[:1]] != [b"IHDR"]:
        raise KeyError("IHDR")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    if not (0 < width <= MOST_WIDTH and 0 < height <= MOST_HEIGHT):
        raise ValidationError(
            _("The logo may measure at most %(width)s × %(height)s pixels.")
            % {"width": MOST_WIDTH, "height": MOST_HEIGHT}
        )
    if depth not in DEPTHS[colour] or compression or filtering or interlace:
        raise ValidationError(_("Save the PNG without interlacing and try once more."))
    row = 1 + (width * CHANNELS[colour] * depth + 7) // 8
    # Never unpack more than the header promised: a small file can hold gigabytes of nothing.
    unpacker = zlib.decompressobj()
    pixels = unpacker.decompress(b"".join(body for name, body in chunks if name == b"IDAT"), row * height + 1)
    if len(pixels) != row * height or any(pixels[start] > 4 for start in range(0, len(pixels), row)):
        raise KeyError("IDAT")
    parts = [(b"IHDR", chunks[0][1])]
    parts += [(name, body) for name, body in chunks if name in (b"PLTE", b"tRNS")]
    parts += [(b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    return Picture(assemble(parts), width, height)


def assemble(parts: list[tuple[bytes, bytes]]) -> bytes:
    """Return the PNG that the parts make."""
    return SIGNATURE + b"".join(_chunk(name, body) for name, body in parts)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, position = [], len(SIGNATURE)
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        name, body = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        if checksum != zlib.crc32(name + body):
            raise KeyError(name)
        if name in KEPT:
            found.append((name, body))
        position += 12 + length
        if name == b"IEND":
            return found
    raise KeyError("IEND")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
