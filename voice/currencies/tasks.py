"""What happens to exchange rates by itself."""

import logging
from typing import Any

from celery import shared_task
from django.core.exceptions import ValidationError

from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Msp
from voice.currencies import services
from voice.currencies.models import ExchangeRate

logger = logging.getLogger(__name__)
BY = Actor.system("exchange rates")


@shared_task(ignore_result=True)
def import_latest(**_: Any) -> None:
    """Import the newest rates for each MSP that has imported some before: who began goes on by itself."""
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            if ExchangeRate.objects.filter(kind=ExchangeRate.Kind.ECB).exists():
                try:
                    services.import_latest(msp, by=BY)
                except ValidationError as error:
                    logger.warning("No exchange rates for %s: %s", msp, " ".join(error.messages))
