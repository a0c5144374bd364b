"""Browsers for tests: logged in at one host, as one person, with the session that the log-in page would have made."""

from django.conf import settings
from django.test import Client

from portal.db import contexts
from tenants import addresses
from tenants.identity import ACTING_KEY
from tenants.middleware import SESSION_HOST
from tenants.models import Acting, Customer, Msp, User

BACKEND = settings.AUTHENTICATION_BACKENDS[0]


def host_of(place: Customer | Msp | None) -> str:
    """Return the host of a customer's portal, an MSP's console, or the operator's."""
    if place is None:
        return addresses.operator_host()
    return addresses.customer_host(place) if isinstance(place, Customer) else addresses.msp_host(place)


def visitor(place: Customer | Msp | None) -> Client:
    """Return the browser of a stranger at a host."""
    return Client(SERVER_NAME=host_of(place), HTTP_HOST=host_of(place))


def client_of(user: User, place: Customer | Msp | None, *, acting: Acting | None = None) -> Client:
    """Return the browser of somebody who has logged in at a host."""
    client = visitor(place)
    with contexts.public():
        client.force_login(user, BACKEND)
        session = client.session
        session[SESSION_HOST] = host_of(place)
        if acting is not None:
            session[ACTING_KEY] = acting.pk
        session.save()
    return client
