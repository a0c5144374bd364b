"""What happens to invoices by itself."""

from typing import Any

from celery import shared_task

from portal.db import contexts
from tenants.models import Msp
from voice.receivables import services


@shared_task(ignore_result=True)
def store_files(**_: Any) -> None:
    """Store the files of issued invoices that have none: whoever issued them died before it was done."""
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            services.store_missing_files()
