"""Files of the feed: which messages are in which, their content, and the ways into a store."""

import asyncio
import csv
import io
import json
from collections.abc import Callable, Iterable
from datetime import datetime

import asyncssh
import urllib3
from django.db import transaction
from django.utils.translation import gettext as _
from minio import Minio
from minio.error import MinioException

from portal.ui.export import harmless
from tenants.models import Msp
from voice.calls.masking import Hidden
from voice.delivery import payloads
from voice.delivery.addresses import NotAllowed, address_of
from voice.delivery.models import Message, Store, StoredFile
from voice.delivery.pinned import pinned_pool
from voice.delivery.schedule import next_time

PATIENCE = 30
COLUMNS = ["sequence", "customer", *payloads.CALL, *payloads.PRICED]
Content = tuple[bytes, int]
# Puts a file into a store under a name; returns its size and its rows. Raises NotStored.
Put = Callable[[Store, str, Content], tuple[int, int]]


class NotStored(Exception):
    """A file did not get into its store; the words are fit for the page."""


@transaction.atomic
def open_due(msp: Msp, now: datetime) -> None:
    """Decide which messages the next file of each store has, where its hour has come; nothing new is no file."""
    due = Store.objects.select_for_update(skip_locked=True).filter(msp=msp, enabled=True, next_at__lte=now)
    for store in due:
        news = Message.objects.filter(msp=msp, sequence__gt=store.sequence)
        last = news.order_by("-sequence").values_list("sequence", flat=True).first()
        if last is not None:
            first = store.sequence + 1
            name = f"{msp.slug}-{store.content}-{first:09}-{last:09}.{'csv' if store.content == 'calls' else 'jsonl'}"
            StoredFile.objects.create(msp=msp, store=store, name=name, first=first, last=last, next_at=now)
            store.sequence = last
        store.next_at = next_time(store.every, now)
        store.save(update_fields=["sequence", "next_at"])


def content(file: StoredFile, hidden: Hidden) -> Content:
    """Return what is in a file, and how many rows."""
    messages = Message.objects.filter(msp_id=file.msp_id, sequence__range=(file.first, file.last)).order_by("sequence")
    if file.store.content == Store.Content.ALL:
        lines = [json.dumps(payloads.data(each, hidden) | {"type": each.kind}, default=str) for each in messages]
        return "".join(f"{line}\n" for line in lines).encode(), len(lines)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    rows = list(_rows(messages, hidden))
    writer.writerows(rows)
    return text.getvalue().encode(), len(rows)


def put(store: Store, name: str, what: Content) -> tuple[int, int]:
    """Put a file into a store: under another name first, so that nobody reads half of it."""
    data, rows = what
    try:
        address, own = address_of(store.host, store.port)
        if store.way == Store.Way.SFTP:
            asyncio.run(asyncio.wait_for(_by_sftp(store, address, name, data), PATIENCE))
        else:
            _by_s3(store, name, data, secure=not own)
    except NotAllowed as error:
        raise NotStored(str(error))
    except TimeoutError:
        raise NotStored(_("No answer within %(seconds)s seconds.") % {"seconds": PATIENCE})
    except (asyncssh.Error, MinioException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise NotStored(str(error)[:300] or type(error).__name__)
    return len(data), rows


async def _by_sftp(store: Store, address: str, name: str, data: bytes) -> None:
    keys = asyncssh.import_known_hosts(f"{address} {store.host_key}\n")
    secret = store.secret.strip()
    by_key = secret.startswith("-----BEGIN")
    options = {"client_keys": [asyncssh.import_private_key(secret)]} if by_key else {"password": secret}
    async with asyncssh.connect(
        address, store.port, username=store.username, known_hosts=keys, agent_path=None, config=None,
        client_keys=options.pop("client_keys", None), **options,
    ) as connection, connection.start_sftp_client() as client:  # fmt: skip
        folder = store.folder.strip("/")
        place = f"{folder}/{name}" if folder else name
        async with client.open(f"{place}.part", "wb") as file:
            await file.write(data)
        await client.posix_rename(f"{place}.part", place)


def _by_s3(store: Store, name: str, data: bytes, *, secure: bool) -> None:
    bucket, _slash, folder = store.folder.partition("/")
    # A bucket may have a name of its own beside the store's: each name is looked at as it is connected to.
    pool = pinned_pool(timeout=urllib3.Timeout(PATIENCE), retries=urllib3.Retry(0, redirect=0))
    client = Minio(
        f"{store.host}:{store.port}",
        access_key=store.username,
        secret_key=store.secret,
        secure=secure,
        http_client=pool,
    )
    place = f"{folder.strip('/')}/{name}" if folder.strip("/") else name
    client.put_object(bucket, place, io.BytesIO(data), len(data))


def _rows(messages: Iterable[Message], hidden: Hidden) -> Iterable[list[object]]:
    for message, calls in payloads.told_calls(list(messages), hidden):
        for call in calls:
            cells = [call.get(column) for column in COLUMNS[1:]]
            yield [message.sequence, *(harmless("" if cell is None else str(cell)) for cell in cells)]
