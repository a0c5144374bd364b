from voice.rerating.models.adjustments import Adjustment, CostAdjustment
from voice.rerating.models.decisions import Decision
from voice.rerating.models.proposals import Line, Proposal, ProposalSum, Side, What

__all__ = ["Adjustment", "CostAdjustment", "Decision", "Line", "Proposal", "ProposalSum", "Side", "What"]
