"""What happens to customers without anybody asking."""

from celery import shared_task
from django.utils import timezone

from portal.core.audit import Actor
from tenants import services


@shared_task
def finish_closing(**_: object) -> None:
    """Close the customers that no SBC carries any more."""
    services.finish_closing(by=Actor.system("closing"))


@shared_task
def check_hosts(**_: object) -> None:
    """Look for the proofs of the host names that wait for DNS."""
    services.check_waiting(now=timezone.now(), by=Actor.system("dns"))


@shared_task
def forget_closed(**_: object) -> None:
    """Drop the schemas of customers whose time of keeping is over."""
    services.forget_closed(today=timezone.localdate(), by=Actor.system("closing"))
