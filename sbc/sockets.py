"""Where nodes dial in."""

from django.urls import path

from sbc import protocol
from sbc.consumers import NodeConsumer

websocket_urlpatterns = [path(protocol.PATH.removeprefix("/"), NodeConsumer.as_asgi())]
