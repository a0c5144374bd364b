from voice.rerating.models.adjustments import Adjustment, CostAdjustment

__all__ = ["Adjustment", "CostAdjustment"]
