"""Plans, contracts and quotes for programs: the pages' services, amounts in micros."""

from voice.plans.api_contracts import ContractViewSet, OwnContractViewSet
from voice.plans.api_plans import ComponentViewSet, PlanViewSet, VersionViewSet
from voice.plans.api_quotes import QuoteViewSet

msp_routes = [
    ("plans", PlanViewSet, "plan"),
    ("plan-versions", VersionViewSet, "plan-version"),
    ("plan-components", ComponentViewSet, "plan-component"),
    ("contracts", ContractViewSet, "contract"),
    ("quotes", QuoteViewSet, "quote"),
]
routes = [("contracts", OwnContractViewSet, "contract")]
