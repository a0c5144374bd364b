"""The addresses of places, for links in mails and from one place to another."""

from django.conf import settings

from tenants.models import Customer, Domain, Msp

OPERATOR_LABEL = "console"
# Names that mail programs, browsers or we ourselves look for below a domain.
RESERVED = frozenset(
    {"admin", "api", "autodiscover", "console", "ftp", "imap", "mail", "mx", "node", "nodes", "ns", "ns1", "ns2", "pop"}
    | {"sip", "smtp", "static", "status", "support", "wpad", "www"}
)


def operator_host() -> str:
    return f"{OPERATOR_LABEL}.{settings.PLATFORM_DOMAIN}"


def msp_host(msp: Msp) -> str:
    """Return the host of an MSP's console as the platform gives it."""
    return f"{msp.slug}.{settings.PLATFORM_DOMAIN}"


def customer_host(customer: Customer) -> str:
    """Return the host of a customer's portal as the platform gives it."""
    return f"{customer.label}.{msp_host(customer.msp)}"


def primary_host(place: Msp | Customer | None) -> str:
    """Return the host that links to a place use: its own domain where it has one."""
    if place is None:
        return operator_host()
    here = (
        Domain.objects.filter(tenant=place)
        if isinstance(place, Customer)
        else Domain.objects.filter(msp=place, kind=Domain.Kind.MSP)
    )
    given = customer_host(place) if isinstance(place, Customer) else msp_host(place)
    return here.filter(is_primary=True).values_list("domain", flat=True).first() or given


def url(host: str, path: str) -> str:
    """Return the whole address of a path on one of our hosts."""
    usual = {"http": 80, "https": 443}[settings.PORTAL_SCHEME]
    port = "" if usual == settings.PORTAL_PORT or settings.PORTAL_SCHEME == "https" else f":{settings.PORTAL_PORT}"
    return f"{settings.PORTAL_SCHEME}://{host}{port}{path}"
