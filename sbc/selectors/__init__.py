from sbc.selectors.rollout import deployments_of, drift_of, scope_status, summary
from sbc.selectors.trunks import route_facts, trunk_board, trunk_states

__all__ = ["deployments_of", "drift_of", "route_facts", "scope_status", "summary", "trunk_board", "trunk_states"]
