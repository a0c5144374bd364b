"""Calls, what they cost and how they were counted, and how the SBCs were configured."""

from sbc.services.retained.holding import Holding
from tenants.models import DataClass

_NOT_USED = """
    t.version < (SELECT max(r.version) FROM sbc_revision r WHERE r.scope = t.scope)
    AND NOT EXISTS (SELECT FROM sbc_deployment d WHERE d.scope = t.scope AND d.running <= t.version)
"""
_DEAD_NODE = "t.node_id IN (SELECT n.id FROM sbc_node n WHERE n.state = 'disabled')"

# A message stays while a delivery of it or a file with it is listed, which could be sent again; one of a document stays
# as long as the document: it is what keeps that from being told twice.
_OVER_MESSAGE = """
    t.document IS NULL AND NOT EXISTS (SELECT FROM delivery_delivery d WHERE d.message_id = t.id)
    AND NOT EXISTS (SELECT FROM delivery_storedfile f
                     WHERE f.msp_id = t.msp_id AND t.sequence BETWEEN f.first AND f.last)
"""
_OVER_PROPOSAL = "NOT t.kept AND NOT EXISTS (SELECT FROM rerating_proposalsum s WHERE s.proposal_id = t.id)"
_OF_OVER_PROPOSAL = "EXISTS (SELECT FROM rerating_proposal p WHERE p.id = t.proposal_id AND NOT p.kept)"
# As long as a charge stands, so does the note that it is billed: it keeps the call from being billed twice.
_NO_CHARGE = """
    NOT EXISTS (SELECT FROM rating_charge c WHERE (c.tenant_id, c.invited, c.id) = (t.tenant_id, t.invited, t.id))
"""

TRAFFIC = (
    Holding(DataClass.CALLS, "calls_cdr", "invited", "t.direction <> 'emergency'", call="call", by_day=True),
    Holding(DataClass.EMERGENCY, "calls_cdr", "invited", "t.direction = 'emergency'", call="call", by_day=True),
    # Whole numbers, and how much who has them talked: no longer than the calls themselves.
    Holding(DataClass.CALLS, "calls_numberday", "at", "t.direction <> 'emergency'"),
    Holding(DataClass.EMERGENCY, "calls_numberday", "at", "t.direction = 'emergency'"),
    # Carriers' files repeat numbers that were called.
    Holding(DataClass.CALLS, "margin_carriercall", "at"),
    Holding(DataClass.CHARGES, "rating_charge", "invited", call="id", by_day=True),
    Holding(DataClass.CHARGES, "rating_cost", "invited", call="id", by_day=True),
    Holding(DataClass.CHARGES, "receivables_billedcharge", "invited", _NO_CHARGE, call="id"),
    Holding(DataClass.CHARGES, "rerating_adjustment", "invited", call="call"),
    Holding(DataClass.CHARGES, "rerating_costadjustment", "invited", call="call"),
    Holding(DataClass.CHARGES, "rerating_decision", "invited", call="call"),
    Holding(DataClass.CHARGES, "rating_usage", "at"),
    Holding(DataClass.CHARGES, "rating_costusage", "at"),
    Holding(DataClass.CHARGES, "rating_marginsum", "at"),
    # Sums first: they belong to their proposal.
    Holding(DataClass.CHARGES, "rerating_proposalsum", "made_at", _OF_OVER_PROPOSAL),
    Holding(DataClass.CHARGES, "rerating_proposal", "created_at", _OVER_PROPOSAL, tenant=""),
    # Who had which number, trunk and channels until when: fees and the blame for calls went by it.
    Holding(DataClass.CHARGES, "inventory_allocation", "until"),
    Holding(DataClass.CHARGES, "carriers_trunkgrant", "until"),
    Holding(DataClass.CHARGES, "tenants_channellimit", "until"),
    # What was sent first, and in which file: then the messages that nothing points at.
    Holding(DataClass.FEED, "delivery_delivery", "next_at", tenant=""),
    Holding(DataClass.FEED, "delivery_storedfile", "next_at", tenant=""),
    Holding(DataClass.FEED, "delivery_message", "at", _OVER_MESSAGE, tenant=""),
    Holding(DataClass.LIVE, "calls_livecall", "updated", call="call"),
    Holding(DataClass.LIVE, "calls_runningcall", "seen", call="call"),
    Holding(DataClass.MINUTES, "calls_rollup", "at", "t.grain = 'minute'"),
    Holding(DataClass.COUNTS, "calls_rollup", "at", "t.grain <> 'minute'"),
    Holding(DataClass.MINUTES, "calls_failurerollup", "at", "t.grain = 'minute'"),
    Holding(DataClass.COUNTS, "calls_failurerollup", "at", "t.grain <> 'minute'"),
    Holding(DataClass.EVENTS, "sbc_alarm", "until"),
    Holding(DataClass.EVENTS, "rating_limitwarning", "until"),
    Holding(DataClass.REVISIONS, "sbc_revision", "created_at", _NOT_USED),
    Holding(DataClass.REVISIONS, "sbc_deployment", "since", _DEAD_NODE),
    Holding(DataClass.QUARANTINE, "sbc_quarantinedrecord", "settled", tenant="", msp=""),
    Holding(DataClass.EVENTS, "sbc_orphanend", "at", tenant="", msp=""),
    Holding(DataClass.COUNTS, "sbc_hourcount", "at", tenant="", msp=""),
)
