"""Colours that can be read: WCAG contrast, and the nearest colour of the same hue that has enough of it."""

import colorsys

ENOUGH = 4.5
Rgb = tuple[float, float, float]


def rgb(colour: str) -> Rgb:
    """Return `#rrggbb` as three numbers from 0 to 1."""
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _hex(colour: Rgb) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in colour)


def luminance(colour: str) -> float:
    """Return WCAG's relative luminance."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def readable(colour: str, background: str, enough: float = ENOUGH) -> str:
    """Return the colour, made darker or lighter only as far as it can be read on the background."""
    if contrast(colour, background) >= enough:
        return colour
    hue, lightness, saturation = colorsys.rgb_to_hls(*rgb(colour))
    # Towards whichever end of lightness can be read at all.
    end = 0.0 if contrast("#000000", background) >= contrast("#ffffff", background) else 1.0
    steps = 200
    for step in range(1, steps + 1):
        moved = _hex(colorsys.hls_to_rgb(hue, lightness + (end - lightness) * step / steps, saturation))
        if contrast(moved, background) >= enough:
            return moved
    return "#000000" if end == 0.0 else "#ffffff"


def ink_on(colour: str) -> str:
    """Return white or near-black, whichever reads better on the colour."""
    return "#ffffff" if contrast("#ffffff", colour) >= contrast("#10151b", colour) else "#10151b"
