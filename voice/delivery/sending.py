"""One message to one address: signed as the Standard Webhooks say, and what came back."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
from django.utils.translation import gettext as _
from standardwebhooks import Webhook

from voice.delivery.addresses import NotAllowed, address_of

PATIENCE = httpx.Timeout(10.0, connect=5.0)
# For all of it: who sends a byte every few seconds would keep a worker for hours.
WHOLE = 10.0
MOST_READ = 2000
GONE = 410


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is sent: `webhook_id` is the same in every attempt, so that the receiver knows it again."""

    url: str
    secret: str
    webhook_id: str
    body: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt; `error` is empty where it got through, `wait` is the receiver's Retry-After."""

    error: str = ""
    status: int | None = None
    took_ms: int = 0
    wait: int | None = None

    @property
    def is_gone(self) -> bool:
        return self.status == GONE


def send(letter: Letter, now: datetime | None = None) -> Outcome:
    """Send a letter and return what came of it; never raises for what the other side does."""
    started = time.monotonic()
    try:
        answer = _post(letter, now or datetime.now(UTC))
    except NotAllowed as error:
        return Outcome(str(error))
    except (httpx.TimeoutException, TimeoutError):
        return Outcome(_("No answer within %(seconds)s seconds.") % {"seconds": 10}, took_ms=_since(started))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Outcome(_("No connection: %(why)s") % {"why": str(error)[:200]}, took_ms=_since(started))
    wait = answer.headers.get("retry-after", "")
    trouble = "" if answer.is_success else _("Answered %(status)s.") % {"status": answer.status_code}
    return Outcome(trouble, answer.status_code, _since(started), _seconds(wait))


def _post(letter: Letter, now: datetime) -> httpx.Response:
    parts = urlsplit(letter.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address, own = address_of(host, port)
    if parts.scheme != "https" and not own:
        raise NotAllowed(_("Outside your own network messages go over https:// only."))
    headers = {
        "host": parts.netloc.rpartition("@")[2],
        "content-type": "application/json",
        "user-agent": "Strowger-Webhooks/1",
        "webhook-id": letter.webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(letter.secret).sign(letter.webhook_id, now, letter.body),
    }
    shown = f"[{address}]" if ":" in address else address
    target = httpx.URL(letter.url).copy_with(host=shown, username=None, password=None)
    # The certificate is checked against the name, the connection goes to the address that was looked at.
    request = httpx.Request(
        "POST", target, content=letter.body.encode(), headers=headers, extensions={"sni_hostname": host}
    )
    return asyncio.run(asyncio.wait_for(_exchange(request), WHOLE))


async def _exchange(request: httpx.Request) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False, trust_env=False) as client:
        request.extensions |= {"timeout": PATIENCE.as_dict()}
        answer = await client.send(request, stream=True)
        read = 0
        async for chunk in answer.aiter_raw(MOST_READ):
            read += len(chunk)
            if read >= MOST_READ:
                break
        await answer.aclose()
        return answer


def _seconds(wish: str) -> int | None:
    """Return a Retry-After in seconds; one that is a date, or no number that anybody would wait for, is none."""
    return int(wish) if wish.isascii() and wish.isdigit() and len(wish) < 10 else None


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
