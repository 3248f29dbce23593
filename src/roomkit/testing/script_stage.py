"""Where a script is played: what each kind of input line does to nodes, connections and time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar, cast

import msgspec

from roomkit.core import commands
from roomkit.core.commands import Command
from roomkit.core.effects import Append, Effect, LoadRoom, PageMessages, ReadLog
from roomkit.core.events import User
from roomkit.core.inputs import (
    Asked,
    Connected,
    Drain,
    Fed,
    HostCommand,
    HostDelete,
    HostEdit,
    HostHistory,
    HostKick,
    HostPost,
    HostUsers,
    Input,
    LogRead,
    MessagesPaged,
    Opened,
    Received,
    RoomLoaded,
    Unwatched,
    Watched,
)
from roomkit.core.storage import Behind, Failed, Interrupted, Outcome, Unknown
from roomkit.ids import ConnectionId, RequestId, RoomId, SessionId, UserId
from roomkit.limits import Limits
from roomkit.testing.script_lines import kind
from roomkit.testing.script_world import ScriptNode, ScriptWorld
from roomkit.testing.world import Node, run_now

__all__ = ["ScriptError", "Stage"]

T = TypeVar("T")

_COMMANDS: dict[str, type[Command]] = {
    "join_room": commands.JoinRoom,
    "leave_room": commands.LeaveRoom,
    "send_message": commands.SendMessage,
    "edit_message": commands.EditMessage,
    "delete_message": commands.DeleteMessage,
    "typing_start": commands.TypingStart,
    "typing_stop": commands.TypingStop,
    "get_history": commands.GetHistory,
    "get_users": commands.GetUsers,
    "send_signal": commands.SendSignal,
    "ping": commands.Ping,
    "pong": commands.Pong,
}
_ASKED: dict[str, type[HostCommand]] = {
    "post": HostPost,
    "edit": HostEdit,
    "delete": HostDelete,
    "kick": HostKick,
    "history": HostHistory,
    "users": HostUsers,
}
_OUTCOMES: dict[str, Outcome] = {
    "behind": Behind(),
    "failed": Failed("the script says so"),
    "unknown": Unknown("the script says so"),
    "unknown-stored": Unknown("the script says so"),
}
_MS = {"ms": 1, "s": 1_000, "m": 60_000}


class ScriptError(Exception):
    """A script that cannot be played; the message says what is wrong with which line."""


class _Words:
    """An input line taken apart: words, `name=value` options, and JSON data."""

    def __init__(self, line: str) -> None:
        before, brace, data = line.partition("{")
        options = data.rpartition("}")[2] if brace else ""
        if brace:
            data = brace + data[: len(data) - len(options)]
        self.data = data
        self.options: dict[str, str] = {}
        self.plain: list[str] = []
        for word in [*before.split(), *options.split()]:
            name, equals, value = word.partition("=")
            if equals:
                self.options[name] = value
            else:
                self.plain.append(word)

    def take(self, what: str) -> str:
        """Return the next word.

        Raises:
            ScriptError: there is none.
        """
        if not self.plain:
            raise ScriptError(f"{what} is missing")
        return self.plain.pop(0)


class Stage:
    """Plays input lines one after the other (`roomkit.testing.script` lists them)."""

    def __init__(self) -> None:
        self._limits: Limits | None = None
        self._world: ScriptWorld | None = None
        self._connections: dict[str, Node] = {}
        self._requests = 0
        self._verbs: dict[str, Callable[[_Words], None]] = {
            "limits": self._set_limits,
            "node": lambda words: self._start(),
            "connect": self._connect,
            "drop": self._drop,
            "host": self._ask,
            "watch": lambda words: self._step(words, Watched(RoomId(words.take("room")))),
            "unwatch": lambda words: self._step(words, Unwatched(RoomId(words.take("room")))),
            "drain": lambda words: self._step(words, Drain(words.take("reason"))),
            "interrupt": lambda words: self._step(words, Fed(Interrupted())),
            "advance": self._advance,
            "auto": self._switch_auto,
            "perform": self._perform,
            "settle": lambda words: self._stage().settle_everything(),
            "hints": self._switch_hints,
            "housekeeping": self._switch_housekeeping,
            "pause": lambda words: self._stage().nodes.remove(self._named(words.take("node"))),
            "resume": lambda words: self._stage().nodes.append(self._named(words.take("node"))),
        }

    def play(self, line: str) -> list[str]:
        """Play one input line and return what came out.

        Raises:
            ScriptError: the line cannot be understood, or asks for what is not there.
        """
        words = _Words(line)
        verb = words.take("what to do")
        if verb in self._connections:
            self._send(verb, words)
        elif verb in self._verbs:
            self._verbs[verb](words)
        else:
            known = ", ".join([*self._verbs, *self._connections])
            raise ScriptError(f"{verb!r} is no verb and no connection; there are: {known}")
        if words.plain or words.options:
            raise ScriptError(f"nothing is known of {', '.join([*words.plain, *words.options])}")
        if self._world is None:
            return []
        began = self._world.clock.mono if verb != "advance" else None
        self._world.settle()
        return self._shown(began)

    def _shown(self, began: int | None) -> list[str]:
        world = self._stage()
        lines: list[str] = []
        time = began
        for mono, node, text in world.recorded:
            if began is None and mono != time:
                lines.append(f"at +{mono / 1000:g}s")
                time = mono
            lines += (text if len(world.started) == 1 else f"{node}: {text}").splitlines()
        world.recorded.clear()
        return lines

    def _stage(self) -> ScriptWorld:
        if self._world is None:
            self._world = ScriptWorld(self._limits or Limits())
            self._world.node()
            self._world.settle()
        return self._world

    def _named(self, name: str) -> ScriptNode:
        started = self._stage().started
        if name not in started:
            raise ScriptError(f"{name!r} is no node; there are: {', '.join(started)}")
        return started[name]

    def _node(self, words: _Words) -> ScriptNode:
        return self._named(words.options.pop("node", "n1"))

    def _step(self, words: _Words, input: Input) -> None:
        self._node(words).step(input)

    def _set_limits(self, words: _Words) -> None:
        if self._world is not None:
            raise ScriptError("limits come before everything else")
        try:
            self._limits = Limits(**{name: int(value) for name, value in words.options.items()})
            words.options.clear()
        except (TypeError, ValueError) as error:
            raise ScriptError(str(error)) from error

    def _start(self) -> None:
        self._stage().node()

    def _connect(self, words: _Words) -> None:
        name, username = words.take("name of the connection"), words.take("name of the user")
        guest = "guest" in words.plain
        if guest:
            words.plain.remove("guest")
        options, node = words.options, self._node(words)
        username = "" if username == "-" else username
        user_id = UserId(options.pop("user", f"u-{username or name}"))
        session = SessionId(options.pop("session", f"s-{name}"))
        connection = ConnectionId(name)
        self._connections[name] = node
        node.received[connection] = []
        node.protocols[connection] = int(options.pop("protocol", "2"))
        node.step(Connected(connection))
        user = User(user_id, username, guest)
        node.step(Opened(connection, node.protocols[connection], user, session))

    def _drop(self, words: _Words) -> None:
        name = words.take("connection")
        if name not in self._connections:
            raise ScriptError(f"{name!r} is no connection")
        self._connections.pop(name).drop(ConnectionId(name))

    def _send(self, name: str, words: _Words) -> None:
        command = self._decode(words, words.take("type"), _COMMANDS)
        self._connections[name].step(Received(ConnectionId(name), command))

    def _ask(self, words: _Words) -> None:
        command = self._decode(words, words.take("what to ask"), _ASKED)
        self._requests += 1
        self._step(words, Asked(RequestId(self._requests), command))

    def _decode(self, words: _Words, type_: str, types: dict[str, type[T]]) -> T:
        if type_ not in types:
            raise ScriptError(f"{type_!r} is not one of {', '.join(types)}")
        try:
            data: object = msgspec.json.decode(words.data or "{}")
            return msgspec.convert(self._with_links(data), types[type_])
        except msgspec.MsgspecError as error:
            raise ScriptError(f"{type_}: {error}") from error

    def _with_links(self, data: object) -> object:
        """Put the real links where the script wrote `L2`, or `5-L2`."""
        if isinstance(data, dict):
            fields = cast("dict[str, object]", data)
            return {name: self._with_links(value) for name, value in fields.items()}
        found = re.fullmatch(r"(\d+-)?(L\d+)", data) if isinstance(data, str) else None
        if found is None:
            return data
        prefix, name = found.groups("")
        links = self._stage().lines.links
        if name not in links:
            raise ScriptError(f"no link {name} has been seen yet")
        return prefix + links[name]

    def _advance(self, words: _Words) -> None:
        given = words.take("how long")
        found = re.fullmatch(r"(\d+)(ms|s|m)", given)
        if found is None:
            raise ScriptError(f"{given!r} is no time: write 500ms, 15s or 2m")
        self._stage().advance(int(found[1]) * _MS[found[2]])

    def _switch_auto(self, words: _Words) -> None:
        self._stage().at_once = _on(words)

    def _switch_hints(self, words: _Words) -> None:
        on = _on(words)
        self._stage().hints = lambda node, item: on

    def _switch_housekeeping(self, words: _Words) -> None:
        self._stage().housekeeping = _on(words)

    def _perform(self, words: _Words) -> None:
        wanted = words.plain.pop(0) if words.plain and words.plain[0] != "as" else None
        node, room = self._node(words), words.options.pop("room", None)
        effect = next(
            (
                one
                for one in node.pending
                if wanted in (None, kind(one)) and room in (None, getattr(one, "room", None))
            ),
            None,
        )
        if effect is None:
            waiting = ", ".join(kind(one) for one in node.pending) or "nothing"
            raise ScriptError(
                f"no {wanted or 'effect'} waits on {node.name}; what waits: {waiting}"
            )
        node.pending.remove(effect)
        if words.plain:
            words.take("as")
            self._perform_as(node, effect, words.take("outcome"))
        else:
            node.perform(effect)

    def _perform_as(self, node: ScriptNode, effect: Effect, outcome: str) -> None:
        if isinstance(effect, Append) and outcome in _OUTCOMES:
            if outcome == "unknown-stored":
                run_now(node.store.append([effect], self._stage().clock.now().wall))
            node.perform(effect, _OUTCOMES[outcome])
            return
        match effect, outcome:
            case LoadRoom(room), "failed":
                node.step(RoomLoaded(room, None))
            case ReadLog(room, after), "failed":
                node.step(LogRead(room, after, None))
            case PageMessages(room, page), "failed":
                node.step(MessagesPaged(room, page, None))
            case _:
                raise ScriptError(f"{kind(effect)} cannot end as {outcome!r}")


def _on(words: _Words) -> bool:
    given = words.take("on or off")
    if given not in ("on", "off"):
        raise ScriptError(f"{given!r} is neither on nor off")
    return given == "on"
