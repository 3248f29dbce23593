"""The AsyncAPI 3.0 document: one channel per protocol, and who sends which frame on it.

It describes the server, so `receive` is what clients send and `send` is what they get.
"""

from __future__ import annotations

from roomkit.wire import connection_frames as connection
from roomkit.wire import people_frames as people
from roomkit.wire import room_frames as room
from roomkit.wire.catalogue import FROM_CLIENT, FROM_SERVER
from roomkit.wire.components import JsonObject, components
from roomkit.wire.envelope import Frame, type_of

__all__ = ["asyncapi_document"]

_SPOKEN = {
    1: "Spoken unless the first frame is `hello`. One room at a time; no frame beyond these.",
    2: "Spoken after `hello`. Many rooms at once; a command with `ref` is answered by one frame.",
}
_ANSWERS: dict[int, dict[str, tuple[type[Frame], ...]]] = {
    1: {"join_room": (room.MessageHistoryFrame, people.RoomUsersFrame)},
    2: {
        "hello": (connection.WelcomeFrame,),
        "join_room": (room.RoomJoinedFrame,),
        "leave_room": (room.RoomLeftFrame,),
        "send_message": (connection.AckFrame,),
        "edit_message": (connection.AckFrame,),
        "delete_message": (connection.AckFrame,),
        "typing_start": (connection.AckFrame,),
        "typing_stop": (connection.AckFrame,),
        "get_history": (room.MessageHistoryFrame,),
        "get_users": (people.RoomUsersFrame,),
        "send_signal": (connection.AckFrame,),
        "ping": (connection.ServerPongFrame,),
        "pong": (connection.AckFrame,),
    },
}


def asyncapi_document() -> JsonObject:
    """Return the document; its schemas are those of the JSON Schema document."""
    frames = _described()
    schemas = components(frames, "#/components/schemas/{name}")
    operations: JsonObject = {}
    for protocol in _SPOKEN:
        for frame in FROM_CLIENT[protocol]:
            operations[f"protocol{protocol}.receive.{type_of(frame)}"] = _receive(protocol, frame)
        for frame in FROM_SERVER[protocol]:
            operations[f"protocol{protocol}.send.{type_of(frame)}"] = _operation(
                "send", protocol, frame
            )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "roomkit",
            "version": "2",
            "description": "Chat rooms over a websocket. Protocol 1 stays valid for ever.",
        },
        "defaultContentType": "application/json",
        "channels": {f"protocol{protocol}": _channel(protocol) for protocol in _SPOKEN},
        "operations": operations,
        "components": {
            "messages": {
                frame.__name__: _message(frame, protocols, schemas)
                for frame, protocols in frames.items()
            },
            "schemas": schemas,
        },
    }


def _described() -> dict[type[Frame], list[int]]:
    """Return every frame, with the protocols it belongs to."""
    found: dict[type[Frame], list[int]] = {}
    for side in (FROM_CLIENT, FROM_SERVER):
        for protocol, frames in side.items():
            for frame in frames:
                found.setdefault(frame, []).append(protocol)
    return found


def _message(
    frame: type[Frame], protocols: list[int], schemas: dict[str, JsonObject]
) -> JsonObject:
    return {
        "name": type_of(frame),
        "title": frame.__name__,
        "summary": schemas[frame.__name__]["description"],
        "tags": [{"name": f"protocol {protocol}"} for protocol in protocols],
        "payload": {"$ref": f"#/components/schemas/{frame.__name__}"},
    }


def _channel(protocol: int) -> JsonObject:
    return {
        "address": "/ws",
        "title": f"Protocol {protocol}",
        "description": _SPOKEN[protocol],
        "messages": {
            frame.__name__: {"$ref": f"#/components/messages/{frame.__name__}"}
            for frame in (*FROM_CLIENT[protocol], *FROM_SERVER[protocol])
        },
        "bindings": {"ws": {"method": "GET"}},
    }


def _receive(protocol: int, frame: type[Frame]) -> JsonObject:
    operation = _operation("receive", protocol, frame)
    answers = _ANSWERS[protocol].get(type_of(frame))
    if answers is not None:
        replies: list[type[Frame]] = [*answers, connection.ErrorFrame]
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/protocol{protocol}"},
            "messages": [_offer(protocol, reply) for reply in replies],
        }
    return operation


def _operation(action: str, protocol: int, frame: type[Frame]) -> JsonObject:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/protocol{protocol}"},
        "summary": " ".join((frame.__doc__ or "").split()),
        "tags": [{"name": f"protocol {protocol}"}],
        "messages": [_offer(protocol, frame)],
    }


def _offer(protocol: int, frame: type[Frame]) -> JsonObject:
    return {"$ref": f"#/channels/protocol{protocol}/messages/{frame.__name__}"}
