"""Celery tasks run in the database context of whoever sent them; without one, in that of nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Task
from django.apps import apps
from django.conf import settings

from portal.db import contexts
from portal.db.context import Context

HEADER = "strowger_context"


@dataclass(frozen=True)
class MspRef:
    """An MSP of which only the id is needed."""

    pk: int


def headers(context: Context) -> dict[str, Any]:
    """Return the message headers that carry a context: ids only, the schema is looked up again."""
    return {HEADER: {"tenant": context.tenant, "msp": context.msp}}


@contextmanager
def restored(tenant: int | None, msp: int | None) -> Iterator[None]:
    """Hold the context of these ids for a block; raises ContextRefused where the customer has been closed since."""
    with contexts.public():
        customer = apps.get_model(settings.TENANT_MODEL)._default_manager.get(pk=tenant) if tenant else None
        if msp:
            contexts.use_msp(MspRef(msp), customer)  # type: ignore[arg-type]
        elif customer:
            contexts.use_customer(customer)
        yield


class ContextTask(Task):  # type: ignore[misc]
    """A task that restores the sender's customer and MSP, refused when the customer has been closed since."""

    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        given = options.get("headers") or {}
        if HEADER not in given:
            options["headers"] = {**given, **headers(contexts.current())}
        return super().apply_async(args, kwargs, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Some brokers merge the headers into the request, others keep them apart.
        wanted = (self.request.headers or {}).get(HEADER) or self.request.get(HEADER) or {}
        with restored(wanted.get("tenant"), wanted.get("msp")):
            return super().__call__(*args, **kwargs)
