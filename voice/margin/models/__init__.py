"""What the MSP wants to earn, and what its carriers bill."""

from voice.margin.models.target import Target

__all__ = ["Target"]
