"""How many of a thousand invoices and credit notes of chance break no official rule of EN 16931."""

from collections.abc import Callable

from tests.bench.figure import Figure, emit, note

DOCUMENTS = 1_000


def run() -> list[Figure]:
    """Print how many documents are valid by the rules that the standard's own stylesheets check."""
    import django

    django.setup()
    from voice.receivables import einvoice, ubl
    from voice.receivables.tests.papers import CORRECTS, some
    from voice.receivables.tests.rules import official

    figures = []
    with official() as broken:
        for syntax, make in (("cii", einvoice.xml), ("ubl", ubl.xml)):
            note(f"einvoices: {DOCUMENTS:,} documents as {syntax.upper()}")
            valid = sum(not _breaks(broken, syntax, make, some, seed, CORRECTS) for seed in range(DOCUMENTS))
            figures.append(
                emit(
                    f"{syntax.upper()} e-invoices valid by the official rules, {DOCUMENTS:,} random",
                    valid,
                    "documents",
                    at_least=DOCUMENTS,
                )
            )
    return figures


def _breaks(
    broken: Callable[..., list[str]], syntax: str, make: Callable[..., bytes], some: Callable[..., tuple], seed: int,
    corrects: object,
) -> bool:  # fmt: skip
    document, lines, taxes = some(seed)
    xml = make(document, lines, taxes, corrects=corrects if document.is_credit_note else None)
    found = broken(xml, syntax)
    if found:
        note(f"einvoices: document {seed} as {syntax} breaks {found[0]}")
    return bool(found)
