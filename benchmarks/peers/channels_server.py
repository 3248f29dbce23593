"""The chat of the tutorial of Django Channels: one consumer, and a group for each room.

A layer drops silently what is above its capacity, so that is out of the way. With `redis://...` it
is one of several processes, on the layer that their documentation names for that.
"""

import datetime as dt
import json
import sys

from django.conf import settings

LAYER = {
    "BACKEND": "channels.layers.InMemoryChannelLayer",
    "CONFIG": {"capacity": 10**6},
}
if sys.argv[1:]:
    LAYER = {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"capacity": 10**6, "hosts": [sys.argv[1]]},
    }

settings.configure(
    SECRET_KEY="only measured",
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": LAYER},
)

import django  # noqa: E402 - after the settings, as Django asks

django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 - the same

from benchmarks.peers.under_uvicorn import run  # noqa: E402 - the same


class Chat(AsyncWebsocketConsumer):
    """One websocket."""

    room = None
    name = ""

    async def receive(self, text_data=None, bytes_data=None):
        given = json.loads(text_data)
        data = given["data"]
        if given["type"] == "hello":
            self.name = data["username"]
        elif given["type"] == "join_room":
            self.room = data["room"]
            await self.channel_layer.group_add(self.room, self.channel_name)
            await self.send(json.dumps({"type": "room_joined", "data": {"room": self.room}}))
        else:
            now = dt.datetime.now(dt.UTC).isoformat()
            said = {**data, "username": self.name, "type": "message", "timestamp": now}
            await self.channel_layer.group_send(self.room, {"type": "chat.message", "said": said})

    async def chat_message(self, event):
        await self.send(json.dumps({"type": "new_message", "data": event["said"]}))

    async def disconnect(self, code):
        if self.room:
            await self.channel_layer.group_discard(self.room, self.channel_name)


if __name__ == "__main__":
    run(Chat.as_asgi())
