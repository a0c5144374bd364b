"""Reads of tenancy and people that need more than a queryset method."""

from collections.abc import Callable

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core.models import AuditEntry
from portal.db import contexts
from portal.ui.parts import Step
from tenants import addresses
from tenants.models import ApiToken, BaseDomain, Customer, Domain, Invitation, Membership, Msp, OwnHost, Region

Tell = Callable[[Customer], Step]
_steps: list[Tell] = []
# What `str(user)` says, for lists of what belongs to users to be searched and sorted by.
PERSON = Lower(Coalesce(NullIf("user__name", Value("")), "user__email", output_field=TextField()))


def tells_step(tell: Tell) -> Tell:
    """Register who tells one more step of a customer's creation, as the MSP: this layer cannot ask the ones above."""
    _steps.append(tell)
    return tell


def customers_of(msp: Msp) -> QuerySet[Customer]:
    """Return an MSP's customers, closed ones included."""
    return Customer.objects.filter(msp=msp)


def usual_country(msp: Msp) -> str:
    """Return the country that most of an MSP's customers are in, or nothing before there is one."""
    counted = customers_of(msp).values("country").annotate(count=Count("pk"), last=Max("pk"))
    most = counted.order_by("-count", "-last").first()
    return str(most["country"]) if most else ""


def team(msp: Msp | None, tenant: Customer | None) -> QuerySet[Membership]:
    """Return the people of a place with their roles."""
    return Membership.objects.filter(**_here(msp, tenant)).select_related("user").order_by("user__email")


def with_last_login(members: QuerySet[Membership], msp: Msp | None, tenant: Customer | None) -> QuerySet[Membership]:
    """Return members of a place with when each last logged in there; elsewhere is no business of that place."""
    here = {"tenant_id": tenant.pk} if tenant is not None else {"msp_id": msp.pk if msp else None, "tenant_id": None}
    logins = AuditEntry.objects.filter(user_id=OuterRef("user"), verb="login.succeeded", **here).order_by("-at")
    return members.annotate(last_login=Subquery(logins.values("at")[:1]))


def open_invitations(msp: Msp | None, tenant: Customer | None) -> QuerySet[Invitation]:
    """Return the invitations to a place that can still be accepted."""
    return Invitation.objects.filter(
        **_here(msp, tenant), accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    ).order_by("email")


def tokens(msp: Msp | None, tenant: Customer | None) -> QuerySet[ApiToken]:
    """Return the tokens of a place, ended ones included: they explain the audit log."""
    return ApiToken.objects.filter(**_here(msp, tenant)).select_related("user").order_by("-created_at")


def msps() -> QuerySet[Msp]:
    """Return every MSP with how many customers it has; for the operator."""
    living = Q(customers__state__in=(Customer.State.ACTIVE, Customer.State.SUSPENDED))
    return Msp.objects.annotate(customer_count=Count("customers", filter=living, distinct=True))


def regions() -> QuerySet[Region]:
    """Return every region with its base domains counted; for the operator."""
    return Region.objects.annotate(base_count=Count("base_domains", distinct=True))


def base_domains(msp: Msp) -> QuerySet[BaseDomain]:
    """Return an MSP's base domains with their regions."""
    return BaseDomain.objects.filter(msp=msp).select_related("msp", "region").order_by("fqdn")


def without_name(base: BaseDomain) -> QuerySet[Customer]:
    """Return the living customers of the base's MSP that have no name on it."""
    living = Customer.objects.filter(msp=base.msp, state__in=(Customer.State.ACTIVE, Customer.State.SUSPENDED))
    return living.exclude(customer_regions__base_domain=base)


def nameless(base: BaseDomain) -> int:
    """Return how many living customers of the base's MSP have no name on it."""
    with contexts.msp(base.msp):
        return without_name(base).count()


def bases_with_nameless(msp: Msp) -> list[tuple[BaseDomain, int]]:
    """Return an MSP's base domains, each with the number of customers that have no name on it."""
    return [(base, nameless(base)) for base in base_domains(msp)]


def own_hosts(msp: Msp) -> QuerySet[OwnHost]:
    """Return the host names that an MSP has or wants, for itself and its customers."""
    return OwnHost.objects.filter(msp=msp).select_related("msp", "tenant").order_by("host")


def hosts_in_links(msp: Msp) -> set[str]:
    """Return the host names that links to the MSP's console and its customers' portals use."""
    return set(Domain.objects.filter(msp=msp, is_primary=True).values_list("domain", flat=True))


def creation_steps(customer: Customer, invite_url: str = "") -> list[Step]:
    """Return what had to happen for a new customer and how far each thing is; derived from what is stored.

    `invite_url` is where the reader invites the first administrator, if they may.
    """
    names = list(customer.customer_regions.order_by("fqdn").values_list("fqdn", flat=True))
    host = addresses.primary_host(customer)
    return [
        Step(
            _("Own database schema"),
            "current" if customer.state == Customer.State.CREATING else "done",
            _("%(name)s: nobody else's tables are in it.") % {"name": customer.schema_name},
        ),
        Step(
            _("Name on the SBCs"),
            "done" if names else "waiting",
            ", ".join(names) or _("Waiting for the operator: this MSP has no base domain yet."),
        ),
        Step(_("Portal address"), "done", addresses.url(host, "/")),
        _administrator_step(customer, invite_url),
        *(tell(customer) for tell in _steps),
        Step(
            _("Live on every SBC"),
            "done" if customer.is_live and customer.config_version else "current",
            _("Calls go by version %(n)s of its settings.") % {"n": customer.live_version}
            if customer.is_live and customer.config_version
            else _("On its way to the SBCs; that takes some seconds."),
        ),
    ]


def _administrator_step(customer: Customer, invite_url: str) -> Step:
    label = _("First administrator")
    member = Membership.objects.filter(tenant=customer, role="admin").select_related("user").first()
    if member:
        return Step(label, "done", _("%(email)s has joined.") % {"email": member.user.email})
    invitation = (
        open_invitations(None, customer).filter(role="admin").order_by(F("sent_at").desc(nulls_last=True)).first()
    )
    if invitation is None:
        words = _("Waiting for you: nobody is invited yet.")
        return Step(label, "waiting", words, action=_("Invite somebody"), url=invite_url)
    if invitation.sent_at is None:
        words = _("The mail to %(email)s did not leave.") % {"email": invitation.email}
        return Step(label, "failed", words, action=_("Invite again"), url=invite_url)
    return Step(label, "done", _("Invitation mailed to %(email)s.") % {"email": invitation.email})


def operator_counts() -> dict[str, int]:
    """Return what the operator's home shows of tenancy."""
    with contexts.public():
        return {
            "msps": Msp.objects.filter(state=Msp.State.ACTIVE).count(),
            "customers": Customer.objects.filter(state=Customer.State.ACTIVE).count(),
            "suspended": Customer.objects.filter(state=Customer.State.SUSPENDED).count(),
            "regions": Region.objects.count(),
        }


def _here(msp: Msp | None, tenant: Customer | None) -> dict[str, Msp | Customer | None]:
    # With neither given it is the operator's console, which has tokens and no team.
    return {"tenant": tenant} if tenant is not None else {"msp": msp, "tenant": None}
