"""Who may do what: one table, read by pages, API and sockets. What is not in it is refused."""

from typing import Any

from portal.core.access import LOGGED_IN, PUBLIC, public_page, requires, signed_in_page

__all__ = [
    "ACTING",
    "CAPABILITIES",
    "PAGES_OF_LIBRARIES",
    "may",
    "may_end_all_tokens",
    "public_page",
    "requires",
    "signed_in_page",
]

# MSP staff in a customer's portal: an administrator's hands, except where access would outlast the stay.
ACTING = "acting"
ACTING_ROLES = frozenset({"owner", "engineer", "support"})

_OPERATOR = frozenset({"operator"})
_MSP_ALL = frozenset({"owner", "engineer", "billing", "support"})
_MSP_RUN = frozenset({"owner", "engineer"})
_CUSTOMER_ALL = frozenset({"admin", "voice_manager", "billing_contact", "viewer", ACTING})
_CUSTOMER_VOICE = frozenset({"admin", "voice_manager", "viewer", ACTING})
_CUSTOMER_RUN = frozenset({"admin", "voice_manager", ACTING})
_TENANT_ADMIN = frozenset({"admin"})

# What a program never does: it would end in a person's session at another host, which knows neither the scopes nor the
# term of the token that opened it.
PEOPLE_ONLY = frozenset({"customers.act"})

# Whose telephone numbers in calls somebody sees to the last digit: their own company's always, or unless the customer
# has them hidden. All other roles, support and who acts as a customer among them, never see the last three.
FULL_NUMBERS = frozenset({"admin", "voice_manager"})
FULL_NUMBERS_UNLESS_HIDDEN = frozenset({"billing_contact", "owner", "engineer", "billing"})

CAPABILITIES: dict[str, frozenset[str]] = {
    "dashboard.view": _OPERATOR | _MSP_ALL | _CUSTOMER_ALL,
    # The customer's telephony
    "routing.view": _CUSTOMER_VOICE,
    "routing.change": _CUSTOMER_RUN,
    "numbers.view": _CUSTOMER_VOICE | {"billing_contact"},
    "numbers.change": _CUSTOMER_RUN,
    "people.view": _CUSTOMER_VOICE,
    "people.change": _CUSTOMER_RUN,
    "emergency.view": _MSP_ALL | _CUSTOMER_VOICE,
    "emergency.change": _MSP_RUN | _CUSTOMER_RUN,
    "calls.view": _MSP_ALL | _CUSTOMER_ALL,
    "calls.export": _MSP_ALL | frozenset({"admin", "voice_manager", "billing_contact", ACTING}),
    # What calls cost and earn: a customer's own charges, and what the MSP alone knows
    "bills.view": _MSP_ALL | frozenset({"admin", "billing_contact", ACTING}),
    "bills.change": frozenset({"owner", "billing"}),
    # A customer's own limit below its MSP's
    "limits.change": frozenset({"admin", "billing_contact"}),
    # Money that comes in: the MSP books it, a customer's own people pay. Nobody pays with a customer's card for it
    "payments.view": _MSP_ALL | frozenset({"admin", "billing_contact", ACTING}),
    "payments.change": frozenset({"owner", "billing", "admin", "billing_contact"}),
    "questions.view": _MSP_ALL | frozenset({"admin", "billing_contact", ACTING}),
    "questions.change": frozenset({"admin", "billing_contact", ACTING}),
    # Buying decks with it: what carriers ask says what each call to come will cost
    "costs.view": frozenset({"owner", "billing"}),
    # Other systems are told calls, bills and payments of all customers
    "integrations.view": frozenset({"owner", "engineer", "billing"}),
    "integrations.change": frozenset({"owner"}),
    # Which way to the telephone network suits whom: what it costs the MSP stands in it
    "advice.view": frozenset({"owner", "billing"}),
    "advice.change": frozenset({"owner", "billing"}),
    "margin.view": frozenset({"owner", "billing"}),
    "margin.change": frozenset({"owner", "billing"}),
    # Selling decks, calls without a price, rating again: the customers' side of all of it
    "rates.view": _MSP_ALL,
    "rates.change": frozenset({"owner", "billing"}),
    "plans.view": _MSP_ALL,
    "plans.change": frozenset({"owner", "billing"}),
    # What customer and MSP each have: their own trunks, seen by nobody else's staff
    "carriers.view": _MSP_ALL | _CUSTOMER_VOICE,
    "carriers.change": _MSP_RUN | _CUSTOMER_RUN,
    "rollout.view": _OPERATOR | _MSP_ALL | _CUSTOMER_VOICE,
    "rollout.change": _OPERATOR | _MSP_RUN,
    # How long what is kept: the operator sets it, everybody may know it
    "retention.view": _OPERATOR | _MSP_ALL | _CUSTOMER_ALL,
    "retention.change": _OPERATOR,
    # The MSP's desk
    "customers.view": _MSP_ALL,
    "customers.change": _MSP_RUN,
    "customers.act": ACTING_ROLES,
    "holds.view": _MSP_ALL,
    "holds.change": _MSP_RUN,
    "stock.view": _MSP_ALL,
    "stock.change": _MSP_RUN,
    "brand.view": _MSP_ALL,
    "domains.view": _MSP_ALL,
    "domains.change": _MSP_RUN,
    "brand.change": frozenset({"owner"}),
    # The operator's
    "msps.view": _OPERATOR,
    "msps.change": _OPERATOR,
    "regions.view": _OPERATOR,
    "regions.change": _OPERATOR,
    "nodes.view": _OPERATOR | _MSP_RUN,
    "nodes.change": _OPERATOR,
    # Records of calls that are nobody's: they may show what some customer's people did
    "quarantine.view": _OPERATOR,
    "quarantine.change": _OPERATOR,
    "counts.view": _OPERATOR,
    # The rules of taxes that hold for every MSP's customers; an MSP's own stand with its bills
    "taxes.view": _OPERATOR,
    "taxes.change": _OPERATOR,
    # Everywhere
    "audit.view": _OPERATOR | _MSP_ALL | frozenset({"admin", "voice_manager", ACTING}),
    "settings.view": _CUSTOMER_ALL,
    "settings.change": _TENANT_ADMIN,
    "team.view": _OPERATOR | _MSP_ALL | frozenset({"admin", "voice_manager", ACTING}),
    "team.change": frozenset({"owner"}) | _TENANT_ADMIN,
    "tokens.view": _OPERATOR | _MSP_ALL | _CUSTOMER_ALL,
    "tokens.change": _OPERATOR | _MSP_ALL | (_CUSTOMER_ALL - {ACTING}),
    "api.use": _OPERATOR | _MSP_ALL | _CUSTOMER_ALL,
    "jobs.view": _OPERATOR | _MSP_ALL | _CUSTOMER_ALL,
}

