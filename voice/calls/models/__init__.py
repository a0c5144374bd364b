from voice.calls.models.cdr import Cdr, CdrQuerySet, Disposition
from voice.calls.models.live import LiveCall
from voice.calls.models.rollup import FailureRollup, Grain, NumberDay, NumberDayQuerySet, Rollup
from voice.calls.models.running import RunningCall

__all__ = [
    "Cdr",
    "CdrQuerySet",
    "Disposition",
    "FailureRollup",
    "Grain",
    "LiveCall",
    "NumberDay",
    "NumberDayQuerySet",
    "Rollup",
    "RunningCall",
]
