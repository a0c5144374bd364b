"""The demo's integration: a webhook that is paused, because nobody listens, and a place for files that is off."""

from django.utils import timezone

from portal.core.audit import Actor
from tenants.demo import Cast
from voice.delivery import feed, services
from voice.delivery.models import TOLD, Endpoint, Store
from voice.delivery.services import new_secret

BY = Actor.system("demo")
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


def seed(cast: Cast) -> None:
    """Tell the demo's bills to a system that does not exist."""
    msp = cast.msps[0]
    with cast.as_msp(msp):
        if Endpoint.objects.filter(msp=msp).exists():
            return
        url = "https://billing.northwind.example/strowger"
        endpoint = Endpoint(msp=msp, name="Our billing system", url=url, kinds=[kind.value for kind in TOLD])
        services.save_endpoint(endpoint, by=BY)
        # The first look opens the feed, the second finds what the day brought.
        feed.collect(msp, timezone.now().replace(hour=0, minute=0, second=0, microsecond=0))
        feed.collect(msp, timezone.now())
        services.pause(endpoint, by=BY)
        store = Store(
            msp=msp, name="Data warehouse", host="files.northwind.example", folder="cdr", username="strowger",
            secret=new_secret(), host_key=HOST_KEY, enabled=False,
        )  # fmt: skip
        services.save_store(store, by=BY)
