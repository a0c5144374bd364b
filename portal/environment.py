"""Typed readers for the process environment: a missing name takes its default, a wrong value stops the start."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def flag(name: str, default: bool = False) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return default if value == "" else value in ("1", "true", "yes", "on")
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def number(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.")


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def secret(name: str, path: Path) -> str:
    """Return the secret from the environment, or from the file that the first start made."""
    if value := os.environ.get(name):
        return value
    return path.read_text().strip() if path.exists() else ""


def database(url: str) -> dict[str, str]:
    """Split `postgresql://user:password@host:port/name` into Django's settings; `?host=` names a socket folder."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://.")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    # Dropped in silence, `sslmode=verify-full` would look as if somebody checked whom the portal talks to.
    if unknown := query.keys() - {"host", "port"}:
        raise ImproperlyConfigured(
            f"DATABASE_URL takes no {', '.join(sorted(unknown))}: what libpq knows is set by its own names, PGSSLMODE "
            "and PGSSLROOTCERT for example."
        )
    return {
        "NAME": unquote(parts.path.lstrip("/")) or "strowger",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": str(query.get("port", parts.port or "")),
    }
