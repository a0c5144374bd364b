"""What every write begins with: the stored row under lock, and proof that nobody changed it since it was read."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models

from portal.core.errors import StaleEdit

M = TypeVar("M", bound=models.Model)


def locked(obj: M) -> M | None:
    """Return the stored row under lock, or None for a new object.

    Raises StaleEdit when somebody saved it since `obj` was read: two editors never overwrite each other.
    """
    if obj.pk is None:
        return None
    stored = type(obj)._default_manager.select_for_update(of=("self",)).filter(pk=obj.pk).first()
    if stored is None or stored.row_version != obj.row_version:  # type: ignore[attr-defined]
        raise StaleEdit(obj)
    return stored


def facts(obj: models.Model | None, names: Iterable[str]) -> dict[str, Any] | None:
    """Return the named values for the audit log."""
    return {name: getattr(obj, name) for name in names} if obj is not None else None
