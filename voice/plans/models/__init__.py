from voice.plans.models.contracts import AddOn, Contract, Credit, DrawnPeriod, Phase
from voice.plans.models.plans import Component, ComponentTier, Plan, PlanVersion
from voice.plans.models.quotes import Quote

__all__ = [
    "AddOn",
    "Component",
    "ComponentTier",
    "Contract",
    "Credit",
    "DrawnPeriod",
    "Phase",
    "Plan",
    "PlanVersion",
    "Quote",
]
