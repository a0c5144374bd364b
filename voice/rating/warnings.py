"""Warning people before calls stop: a mail to who pays, once for each time that an account passes a mark."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from portal.db import contexts
from portal.ui import values
from tenants import addresses, mail
from tenants.models import Brand, Customer, Membership
from tenants.models.people import Role
from voice.rating.models import Account, LimitWarning
from voice.rating.standing import Mark

READERS = (Role.ADMIN, Role.BILLING_CONTACT)
Passed = dict[int, set[tuple[str, int]]]


def look(*, at: datetime) -> int:
    """Open a warning for each mark that an account has passed since the last look, mail it, and return how many.

    What an account is back before is closed, so that the next time is a new one.
    """
    with contexts.ingest():
        accounts = {account.pk: account for account in Account.objects.limited()}
        passed: Passed = {
            pk: {(mark.value, share) for mark, share in _marks(account, at)} for pk, account in accounts.items()
        }
        fresh = _noted(accounts, passed, at)
    for pk, marks in fresh.items():
        _mail(accounts[pk], marks, at)
    return len(fresh)


def _marks(account: Account, at: datetime) -> set[tuple[Mark, int]]:
    return account.standing(at).passed(account.warned_at, account.warn_below_micros)


def _noted(accounts: dict[int, Account], passed: Passed, at: datetime) -> Passed:
    """Bring the open warnings in line with what is passed; return what nobody has been told yet."""
    with transaction.atomic():
        known: Passed = {}
        over = []
        for warning in LimitWarning.objects.select_for_update().filter(until=None):
            key = (warning.kind, warning.share)
            if key in passed.get(warning.tenant_id, ()):
                known.setdefault(warning.tenant_id, set()).add(key)
            else:
                over.append(warning.pk)
        LimitWarning.objects.filter(pk__in=over).update(until=at)
        fresh = {pk: marks - known.get(pk, set()) for pk, marks in passed.items()}
        rows = [
            LimitWarning(tenant_id=pk, msp_id=accounts[pk].msp_id, kind=kind, share=share, since=at)
            for pk, marks in fresh.items()
            for kind, share in sorted(marks)
        ]
        # Two that look at once: each warning is one's.
        made = LimitWarning.objects.bulk_create(rows, ignore_conflicts=True)
    found: Passed = {}
    for row in made:
        found.setdefault(row.tenant_id, set()).add((row.kind, row.share))
    return found


def _mail(account: Account, marks: set[tuple[str, int]], at: datetime) -> None:
    """Write to who pays at the customer, in the MSP's brand: one mail for all that was passed at once."""
    with contexts.ingest():
        customer = Customer.objects.get(pk=account.pk)
    if customer.state not in (Customer.State.ACTIVE, Customer.State.SUSPENDED):
        return
    with contexts.customer(customer):
        readers = Membership.objects.filter(tenant=customer, role__in=READERS).select_related("user")
        brand = Brand.objects.filter(msp=customer.msp_id).first()
        url = addresses.url(addresses.primary_host(customer), "/balance/")
        for reader in readers.order_by("pk"):
            with translation.override(reader.user.language):
                lines = [words(account, kind, share, at) for kind, share in gravest(marks)]
            context = {"customer": customer, "lines": lines, "url": url}
            mail.send("voice/rating/mail/limit", reader.user.email, context, brand=brand, language=reader.user.language)


def gravest(marks: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return of each kind the mark that is furthest."""
    furthest: dict[str, int] = {}
    for kind, share in marks:
        furthest[kind] = max(share, furthest.get(kind, 0))
    if Mark.EMPTY in furthest:
        furthest.pop(Mark.LOW, None)
    return sorted(furthest.items())


def words(account: Account, kind: str, share: int, at: datetime) -> str:
    """Return what a warning says, with the amounts of now."""
    standing = account.standing(at)
    limits = {
        Mark.LOW: account.warn_below_micros, Mark.EMPTY: 0, Mark.CREDIT: standing.credit_limit,
        Mark.SPEND: standing.spend_limit, Mark.OWN: standing.own_limit,
    }  # fmt: skip
    limit = values.money(limits[Mark(kind)], account.currency)
    facts = {"limit": limit, "share": share, "balance": values.money(account.balance_micros, account.currency)}
    if kind == Mark.LOW:
        return _("Less than %(limit)s is left on the prepaid account: %(balance)s.") % facts
    if kind == Mark.EMPTY:
        used_up = _("The prepaid account is used up: its balance is %(balance)s.")
    else:
        used_up, partly = {
            Mark.CREDIT: (
                _("The credit limit of %(limit)s is used up."),
                _("%(share)s %% of the credit limit of %(limit)s is used."),
            ),
            Mark.SPEND: (
                _("This month’s spend limit of %(limit)s is reached."),
                _("%(share)s %% of this month’s spend limit of %(limit)s is spent."),
            ),
            Mark.OWN: (
                _("Your own spend limit of this month, %(limit)s, is reached."),
                _("%(share)s %% of your own spend limit of this month, %(limit)s, is spent."),
            ),
        }[Mark(kind)]  # fmt: skip
        if share < 100:
            return partly % facts
    return f"{used_up % facts} {_('Calls that cost something are stopped; emergency calls are not.')}"


def open_warnings(**narrowed: Any) -> list[tuple[LimitWarning, Account]]:
    """Return the marks that accounts of the database context stand beyond, of each kind the furthest."""
    found = list(LimitWarning.objects.filter(until=None, **narrowed).order_by("-since", "pk"))
    accounts = Account.objects.in_bulk({warning.tenant_id for warning in found})
    by_tenant: dict[int, set[tuple[str, int]]] = {}
    for warning in found:
        by_tenant.setdefault(warning.tenant_id, set()).add((warning.kind, warning.share))
    return [
        (warning, accounts[warning.tenant_id])
        for warning in found
        if warning.tenant_id in accounts and (warning.kind, warning.share) in gravest(by_tenant[warning.tenant_id])
    ]
