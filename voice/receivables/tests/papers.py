"""Documents as the register has them, made without a database, with chance in them."""

import random
from datetime import date, timedelta
from types import SimpleNamespace

from voice.receivables.composer import Item, compose
from voice.receivables.phrases import say
from voice.receivables.tax import Treatment

STANDARD = Treatment("S", 190_000, "VAT")
TREATMENTS = [
    STANDARD,
    Treatment("S", 200_000, "VAT"),
    Treatment("S", 255_000, "VAT"),
    Treatment("AE", 0, "VAT", say("en", "reverse_charge")),
    Treatment("E", 0, "VAT", "Exempt: embassy"),
    Treatment("K", 0, "VAT", say("en", "intra")),
    Treatment("G", 0, "VAT", say("en", "export")),
    Treatment("O", 0, "VAT", "Not subject to VAT: the place of supply is US, where the recipient is established."),
]
SELLER = {
    "name": "Nordwind Telefonie & Söhne GmbH", "street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin",
    "country": "DE", "vat_id": "DE123456789", "email": "billing@northwind.example", "phone": "+49 30 1110100",
    "registration": "HRB 12345 B", "tax_number": "30/123/45678", "bank": "Demo Bank",
    "iban": "DE02120300000000202051", "bic": "BYLADEM1001",
}  # fmt: skip
BUYER = {
    "name": "Żółć <Acme> Sp. z o.o.", "street": "ul. Łączna 2", "postcode": "00-001", "city": "Warszawa",
    "country": "PL", "vat_id": "PL1234567890", "email": "ap@acme.example", "buyer_reference": "PO-17",
}  # fmt: skip


def paper(items, currency="EUR", *, kind="invoice", number="2026-00001", seller=SELLER, buyer=BUYER, reason=""):
    """Return a document with its lines and taxes."""
    made = compose(items, currency)
    document = SimpleNamespace(
        number=number, currency=currency, seller=seller, buyer=buyer, reason=reason, net=made.net, tax=made.tax,
        total=made.total, is_credit_note=kind == "credit_note", issued_on=date(2026, 11, 20),
        due_on=date(2026, 12, 4), begins=date(2026, 10, 1), ends=date(2026, 11, 1),
    )  # fmt: skip
    borne = [each.levy for each in made.taxes if each.levy]
    lines = [
        SimpleNamespace(
            position=position, text=line.text, quantity=line.quantity, seconds=line.seconds, kind=line.kind,
            net=line.net, category=line.treatment.category, per_million=line.treatment.per_million,
            levies=[borne.index(levy) + 1 for levy in line.treatment.levies],
        )
        for position, line in enumerate(made.lines, 1)
    ]  # fmt: skip
    taxes = [
        SimpleNamespace(
            category=line.treatment.category, per_million=(line.levy or line.treatment).per_million,
            note=line.treatment.note, net=line.net, tax=line.tax, is_levy=line.levy is not None,
            name=(line.levy or line.treatment).name, share_per_million=line.levy.share if line.levy else 1_000_000,
            fixed=line.levy.fixed if line.levy else 0, units=line.levy.units if line.levy else 0,
        )
        for line in made.taxes
    ]  # fmt: skip
    return document, lines, taxes


def some(seed: int):
    """Return a document of chance: calls, fees, credits, two tax rates now and then, odd names."""
    chance = random.Random(seed)
    first = chance.choice(TREATMENTS)
    # Nothing stands beside what is outside the scope, says BR-O-11.
    choices = [first] if first.category == "O" else [first, *TREATMENTS[: chance.randrange(1, 8)]]
    choices = [each for each in choices if (each.category == "O") == (first.category == "O")]
    items = [
        Item(
            kind=(kind := chance.choice(["usage", "fee", "fee", "credit"])),
            group=str(number),
            text=chance.choice(["Germany", "Numbers", "United Kingdom, mobile", "Ünïcode & <sons>", "x" * 120]),
            micros=chance.randrange(-(10**9), 0) if kind == "credit" else chance.randrange(0, 10**10),
            treatment=chance.choice(choices),
            quantity=chance.randrange(1, 5000),
            seconds=chance.randrange(10**6),
        )
        for number in range(chance.randrange(1, 30))
    ]
    currency = chance.choice(["EUR", "GBP", "PLN", "JPY"])
    kind = chance.choice(["invoice", "invoice", "credit_note"])
    seller = SELLER | ({"iban": "", "bic": ""} if chance.random() < 0.3 else {})
    return paper(items, currency, kind=kind, seller=seller, reason=chance.choice(["", "Wrong plan"]))


CORRECTS = ("2026-00001", date(2026, 11, 20) - timedelta(days=9))
