"""What `static/vendor/` is made of, and how to tell that it is out of date. Standard library only: `make run` asks."""

import hashlib
from pathlib import Path

from portal.ui.icons import OUTLINE

FILES = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "alpine.min.js": "@alpinejs/csp/dist/cdn.min.js",
    "uplot.min.js": "uplot/dist/uPlot.iife.min.js",
    "uplot.min.css": "uplot/dist/uPlot.min.css",
}
# Hidden, so that collectstatic leaves it behind.
STAMP = ".made-of"


def made_of(root: Path) -> str:
    """Return a hash of all that decides what is in the folder: versions of packages, names of files and icons."""
    names = repr((sorted(FILES.items()), sorted(OUTLINE)))
    return hashlib.sha256((root / "package-lock.json").read_bytes() + names.encode()).hexdigest()


def is_current(root: Path) -> bool:
    """Tell whether the folder holds what the pages of this checkout use."""
    stamp = root / "static" / "vendor" / STAMP
    return stamp.is_file() and stamp.read_text() == made_of(root)
