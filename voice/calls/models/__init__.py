from voice.calls.models.cdr import Cdr, Disposition
from voice.calls.models.live import LiveCall
from voice.calls.models.rollup import FailureRollup, Grain, Rollup

__all__ = ["Cdr", "Disposition", "FailureRollup", "Grain", "LiveCall", "Rollup"]
