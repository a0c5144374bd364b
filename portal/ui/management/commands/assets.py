"""Copies what the pages need of the installed front-end packages into `static/vendor/`."""

import re
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.ui.icons import OUTLINE
from portal.ui.vendor import FILES, STAMP, made_of

ICON = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
EMPTY_SQUARE = '<path stroke="none" d="M0 0h24v24H0z" fill="none" />'
SOURCE_MAP = re.compile(rb"\n?(//|/\*)# sourceMappingURL=[^\n]*\n?")


class Command(BaseCommand):
    help = "Copy the front-end packages' files that the pages use into static/vendor/."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        root = Path(settings.BASE_DIR)
        packages, vendor, fresh = root / "node_modules", root / "static" / "vendor", root / "static" / ".vendor"
        if not packages.is_dir():
            raise CommandError("The front-end packages are missing: run `npm ci` first.")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name, source in FILES.items():
            # The maps are not served, and the manifest storage refuses a reference to a file that is not there.
            (fresh / name).write_bytes(SOURCE_MAP.sub(b"\n", (packages / source).read_bytes()))
        (fresh / "icons.svg").write_text(sprite(packages / "@tabler/icons/icons/outline"))
        (fresh / STAMP).write_text(made_of(root))
        shutil.rmtree(vendor, ignore_errors=True)
        fresh.rename(vendor)
        self.stdout.write(f"{len(FILES)} files and {len(OUTLINE)} icons in static/vendor")


def sprite(folder: Path) -> str:
    """Return one SVG document with a symbol for each icon in use."""
    symbols = [symbol(name, (folder / f"{name}.svg").read_text()) for name in sorted(OUTLINE)]
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n"


def symbol(name: str, svg: str) -> str:
    """Return the icon's drawing as a symbol; its colour and line come from the page's style."""
    drawing = ICON.search(svg)
    if drawing is None:
        raise CommandError(f"The icon {name} cannot be read.")
    inner = " ".join(drawing[1].replace(EMPTY_SQUARE, "").split())
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>'
