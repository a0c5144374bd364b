"""A customer's life: created whole in one transaction, changed, suspended, resumed, closed, forgotten."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit, nudges
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from portal.db import contexts
from portal.db import customers as schemas
from tenants import addresses, hosts
from tenants.countries import COUNTRIES
from tenants.models import Acting, ApiToken, BaseDomain, ChannelLimit, Customer, CustomerRegion, Domain, Msp
from tenants.scopes import config_changed
from tenants.services.people import invite
from tenants.services.retention import holds_on
from tenants.zones import usual_zone, zones

Demand = Callable[[Customer], None]
RETENTION = timedelta(days=90)
_demands: list[Demand] = []
# Who says what a customer leaves open that is closed: this layer cannot ask the ones above.
left_open: list[Callable[[Customer], list[str]]] = []
_R_LDH = re.compile(r"..--")  # where A-labels such as xn-- live
OPEN_STATES = (Customer.State.ACTIVE, Customer.State.SUSPENDED)
FIELDS = (
    "name",
    "country",
    "time_zone",
    "cps",
    "channels",
    "longest_call_minutes",
    "caller_id_policy",
    "foreign_caller_id",
)


def demanded_on_moving(ask: Demand) -> Demand:
    """Register who refuses, in words, a country whose rules the customer does not meet yet.

    It is asked in the context of the customer's MSP over its schema: this layer cannot ask the ones above.
    """
    _demands.append(ask)
    return ask


def sbc_names(label: str, bases: list[BaseDomain]) -> dict[BaseDomain, str]:
    """Return the name that a customer's label gives it on each base; raises ValidationError for an unusable label.

    A base has at most 38 characters and a label 9, so that no name exceeds the 48 of Microsoft.
    """
    if label in addresses.RESERVED or _R_LDH.match(label):
        raise ValidationError({"label": _("“%(label)s” is reserved; choose another label.") % {"label": label}})
    return {base: f"{label}.{base.fqdn}" for base in bases}


@transaction.atomic
def create_customer(customer: Customer, *, by: Actor, admin_email: str = "") -> Customer:
    """Create a customer whole: schema, SBC names, portal host, first revision; invite the first administrator.

    Raises ValidationError with messages meant for the user.
    """
    with contexts.msp(customer.msp):
        customer.pk, customer.state = _next_id(), Customer.State.CREATING
        customer.schema_name = f"c{customer.pk:06d}"
        customer.time_zone = customer.time_zone or usual_zone(customer.country)
        _check(customer)
        bases = list(BaseDomain.objects.filter(msp=customer.msp).order_by("pk"))
        names = sbc_names(customer.label, bases)
        taken = BaseDomain.objects.filter(fqdn__in=names.values()).first()
        if taken:
            raise ValidationError({"label": _("%(name)s is a base domain; choose another label.") % {"name": taken}})
        domain = Domain(
            domain=addresses.customer_host(customer), kind=Domain.Kind.CUSTOMER, msp=customer.msp, tenant=customer
        )
        if hosts.is_taken(domain.domain):
            raise ValidationError({"label": _("The address %(host)s is in use.") % {"host": domain.domain}})
        customer.save(force_insert=True)
        CustomerRegion.objects.bulk_create(
            CustomerRegion(customer=customer, base_domain=base, fqdn=name) for base, name in names.items()
        )
        domain.save()
        schemas.create_schema(customer)
        customer.state = Customer.State.ACTIVE
        Customer.objects.filter(pk=customer.pk).update(state=customer.state)
        _keep_channels(customer)
        config_changed(customer)
        audit.record(
            by,
            "customer.created",
            customer,
            after=_facts(customer) | {"label": customer.label},
            tenant_id=customer.pk,
            msp_id=customer.msp_id,
        )
        if admin_email:
            invite(admin_email, role="admin", msp=None, tenant=customer, by=by)
    transaction.on_commit(hosts.forget)
    return customer


@transaction.atomic
def save_customer(customer: Customer, *, by: Actor) -> Customer:
    """Store changed facts and limits of a customer and send them to the SBCs.

    Raises ValidationError, and StaleEdit where somebody else saved in between.
    """
    stored = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if stored.config_version != customer.config_version:
        raise StaleEdit(stored)
    # Label, schema and MSP are for life.
    customer.label, customer.schema_name, customer.msp_id = stored.label, stored.schema_name, stored.msp_id
    _check(customer)
    before, after = _facts(stored), _facts(customer)
    if before == after:
        return customer
    if customer.country != stored.country and stored.state != Customer.State.CLOSED:
        with contexts.msp(stored.msp, stored):
            for ask in _demands:
                ask(customer)
    Customer.objects.filter(pk=customer.pk).update(**after)
    if before["channels"] != after["channels"]:
        _keep_channels(customer)
    config_changed(customer)
    audit.record(
        by, "customer.changed", customer, before=before, after=after, tenant_id=customer.pk, msp_id=customer.msp_id
    )
    _tell(customer)
    return customer


@transaction.atomic
def hide_numbers(customer: Customer, *, hide: bool, by: Actor) -> Customer:
    """Hide the last three digits of numbers in call lists from all but the customer's own voice staff, or show them."""
    stored = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if stored.hide_numbers != hide:
        Customer.objects.filter(pk=customer.pk).update(hide_numbers=hide)
        audit.record(
            by, "customer.numbers_hidden" if hide else "customer.numbers_shown", customer,
            before={"hide_numbers": not hide}, after={"hide_numbers": hide}, tenant_id=customer.pk,
            msp_id=customer.msp_id,
        )  # fmt: skip
        _tell(customer)
    customer.hide_numbers = hide
    return customer


