"""The letters of printed documents: two faces, made small once for each process, so that a page costs little."""

import atexit
import logging
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from font_source_sans_pro import font_files_ttf
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

# It tells each letter that it leaves out of a font.
logging.getLogger("fontTools").setLevel(logging.WARNING)
FACES = {"": "SourceSansPro", "B": "SourceSansProSemibold"}
# Latin with all its accents, Greek, Cyrillic, punctuation, currencies and a few signs.
RANGES = ((0x20, 0x250), (0x370, 0x530), (0x1E00, 0x2070), (0x20A0, 0x20D0), (0x2122, 0x2123), (0x2212, 0x2213))
# What arranges letters, and is not used here: parsing it for each document would take most of its time.
UNUSED = ["GSUB", "GPOS", "GDEF", "BASE", "DSIG", "kern"]


@lru_cache(maxsize=1)
def faces() -> dict[str, Path]:
    """Return the file of each style."""
    folder = Path(tempfile.mkdtemp(prefix="strowger-letters-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return {style: _small(name, folder / f"{name}.ttf") for style, name in FACES.items()}


def _small(name: str, to: Path) -> Path:
    # The day of the original stays in the file: two copies of a document are the same byte for byte.
    font = TTFont(font_files_ttf[name], recalcTimestamp=False)
    options = Options(layout_features=[], hinting=False, notdef_outline=True, recalc_timestamp=False, name_IDs=["*"])
    options.drop_tables += UNUSED
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[code for first, end in RANGES for code in range(first, end)])
    subsetter.subset(font)
    font.save(to)
    return to
