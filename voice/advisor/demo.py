"""The demo's questions to the advisor: one of a customer, one of somebody who may become one."""

from portal.core.audit import Actor
from tenants.demo import Cast
from voice.advisor import selectors, services
from voice.advisor.models import Assessment
from voice.advisor.ways import Need

BY = Actor.system("demo")
MINE = {"operator_in": True, "mobile_partner": True}


def seed(cast: Cast) -> None:
    """Ask two questions for the first MSP."""
    msp = cast.msps[0]
    with cast.as_msp(msp):
        if Assessment.objects.filter(msp=msp).exists():
            return
        services.save_first_values(selectors.first_values(msp), MINE, by=BY)
        acme = next(customer for customer in cast.customers if customer.label == "acme")
        services.save_assessment(
            Assessment(
                msp=msp, tenant=acme, name="Acme GmbH, new site in Vienna", weeks=6, goal=Assessment.Goal.MARGIN,
                needs=[Need.WHITE_LABEL, Need.ONE_BILL], note="Door phones stay, reception gets a queue.",
            ),
            [
                {"country": "AT", "profile": "office", "people": 35, "domestic": 220, "international": 40},
                {"country": "AT", "profile": "device", "people": 4, "domestic": 20, "international": 0},
            ],
            by=BY,
        )  # fmt: skip
        services.save_assessment(
            Assessment(msp=msp, name="Contoso, three countries", goal=Assessment.Goal.PRICE, needs=[]),
            [
                {"country": "DE", "profile": "office", "people": 120, "domestic": 400, "international": 60},
                {"country": "GB", "profile": "mobile", "people": 45, "domestic": 300, "international": 30},
                {"country": "US", "profile": "frontline", "people": 200, "domestic": 40, "international": 2},
                {"country": "DE", "profile": "device", "people": 12, "domestic": 30, "international": 0},
            ],
            by=BY,
        )
