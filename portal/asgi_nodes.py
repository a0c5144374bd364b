"""What daphne serves to SBC nodes, and to nobody else: one WebSocket a node, authenticated by the node's token."""

import os
import sys

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from portal.core.collector import spare_what_stays  # noqa: E402
from portal.core.threads import refuse_http  # noqa: E402
from sbc.sockets import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter({"http": refuse_http, "websocket": URLRouter(websocket_urlpatterns)})

# A batch of two thousand records is twenty thousand objects and more, which all go together.
spare_what_stays(after=100_000)
# While one thread makes a batch ready another stores the one before, and must not wait 5 ms after each statement.
sys.setswitchinterval(0.0005)