@transaction.atomic
def save_longest_call(msp: Msp, minutes: int | None, *, by: Actor) -> Msp:
    """Store how long calls may last of customers without a value of their own, and send those to the SBCs.

    Raises ValidationError.
    """
    stored = Msp.objects.select_for_update(no_key=True).get(pk=msp.pk)
    before, stored.longest_call_minutes = stored.longest_call_minutes, minutes
    stored.full_clean(validate_unique=False)
    if before == minutes:
        return stored
    Msp.objects.filter(pk=stored.pk).update(longest_call_minutes=minutes)
    following = Customer.objects.filter(msp=stored, longest_call_minutes=None).exclude(state=Customer.State.CLOSED)
    for customer in following.order_by("pk"):
        config_changed(customer)
    audit.record(
        by, "msp.longest_call", stored, before={"longest_call_minutes": before},
        after={"longest_call_minutes": minutes}, msp_id=stored.pk,
    )  # fmt: skip
    return stored


def suspend_customer(customer: Customer, *, reason: str, by: Actor) -> Customer:
    """Stop a customer's calls, emergency calls excepted; everything else stays as it is."""
    return _move(customer, Customer.State.SUSPENDED, ("active",), "customer.suspended", by, reason)


def resume_customer(customer: Customer, *, by: Actor) -> Customer:
    """Let a suspended customer call again."""
    return _move(customer, Customer.State.ACTIVE, ("suspended",), "customer.resumed", by)


def demand_open(customer: Customer) -> None:
    """Hold a customer's state until the transaction ends; raises ValidationError for one that is on its way out.

    Whatever such a customer were given would be taken from it again within a minute.
    """
    stored = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if stored.state not in OPEN_STATES:
        raise ValidationError(_("%(customer)s cannot be given anything now.") % {"customer": stored.name})


def leaves_open(customer: Customer) -> list[str]:
    """Return in words what a customer leaves open where it is closed: contracts, bills, money."""
    return [words for ask in left_open for words in ask(customer)]


