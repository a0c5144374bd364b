"""Every write to tenants, one function each."""

from tenants.services.acting import enter, leave, start_acting
from tenants.services.brand import save_brand
from tenants.services.customers import (
    close_customer,
    create_customer,
    demanded_on_moving,
    finish_closing,
    forget_closed,
    hide_numbers,
    leaves_open,
    resume_customer,
    save_customer,
    save_longest_call,
    suspend_customer,
)
from tenants.services.msps import (
    add_base_domain,
    create_msp,
    invite_owner,
    resume_msp,
    save_region,
    suspend_msp,
)
from tenants.services.names import give_names
from tenants.services.own_hosts import add_host, check_host, check_waiting, remove_host, use_in_links
from tenants.services.people import (
    InvitationRefused,
    accept_invitation,
    change_role,
    invite,
    invite_again,
    peek_invitation,
    remove_member,
    revoke_invitation,
    save_profile,
)
from tenants.services.retention import place_hold, release_hold, remove_rule, save_rule
from tenants.services.tokens import create_token, revoke_token

__all__ = [
    "InvitationRefused",
    "accept_invitation",
    "add_base_domain",
    "add_host",
    "change_role",
    "check_host",
    "check_waiting",
    "close_customer",
    "create_customer",
    "create_msp",
    "create_token",
    "demanded_on_moving",
    "enter",
    "finish_closing",
    "forget_closed",
    "give_names",
    "hide_numbers",
    "invite",
    "invite_again",
    "invite_owner",
    "leave",
    "leaves_open",
    "peek_invitation",
    "place_hold",
    "release_hold",
    "remove_host",
    "remove_member",
    "remove_rule",
    "resume_customer",
    "resume_msp",
    "revoke_invitation",
    "revoke_token",
    "save_brand",
    "save_customer",
    "save_longest_call",
    "save_profile",
    "save_region",
    "save_rule",
    "start_acting",
    "suspend_customer",
    "suspend_msp",
    "use_in_links",
]
