"""Kamailio's record files, read whole: the node process itself reads them as they grow."""

from sbc.node.records import Line, parse


def parse_chunk(data: bytes) -> tuple[list[Line], int, list[bytes]]:
    """Return the lines in a piece of a file, how many bytes they took, and the lines nobody understands.

    What follows the last newline is an unfinished line: it is not consumed.
    """
    consumed = data.rfind(b"\n") + 1
    lines: list[Line] = []
    bad: list[bytes] = []
    for raw in data[:consumed].split(b"\n"):
        if not raw.strip():
            continue
        try:
            lines.append(parse(raw))
        except ValueError:
            bad.append(raw)
    return lines, consumed, bad
