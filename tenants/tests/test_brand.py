"""Brands: colours that can be read, and logos that are nothing but pictures."""

import struct
import zlib

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from portal.db import contexts
from tenants import png
from tenants.colour import contrast, ink_on, readable
from tenants.demo import _logo
from tenants.models import Brand
from tenants.tests.clients import client_of, visitor

LOGO = _logo("#0f766e", spokes=4, size=16)
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOURS)
def test_every_colour_is_made_readable(colour):
    for background in ("#ffffff", "#1a1e22"):
        shade = readable(colour, background)
        assert contrast(shade, background) >= 4.5
        assert contrast(ink_on(shade), shade) >= 4.5
        if contrast(colour, background) >= 4.5:
            assert shade == colour


def test_a_logo_loses_all_that_is_not_picture():
    text = b"tEXtComment\0<script>alert(1)</script>"
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    picture = png.clean(LOGO[:33] + chunk + LOGO[33:] + b"<script>")
    assert b"script" not in picture.data and (picture.width, picture.height) == (16, 16)
    assert png.clean(picture.data).data == picture.data


def bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 16, 16, 8, 6, 0, 0, 0)
    return png.assemble([(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100_000_000))), (b"IEND", b"")])


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg onload=alert(1)>", b"GIF89a", LOGO[:-20], LOGO[:40] + b"x" + LOGO[41:], b"\x89PNG\r\n\x1a\n", bomb(),
     b"\0" * (png.MOST_BYTES + 1)],
    ids=["empty", "svg", "gif", "cut", "damaged", "head only", "bomb", "too big"],
)  # fmt: skip
def test_what_is_no_honest_png_is_refused(data):
    with pytest.raises(ValidationError):
        png.clean(data)


@given(st.binary(max_size=200))
def test_noise_never_breaks_the_reader(noise):
    with pytest.raises(ValidationError):
        png.clean(png.SIGNATURE + noise)


@pytest.mark.django_db
def test_a_brand_shows_on_the_log_in_page_and_in_the_colours(northwind, acme, initech, nadia):
    office = client_of(nadia, northwind)
    facts = {"name": "Nordwind <b>", "accent": "#ffee00", "row_version": "1",
             "new_logo": SimpleUploadedFile("logo.png", LOGO, "image/png")}  # fmt: skip
    assert office.post("/brand/", facts).status_code == 302

    page = visitor(acme).get("/account/login/").content.decode()
    assert "Nordwind &lt;b&gt;" in page and "/brand/logo.png" in page and "Strowger" not in page
    css = visitor(acme).get("/brand.css").content.decode()
    assert "#ffee00" in css  # readable on dark as it is
    assert css.count("#ffee00") == 1  # and corrected on light
    logo = visitor(acme).get("/brand/logo.png")
    assert logo["Content-Type"] == "image/png" and logo["X-Content-Type-Options"] == "nosniff"
    assert "Nordwind" not in visitor(initech).get("/account/login/").content.decode()
    assert visitor(initech).get("/brand/logo.png").status_code == 404


@pytest.mark.django_db
def test_the_second_of_two_editors_of_a_brand_is_told(northwind, nadia):
    office = client_of(nadia, northwind)
    facts = {"name": "One", "accent": "#336699", "row_version": "1"}
    assert office.post("/brand/", facts).status_code == 302
    answer = office.post("/brand/", facts | {"name": "Two"})
    assert answer.status_code == 200 and b"nadia@northwind.example" in answer.content
    with contexts.msp(northwind):
        assert Brand.objects.get().name == "One"


@pytest.mark.django_db
@pytest.mark.parametrize("accent", ["red", "#fff", "#12345g", "#123456;}body{display:none", "javascript:1", ""])
def test_a_colour_is_a_colour(northwind, nadia, accent):
    office = client_of(nadia, northwind)
    assert office.post("/brand/", {"name": "N", "accent": accent, "row_version": "1"}).status_code == 200
