"""Posting a proposal: entries for the difference, new charges for calls that were kept aside, and all sums moved."""

from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _

from voice.rating.models.charges import ASIDE
from voice.rerating import standing
from voice.rerating.models import Proposal, Side, What
from voice.rerating.standing import Standing, Totals

_ASIDE = ", ".join(f"'{outcome}'" for outcome in ASIDE)
MOVES = f"({What.CHANGED.value}, {What.PRICED.value})"
# The trunk by which margins count a call's earnings, from the record.
_TRUNK = """
    CASE WHEN c.egress ~ '^g[0-9]{1,17}$' THEN substr(c.egress, 2)::bigint
         WHEN c.ingress ~ '^g[0-9]{1,17}$' THEN substr(c.ingress, 2)::bigint ELSE 0 END
"""
# Read as the MSP: records are nothing that ingest reads.
MOVING = f"""
CREATE TEMP TABLE moving ON COMMIT DROP AS
SELECT DISTINCT l.tenant_id, l.invited, l.id, {_TRUNK} AS by_trunk
  FROM rerating_line l
  JOIN rerating_proposalsum s ON s.proposal_id = l.proposal_id AND s.number = l.number AND s.what IN {MOVES}
  JOIN calls_cdr c ON c.tenant_id = l.tenant_id AND c.invited = l.invited AND c.id = l.id
 WHERE l.proposal_id = %(proposal)s
"""  # noqa: S608 constants
# What was kept aside gets its price, and only if it is still kept aside.
PRICE = f"""
UPDATE {{table}} p
   SET destination = s.destination, prefix = coalesce(r.prefix, ''), outcome = s.outcome, micros = l.micros,
       currency = s.currency, seconds = l.seconds, billed = l.billed, deck_id = s.deck_id,
       rate_id = nullif(l.rate_id, 0), rated_at = %(at)s
  FROM rerating_line l
  JOIN rerating_proposalsum s ON s.proposal_id = l.proposal_id AND s.number = l.number
  LEFT JOIN rating_deckrate r ON r.id = l.rate_id
 WHERE l.proposal_id = %(proposal)s AND s.side = '{{side}}' AND s.what = {What.PRICED.value}
   AND p.tenant_id = l.tenant_id AND p.invited = l.invited AND p.id = l.id {{same_trunk}}
   AND p.outcome IN ({_ASIDE})
"""  # noqa: S608 constants
# What each call should come to, less what was posted and adjusted for it so far, where that is not the same.
POST = f"""
WITH wanted AS (
    SELECT l.tenant_id, l.invited, l.id, {{trunk}} AS trunk, s.destination, s.currency, l.seconds, l.billed, l.micros
      FROM rerating_line l
      JOIN rerating_proposalsum s ON s.proposal_id = l.proposal_id AND s.number = l.number
     WHERE l.proposal_id = %(proposal)s AND s.side = '{{side}}' AND s.what IN {MOVES}
), stands AS (
    {{standing}}
), differences AS (
    SELECT w.tenant_id, w.invited, w.id, w.trunk, w.destination, w.currency, 1 AS calls, w.seconds, w.billed, w.micros
      FROM wanted w
    UNION ALL
    SELECT s.tenant_id, s.invited, s.id, s.trunk, s.destination, s.currency, -s.calls, -s.seconds, -s.billed, -s.micros
      FROM stands s JOIN wanted w USING (tenant_id, invited, id, trunk)
     WHERE NOT s.aside
)
INSERT INTO {{adjustment}} (tenant_id, msp_id, invited, call, answered, direction, destination, currency, calls,
                            seconds, billed, micros, proposal_id, made_at{{trunk_column}})
SELECT d.tenant_id, p.msp_id, d.invited, d.id, p.answered, p.direction, d.destination, d.currency, sum(d.calls),
       sum(d.seconds), sum(d.billed), sum(d.micros), %(proposal)s, %(at)s{{trunk_value}}
  FROM differences d
  JOIN {{table}} p ON p.tenant_id = d.tenant_id AND p.invited = d.invited AND p.id = d.id {{trunk_of_posted}}
                  AND p.outcome NOT IN ({_ASIDE})
 GROUP BY d.tenant_id, p.msp_id, d.invited, d.id, d.trunk, p.answered, p.direction, d.destination, d.currency
HAVING (sum(d.calls), sum(d.seconds), sum(d.billed), sum(d.micros)) <> (0, 0, 0, 0)
"""  # noqa: S608 constants
STATEMENTS = {
    Side.SELL: (
        PRICE.format(table="rating_charge", side="sell", same_trunk=""),
        POST.format(
            table="rating_charge", side="sell", trunk="0::bigint", adjustment="rerating_adjustment", trunk_column="",
            trunk_value="", trunk_of_posted="", standing=standing.CHARGES,
        ),
    ),
    Side.BUY: (
        PRICE.format(table="rating_cost", side="buy", same_trunk="AND p.trunk = s.trunk"),
        POST.format(
            table="rating_cost", side="buy", trunk="s.trunk", adjustment="rerating_costadjustment",
            trunk_column=", trunk", trunk_value=", d.trunk", trunk_of_posted="AND p.trunk = d.trunk",
            standing=standing.COSTS,
        ),
    ),
}  # fmt: skip


class Moved(Exception):
    """What was posted for these calls is no longer what the proposal was compared with."""

    def __str__(self) -> str:
        return _("What was posted for these calls has changed since they were rated. Rate them again.")


def gather(proposal: Proposal) -> None:
    """Note the calls that the proposal moves, as the MSP; the transaction keeps them for `post`."""
    with connection.cursor() as cursor:
        cursor.execute(MOVING, {"proposal": proposal.pk})
        # The next role reads what this one has noted.
        cursor.execute("ANALYZE moving; GRANT SELECT ON moving TO strowger_ingest")


def forget() -> None:
    """Drop what `gather` noted, as the MSP."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE moving")


def post(proposal: Proposal, at: datetime) -> None:
    """Post what the gathered calls should come to less what they came to, as the role ingest, and move the sums.

    Raises Moved, with nothing posted, where that is not what the proposal says.
    """
    before = Standing()
    with connection.cursor() as cursor:
        for side in _sides(proposal):
            for statement in STATEMENTS[side]:
                cursor.execute(statement, {"proposal": proposal.pk, "at": at})
    moved = standing.move(before, Standing())
    if moved != expected(proposal):
        raise Moved


def expected(proposal: Proposal) -> Totals:
    """Return by how much the proposal says that each side moves, by currency."""
    found: Totals = {}
    for total in proposal.totals:
        key = (total["side"], total["currency"])
        if total["micros"] != total["was_micros"]:
            found[key] = total["micros"] - total["was_micros"]
    return found


def _sides(proposal: Proposal) -> list[Side]:
    return [side for side, asked in ((Side.SELL, proposal.sell), (Side.BUY, proposal.buy)) if asked]
