"""The e-invoice of EN 16931 in the syntax UBL 2.1, as Peppol BIS Billing 3.0 wants it: pure, over a frozen document."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from facturx import generate_xml
from lxml import etree

from voice.receivables import schemas
from voice.receivables.einvoice import LineRow, TaxRow, facts_of, refuse

CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
# What German authorities read; they are told by their routing id (Leitweg-ID): coarse part, fine part, check digits.
XRECHNUNG = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
ROUTING_ID, ROUTED = re.compile(r"[0-9]{2,12}(-[0-9A-Z]{1,30})?-[0-9]{2}\Z"), "0204"
# How a party is found on the network by its VAT id: the code list of electronic addresses (EAS).
BY_VAT_ID = {
    "AT": "9914", "BE": "9925", "BG": "9926", "CH": "9927", "CY": "9928", "CZ": "9929", "DE": "9930", "EE": "9931",
    "EL": "9933", "ES": "9920", "FR": "9957", "GB": "9932", "HR": "9934", "HU": "9910", "IE": "9935", "IT": "0211",
    "LT": "9937", "LU": "9938", "LV": "9939", "MT": "9943", "NL": "9944", "PL": "9945", "PT": "9946", "RO": "9947",
    "SI": "9949", "SK": "9950",
}  # fmt: skip
BY_MAIL = "EM"
# Peppol demands a reference of the buyer; this is what stands there where it gave none.
NO_REFERENCE = "n/a"


def xml(
    document: Any, lines: Sequence[LineRow], taxes: Sequence[TaxRow], *, corrects: tuple[str, date] | None = None
) -> bytes:
    """Return the document as UBL XML, checked against the official schema; raises NotPossible."""
    refuse(document, taxes)
    is_xrechnung = _is_xrechnung(document)
    facts = facts_of(document, lines, taxes, corrects, tells_account=is_xrechnung)
    facts["BT-23"] = PROCESS
    facts.setdefault("BT-10", NO_REFERENCE)
    for group, party in (("BG-4", document.seller), ("BG-7", document.buyer)):
        scheme, address = address_of(party)
        facts[group] = facts[group] | {"einvoicing_addr": address, "einvoicing_addr_schemeid": scheme}
    made = generate_xml(facts, flavor="ubl-2.1", level="en16931", check_xsd=False, check_schematron=None)
    found = etree.fromstring(made)
    # The library writes plain EN 16931: Peppol and the German authorities have names of their own for what they take,
    # and want no version.
    found.find(f"{CBC}CustomizationID").text = XRECHNUNG if is_xrechnung else PEPPOL
    found.remove(found.find(f"{CBC}UBLVersionID"))
    told: bytes = etree.tostring(found, xml_declaration=True, encoding="UTF-8")
    schemas.check(told, schemas.UBL_CREDIT_NOTE if document.is_credit_note else schemas.UBL_INVOICE)
    return told


def address_of(party: Any) -> tuple[str, str]:
    """Return where a party gets e-invoices, after the list that it stands in: a routing id, its VAT id, or its mail."""
    reference = party.get("buyer_reference", "")
    if party["country"] == "DE" and ROUTING_ID.match(reference):
        return ROUTED, reference
    vat_id = party.get("own_vat_id", party["vat_id"])
    scheme = BY_VAT_ID.get(vat_id[:2])
    return (scheme, vat_id) if scheme else (BY_MAIL, party["email"])


def _is_xrechnung(document: Any) -> bool:
    # Without an account and somebody to ask it would not be one (BR-DE-1, BR-DE-6, BR-DE-7).
    has_contact = all(document.seller[name] for name in ("iban", "phone", "email"))
    return has_contact and address_of(document.buyer)[0] == ROUTED
