"""The demo's bank: a statement with a payment by reference, one by number, one that fits nothing, and charges."""

from datetime import date, timedelta

from django.utils import timezone

from portal.core.audit import Actor
from tenants.demo import Cast
from tenants.models import Msp
from voice.payments import selectors, services
from voice.payments.matching import OpenInvoice
from voice.payments.models import BankEntry, BankStatement
from voice.rating.money import MICROS
from voice.receivables.models import LegalEntity
from voice.receivables.references import creditor_reference

BY = Actor.system("demo")
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
# Invented accounts of the right shape.
PAYER, STRANGER = "DE75512108001245126199", "DE12500105170648489890"
OPENING = 12_500_000_000


def seed(cast: Cast) -> None:
    """Import one statement for each MSP's company; book what is sure, and the bank's charges aside."""
    for msp in cast.msps:
        with cast.as_msp(msp):
            entity = LegalEntity.objects.filter(msp=msp).order_by("pk").first()
            if entity is not None and not BankStatement.objects.filter(entity=entity).exists():
                _statement(msp, entity)


def _statement(msp: Msp, entity: LegalEntity) -> None:
    day = timezone.localdate() - timedelta(days=2)
    invoices = selectors.open_invoices(entity.pk)
    currency = invoices[0].currency if invoices else "EUR"
    entries = [*_payments(invoices), (37_500_000, "Hooli Inc", STRANGER, "", "for October, thanks"),
               (-12_900_000, "", "", "", "Account charges")]  # fmt: skip
    services.import_statements(entity, _file(entity.iban, currency, day, entries), by=BY)
    charges = BankEntry.objects.get(entity=entity, amount=-12_900_000)
    services.set_aside(charges, note="Bank charges", by=BY)


def _payments(invoices: list[OpenInvoice]) -> list[tuple[int, str, str, str, str]]:
    # The customer pays a part by reference, and the clerk finds the rest named in words.
    if not invoices:
        return []
    first, part = invoices[0], invoices[0].left // 2 // 10_000 * 10_000
    return [(part, first.customer, PAYER, creditor_reference(first.number), "")]


def _file(iban: str, currency: str, day: date, entries: list[tuple[int, str, str, str, str]]) -> bytes:
    """Return a statement as a bank would write it."""

    def amount(micros: int) -> str:
        sign = "CRDT" if micros >= 0 else "DBIT"
        return f'<Amt Ccy="{currency}">{abs(micros) / MICROS:.2f}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'

    def balance(code: str, micros: int) -> str:
        kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        return f"<Bal>{kind}{amount(micros)}<Dt><Dt>{day}</Dt></Dt></Bal>"

    rows = []
    for micros, payer, account, reference, words in entries:
        who = "Dbtr" if micros > 0 else "Cdtr"
        party = f"<{who}><Pty><Nm>{payer}</Nm></Pty></{who}><{who}Acct><Id><IBAN>{account}</IBAN></Id></{who}Acct>"
        told = f"<Ustrd>{words}</Ustrd>" if words else ""
        told += f"<Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd>" if reference else ""
        details = f"<TxDtls>{f'<RltdPties>{party}</RltdPties>' if payer else ''}<RmtInf>{told}</RmtInf></TxDtls>"
        rows.append(
            f"<Ntry>{amount(micros)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
            f"<NtryDtls>{details}</NtryDtls></Ntry>"
        )
    closing = OPENING + sum(entry[0] for entry in entries)
    account = f"<Acct><Id><IBAN>{iban}</IBAN></Id></Acct>"
    body = f"{account}{balance('OPBD', OPENING)}{balance('CLBD', closing)}{''.join(rows)}"
    statement = f"<Stmt><Id>{day}/1</Id>{body}</Stmt>"
    return f'<Document xmlns="{NAMESPACE}"><BkToCstmrStmt>{statement}</BkToCstmrStmt></Document>'.encode()
