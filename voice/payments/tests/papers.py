"""Bank statements as banks write them, for the tests."""

from datetime import date
from decimal import Decimal

IBAN = "DE02120300000000202051"
HEAD = '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'


def money(amount, tag="Amt", currency="EUR"):
    return f'<{tag} Ccy="{currency}">{abs(Decimal(str(amount)))}</{tag}>'


def sign(amount):
    return f"<CdtDbtInd>{'CRDT' if Decimal(str(amount)) >= 0 else 'DBIT'}</CdtDbtInd>"


def detail(amount, *, version="02", payer="Acme GmbH", iban="DE89370400440532013000", text="", ref="", e2e="", why="",
           own_amount=False):  # fmt: skip
    """Return one transaction; the parties lie one deeper in the newer version."""
    name = f"<Nm>{payer}</Nm>" if version == "02" else f"<Pty><Nm>{payer}</Nm></Pty>"
    who = "Dbtr" if Decimal(str(amount)) >= 0 else "Cdtr"
    parties = f"<RltdPties><{who}>{name}</{who}><{who}Acct><Id><IBAN>{iban}</IBAN></Id></{who}Acct></RltdPties>"
    strd = f"<Strd><CdtrRefInf><Ref>{ref}</Ref></CdtrRefInf></Strd>" if ref else ""
    words = f"<Ustrd>{text}</Ustrd>" if text else ""
    returned = f"<RtrInf><Rsn><Cd>{why}</Cd></Rsn></RtrInf>" if why else ""
    own = money(amount) if own_amount else ""
    refs = f"<Refs><EndToEndId>{e2e or 'NOTPROVIDED'}</EndToEndId></Refs>"
    return f"<TxDtls>{refs}{own}{parties}<RmtInf>{words}{strd}</RmtInf>{returned}</TxDtls>"


def entry(amount, *, version="02", day="2026-11-20", state="BOOK", details="", bank_ref="", currency="EUR", **facts):
    status = f"<Sts>{state}</Sts>" if version == "02" else f"<Sts><Cd>{state}</Cd></Sts>"
    inside = details or detail(amount, version=version, **facts)
    ref = f"<AcctSvcrRef>{bank_ref}</AcctSvcrRef>" if bank_ref else ""
    return (
        f"<Ntry>{money(amount, currency=currency)}{sign(amount)}{status}<BookgDt><Dt>{day}</Dt></BookgDt>{ref}"
        f"<NtryDtls>{inside}</NtryDtls></Ntry>"
    )


def balance(code, amount, day):
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f"<Bal>{kind}{money(amount)}{sign(amount)}<Dt><Dt>{day}</Dt></Dt></Bal>"


def statement(*entries, closing, opening=100, version="02", name="2026-11-20/1", iban=IBAN, day="2026-11-20"):
    """Return a file with one statement."""
    begins, ends = balance("OPBD", opening, date(2026, 11, 19)), balance("CLBD", closing, day)
    body = f"<Stmt><Id>{name}</Id><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>{begins}{ends}{''.join(entries)}</Stmt>"
    head = HEAD.format(version=version)
    return f"{head}<BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr>{body}</BkToCstmrStmt></Document>".encode()