@transaction.atomic
def close_customer(customer: Customer, *, typed_name: str, reason: str, by: Actor) -> Customer:
    """Take a customer off the SBCs for good; its data is kept until `retain_until`, its label for ever.

    Raises ValidationError unless the customer's name was typed.
    """
    if typed_name.strip() != customer.name:
        raise ValidationError({"typed": _("Type %(name)s exactly as it is written.") % {"name": customer.name}})
    _move(customer, Customer.State.CLOSING, OPEN_STATES, "customer.closing", by, reason)
    customer.retain_until = (timezone.now() + RETENTION).date()
    Customer.objects.filter(pk=customer.pk).update(retain_until=customer.retain_until)
    now = timezone.now()
    ApiToken.objects.filter(tenant=customer, revoked_at=None).update(revoked_at=now)
    Acting.objects.filter(tenant=customer, ended_at=None).update(ended_at=now)
    return customer


def finish_closing(*, by: Actor) -> list[Customer]:
    """Close the customers that no SBC carries any more; safe at any time."""
    with contexts.public():
        leaving = list(Customer.objects.filter(state=Customer.State.CLOSING).select_related("msp").order_by("pk"))
    done = []
    for customer in leaving:
        with contexts.msp(customer.msp), transaction.atomic():
            row = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
            if row.state == Customer.State.CLOSING and row.is_live:
                Customer.objects.filter(pk=row.pk).update(state=Customer.State.CLOSED, closed_at=timezone.now())
                audit.record(by, "customer.closed", row, tenant_id=row.pk, msp_id=row.msp_id)
                done.append(row)
    hosts.forget()
    return done


def forget_closed(*, today: date, by: Actor) -> int:
    """Drop the schemas of customers whose time of keeping is over and that no legal hold keeps.

    What stands in public tables has rules of its own.
    """
    with contexts.public():
        left = schemas.customer_schemas()
        over = Customer.objects.filter(state=Customer.State.CLOSED, retain_until__lt=today, schema_name__in=left)
        due = list(over.select_related("msp").order_by("pk"))
    gone = 0
    for customer in due:
        with contexts.msp(customer.msp), transaction.atomic():
            if holds_on(customer):
                continue
            schemas.drop_schema(customer)
            audit.record(by, "customer.forgotten", customer, tenant_id=customer.pk, msp_id=customer.msp_id)
            gone += 1
    return gone


@transaction.atomic
def _move(customer: Customer, to: str, allowed: tuple[str, ...], verb: str, by: Actor, reason: str = "") -> Customer:
    stored = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if stored.state not in allowed:
        raise ValidationError(
            _("%(name)s is %(state)s.") % {"name": stored, "state": stored.get_state_display().lower()}
        )
    if verb in ("customer.suspended", "customer.closing") and not reason.strip():
        raise ValidationError({"reason": _("Say why; it is kept in the audit log.")})
    Customer.objects.filter(pk=customer.pk).update(state=to)
    customer.state = to
    config_changed(customer)
    audit.record(
        by,
        verb,
        customer,
        before={"state": stored.state},
        after={"state": to},
        reason=reason,
        tenant_id=customer.pk,
        msp_id=customer.msp_id,
    )
    _tell(customer)
    return customer


def _check(customer: Customer) -> None:
    customer.full_clean(exclude=["schema_name"])
    if customer.country not in COUNTRIES:
        raise ValidationError({"country": _("Choose a country of the list.")})
    if customer.time_zone not in zones():
        raise ValidationError({"time_zone": _("Choose a time zone of the list.")})


def _keep_channels(customer: Customer) -> None:
    """Note from when on the customer has its channels: they are billed by the day."""
    now, rows = timezone.now(), ChannelLimit.objects.filter(tenant=customer)
    last = rows.last_of_each("tenant").first()
    rows.end(now)
    since = last.next(now) if last else now
    ChannelLimit.objects.create(msp_id=customer.msp_id, tenant=customer, channels=customer.channels, since=since)


def _facts(customer: Customer) -> dict[str, object]:
    return {name: getattr(customer, name) for name in FIELDS}


def _tell(customer: Customer) -> None:
    transaction.on_commit(partial(nudges.topic, customer.pk, customer.msp_id, "customer"), robust=True)


def _next_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('public.tenants_customer', 'id'))")
        return int(cursor.fetchone()[0])