# Pages that come with a library, by URL name. Every other one of theirs does not exist here.
PAGES_OF_LIBRARIES: dict[str, str] = {
    "account_login": PUBLIC,
    "account_logout": PUBLIC,
    "account_inactive": PUBLIC,
    "account_reset_password": PUBLIC,
    "account_reset_password_done": PUBLIC,
    "account_reset_password_from_key": PUBLIC,
    "account_reset_password_from_key_done": PUBLIC,
    "account_change_password": LOGGED_IN,
    "account_reauthenticate": LOGGED_IN,
    "mfa_index": LOGGED_IN,
    "mfa_authenticate": PUBLIC,  # between password and log-in
    "mfa_reauthenticate": LOGGED_IN,
    "mfa_activate_totp": LOGGED_IN,
    "mfa_deactivate_totp": LOGGED_IN,
    "mfa_view_recovery_codes": LOGGED_IN,
    "mfa_generate_recovery_codes": LOGGED_IN,
    "mfa_download_recovery_codes": LOGGED_IN,
}
# The pages of a person's own account: for nobody who acts as a customer, whose account lives elsewhere, and no program.
NOT_WHILE_ACTING = frozenset(name for name, demand in PAGES_OF_LIBRARIES.items() if demand == LOGGED_IN)


def may(roles: frozenset[str], capability: str, scopes: frozenset[str] | None = None) -> bool:
    """Return whether any of the roles has the capability, and the token's scopes (if a token asks) include it."""
    if not roles & CAPABILITIES.get(capability, frozenset()) or (scopes is not None and capability in PEOPLE_ONLY):
        return False
    return scopes is None or capability in scopes or f"{capability.split('.')[0]}.*" in scopes


def may_end_all_tokens(request: Any) -> bool:
    """Tell whether the caller may end other people's tokens: who manages the team, and every operator."""
    return request.place == "operator" or bool(request.can("team.change"))
