"""The ways by which Teams users can reach the telephone network, and what speaks for or against each; pure."""

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


class Way(StrEnum):
    """A way to the telephone network; MIX gives each group of people its own."""

    DIRECT = "direct"
    OPERATOR = "operator"
    CALLING_PLAN = "calling_plan"
    MOBILE = "mobile"
    MIX = "mix"


SINGLE = (Way.DIRECT, Way.OPERATOR, Way.CALLING_PLAN, Way.MOBILE)
NAMES: dict[Way, Words] = {
    Way.DIRECT: _("Direct Routing"),
    Way.OPERATOR: _("Operator Connect"),
    Way.CALLING_PLAN: _("Calling Plans"),
    Way.MOBILE: _("Teams Phone Mobile"),
    Way.MIX: _("A mix"),
}
MEANINGS: dict[Way, Words] = {
    Way.DIRECT: _("Calls run over your session border controllers to the carriers that you choose."),
    Way.OPERATOR: _("You, or an operator, hand numbers and calls to Microsoft over a managed interconnection."),
    Way.CALLING_PLAN: _("Microsoft is the telephone company; you resell its plan."),
    Way.MOBILE: _("The number of the SIM is the Teams number; a mobile operator carries the calls."),
    Way.MIX: _("Each group of people gets the way that suits it best."),
}


class Profile(StrEnum):
    """What a group of people, or of devices, does with the telephone."""

    OFFICE = "office"
    FRONTLINE = "frontline"
    MOBILE = "mobile"
    DEVICE = "device"


PROFILES: dict[Profile, Words] = {
    Profile.OFFICE: _("Office: calls at a desk all day"),
    Profile.FRONTLINE: _("Frontline: calls now and then"),
    Profile.MOBILE: _("On the move: the mobile number is the office number"),
    Profile.DEVICE: _("Devices: door, fax, lift, switchboard, contact centre"),
}


class Need(StrEnum):
    """What the customer asks for beside calls."""

    OWN_ROUTING = "own_routing"
    OWN_CARRIER = "own_carrier"
    WHITE_LABEL = "white_label"
    ONE_BILL = "one_bill"
    NOTHING_TO_SET_UP = "nothing_to_set_up"
    CERTIFIED = "certified"


NEEDS: dict[Need, Words] = {
    Need.OWN_ROUTING: _("Own routing: several carriers, cheapest first, own rules and block lists"),
    Need.OWN_CARRIER: _("Keeps its contract with a carrier"),
    Need.WHITE_LABEL: _("Served under your brand: portal, bills, support"),
    Need.ONE_BILL: _("Every call on your bill, explained line by line"),
    Need.NOTHING_TO_SET_UP: _("Nothing of telephony to set up in its Microsoft tenant"),
    Need.CERTIFIED: _("Only a session border controller that Microsoft has certified"),
}


# What a way cannot do for a need: from Microsoft's pages, as docs/advisor.md names them with their dates.
CANNOT: dict[Way, dict[Need, Words]] = {
    Way.DIRECT: {
        Need.NOTHING_TO_SET_UP: _("Voice routes have to be set up in the customer's tenant."),
    },
    Way.OPERATOR: {
        Need.OWN_ROUTING: _("No routing of your own: a voice routing policy even has to be removed."),
        Need.OWN_CARRIER: _("The customer's own carrier has no part in it."),
    },
    Way.CALLING_PLAN: {
        Need.OWN_ROUTING: _("No routing of your own: Microsoft carries every call."),
        Need.OWN_CARRIER: _("The customer's own carrier has no part in it."),
        Need.WHITE_LABEL: _("Microsoft's name, portal and support; numbers are Microsoft's to port."),
        Need.ONE_BILL: _("Microsoft's records hide digits in many countries: no bill that names each call."),
    },
    Way.MOBILE: {
        Need.OWN_ROUTING: _("No routing of your own: the mobile network carries every call."),
        Need.OWN_CARRIER: _("The customer's own carrier has no part in it."),
        Need.WHITE_LABEL: _("The mobile operator's name is on the SIM and on the bill."),
        Need.ONE_BILL: _("The mobile operator has the records of the calls."),
    },
}
# What a way gives up whoever asks.
ALWAYS: dict[Way, tuple[Words, ...]] = {
    Way.DIRECT: (
        _("You run, watch and patch session border controllers, day and night."),
        _("Kamailio is not on Microsoft's list of certified controllers: see the certified one in front."),
    ),
    Way.OPERATOR: (
        _("A programme with technical checks, redundant peering and support around the clock."),
        _("Live calls and their quality are not on your dashboards."),
    ),
    Way.CALLING_PLAN: (
        _("Prices and countries are Microsoft's; the margin is a reseller's."),
        _("Live calls and their quality are not on your dashboards."),
    ),
    Way.MOBILE: (
        _("For people only: no auto attendants, call queues or conference numbers."),
        _("A mobile operator that offers it, in that country."),
    ),
}
# Which profiles a way can serve at all.
SERVES: dict[Way, frozenset[Profile]] = {
    Way.DIRECT: frozenset(Profile),
    Way.OPERATOR: frozenset({Profile.OFFICE, Profile.FRONTLINE, Profile.MOBILE}),
    Way.CALLING_PLAN: frozenset({Profile.OFFICE, Profile.FRONTLINE, Profile.MOBILE}),
    Way.MOBILE: frozenset({Profile.OFFICE, Profile.FRONTLINE, Profile.MOBILE}),
}
