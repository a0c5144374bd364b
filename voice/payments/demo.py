"""The demo's payments: a bank statement, a lab checkout with a saved card and a refund, a ladder of reminders."""

from datetime import date, timedelta

from django.utils import timezone

from portal.core.audit import Actor
from tenants.demo import Cast
from tenants.models import Customer, Msp
from voice.payments import selectors, services
from voice.payments.gateway import lab
from voice.payments.matching import OpenInvoice
from voice.payments.models import BankEntry, BankStatement, CardAccount, CardAttempt, DunningStep
from voice.payments.services import cards, dunning, webhooks
from voice.payments.services.accounts import save_account
from voice.payments.services.ladder import save_step
from voice.payments.services.orders import order_of
from voice.rating.money import MICROS
from voice.receivables.models import LegalEntity
from voice.receivables.references import creditor_reference

BY = Actor.system("demo")
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
# Invented accounts of the right shape.
PAYER, STRANGER = "DE75512108001245126199", "DE12500105170648489890"
OPENING = 12_500_000_000
LADDER = [
    (7, "Friendly reminder", "Perhaps it slipped your mind: the bills below are still open.", {}),
    (21, "Second reminder", "The bills below are overdue. Please pay within a week.",
     {"fee": 5_000_000, "interest_per_million": 90_000}),
    (35, "Last reminder", "We stop ordinary calls until the bills below are paid. Emergency calls always pass.",
     {"fee": 5_000_000, "interest_per_million": 90_000, "suspends": True, "tells_msp": True}),
]  # fmt: skip


def seed(cast: Cast) -> None:
    """Fill the desk of each MSP's company once: the bank's file waits for a clerk, Acme pays by card."""
    for msp in cast.msps:
        with cast.as_msp(msp):
            entity = LegalEntity.objects.filter(msp=msp).order_by("pk").first()
            if entity is None or BankStatement.objects.filter(entity=entity).exists():
                continue
            _statement(msp, entity)
            _ladder(msp)
            account = save_account(CardAccount(msp=msp, entity=entity, kind=CardAccount.Kind.LAB), by=BY)
            for customer in (each for each in cast.customers if each.msp_id == msp.pk and each.label == "acme"):
                _cards(account, customer)


def _ladder(msp: Msp) -> None:
    for days, title, words, facts in LADDER:
        save_step(DunningStep(msp=msp, after_days=days, title=title, words=words, **facts), by=BY)
    dunning.propose(msp, today=timezone.localdate(), by=BY)


def _cards(account: CardAccount, customer: Customer) -> None:
    """Let the customer pay twice at the lab's checkout, once with a card that is declined; a part goes back."""
    at = int(timezone.now().timestamp())
    for micros, last4 in ((50_000_000, lab.DECLINED), (50_000_000, lab.GOOD)):
        attempt = cards.top_up(customer, micros, by=Actor(email=f"alice@{customer.label}.example"), saves=True)
        for event in lab.checkout_events(order_of(attempt), last4=last4, at=at):
            webhooks.receive(account, *lab.signed(event, account.webhook_secret or ""))
    paid = CardAttempt.objects.filter(account=account, state=CardAttempt.State.SUCCEEDED).latest("pk")
    cards.refund(paid, 10_000_000, by=BY)


def _statement(msp: Msp, entity: LegalEntity) -> None:
    day = timezone.localdate() - timedelta(days=2)
    # That of the account, which is at home; who owes another one pays to another account.
    currency = "GBP" if entity.country == "GB" else "EUR"
    invoices = [each for each in selectors.open_invoices(entity.pk) if each.currency == currency]
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
