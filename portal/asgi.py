"""What daphne serves to browsers: HTTP through Django's WSGI handler in a pool of threads, WebSockets by Channels."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
get_asgi_application()

from channels.routing import ChannelNameRouter, ProtocolTypeRouter, URLRouter  # noqa: E402

from portal.core.collector import spare_what_stays  # noqa: E402
from portal.core.threads import ThreadedWsgi  # noqa: E402
from portal.wsgi import application as wsgi  # noqa: E402
from sbc.consumers import SbcWorker  # noqa: E402
from tenants.sockets import PageSocketMiddleware  # noqa: E402
from voice.calls.sockets import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        # One waits for the database while the other runs; more would only take turns for the interpreter.
        "http": ThreadedWsgi(
            wsgi,
            threads=int(os.environ.get("PORTAL_THREADS", "2")),
            processor=os.environ.get("PORTAL_PROCESSOR", ""),
        ),
        "channel": ChannelNameRouter({"sbc": SbcWorker.as_asgi()}),
        "websocket": PageSocketMiddleware(URLRouter(websocket_urlpatterns)),
    }
)

spare_what_stays(after=10_000)
