"""Laws 1, 2, 5, 6, 8, 10 and 15: what clients hold, against the log and against each other."""

from __future__ import annotations

from collections.abc import Sequence

from roomkit.core.effects import Broadcast, Effect
from roomkit.core.events import (
    Advanced,
    EntryEvent,
    Event,
    MessageDeleted,
    MessageEdited,
    Moderated,
    Posted,
    RoomJoined,
    RosterChanged,
    TypingStarted,
)
from roomkit.core.inputs import Input
from roomkit.core.state import Served
from roomkit.ids import ConnectionId, RoomId, UserId
from roomkit.testing.laws.broken import LawBroken
from roomkit.testing.laws.client_view import ClientView, RoomView
from roomkit.testing.laws.fold import compare_fold
from roomkit.testing.laws.legacy_view import LegacyView
from roomkit.testing.laws.truth import Truth
from roomkit.testing.model import ModelRoom, comparable
from roomkit.testing.observer import Observer
from roomkit.testing.world import Node

__all__ = ["Views", "users_in"]

_ENTRY_EVENTS = (Posted, MessageEdited, MessageDeleted, RosterChanged, Moderated, Advanced)


class Views(Observer):
    """Holds every connection's view, and compares it after each step of its node."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._recovered: set[tuple[ConnectionId, RoomId]] = set()
        self._names: dict[UserId, set[str]] = {}
        self.clients: dict[ConnectionId, ClientView | LegacyView] = {}

    def sent(self, node: Node, connection: ConnectionId, event: Event) -> None:
        if isinstance(event, _ENTRY_EVENTS):
            self._compare_event(event)
        elif isinstance(event, RoomJoined) and event.recovered:
            self._recovered.add((connection, event.room))
        view = self.clients.get(connection)
        if view is not None:
            view.apply(event)

    def stepping(self, node: Node, input: Input) -> None:
        self._recovered.clear()

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Broadcast) and isinstance(effect.event, TypingStarted):
                names = self._names.setdefault(effect.event.user_id, set())
                names.add(effect.event.username)
        for name, served in node.engine.state.rooms.items():
            if served.room is None:
                continue
            model = self._truth.at(name, served.room.tip.link)
            if model is None:
                raise LawBroken(5, f"{node.name} folded an entry of {name!r} that nobody wrote")
            compare_fold(node, served.room, model)
            for connection in node.members.get(name, ()):
                if connection in self.clients and connection not in node.closes:
                    self._compare_view(connection, name, served, model)

    def converged(self, nodes: Sequence[Node]) -> None:
        """Everything has come to rest: every view is the room as it is.

        Raises:
            LawBroken: one is not (law 6), whatever was cut and resumed before.
        """
        for node in nodes:
            for room, members in node.members.items():
                tip = self._truth.tip(room)
                for connection in members:
                    view = self.clients[connection]
                    if isinstance(view, LegacyView):
                        _compare_legacy(connection, view, tip, self._own_names(node, connection))
                        self._compare_texts(connection, view, tip)
                        continue
                    held = view.live(room)
                    if held is None or held.position.link != tip.link:
                        raise LawBroken(6, f"{connection} rests at {held} of {room!r}, not {tip}")
                    users = users_in(nodes, room)
                    if not tip.shown and held.total != users:
                        raise LawBroken(6, f"{connection} counts {held.total} in {room!r}: {users}")

    def _compare_texts(self, connection: ConnectionId, view: LegacyView, tip: ModelRoom) -> None:
        """Protocol 1 is not told of edits and deletes: it may hold any text a message ever had."""
        shown = tip.messages[len(tip.messages) - len(view.texts) :]
        for text, message in zip(view.texts, shown, strict=True):
            forms = self._truth.forms_since(tip.name, "", message.seq)
            if text not in [form.text for form in forms]:
                raise LawBroken(5, f"{connection} rests with {text!r} in place of {message}")

    def _own_names(self, node: Node, connection: ConnectionId) -> set[str]:
        """Return the names under which a connection's own user was shown typing, at any node."""
        session = node.engine.state.connections[connection].session
        return self._names.get(session.user.user_id, set()) if session is not None else set()

    def unfollow(self, connection: ConnectionId) -> None:
        """A client holds this connection no longer."""
        view = self.clients.pop(connection, None)
        if view is not None:
            view.disconnected()

    def _compare_event(self, event: EntryEvent) -> None:
        told = self._truth.told(event.room, event.link)
        if told is None or comparable(event) != comparable(told.event):
            wanted = told.event if told is not None else None
            raise LawBroken(15, f"an entry was told as {event}, and it is {wanted}")

    def _compare_view(
        self, connection: ConnectionId, name: RoomId, served: Served, model: ModelRoom
    ) -> None:
        client = self.clients[connection]
        if isinstance(client, LegacyView):
            if client.room != name:
                raise LawBroken(10, f"{connection} is in {name!r} and was shown {client.room!r}")
            return
        view = client.live(name)
        if view is None:
            raise LawBroken(10, f"{connection} is attached to {name!r} and was sent no snapshot")
        if view.position.seq != model.seq:
            held = f"{connection} holds {name!r} up to {view.position.seq}; it is at {model.seq}"
            raise LawBroken(2 if (connection, name) in self._recovered else 1, held)
        if view.position.link != model.link:
            raise LawBroken(15, f"{connection} holds another {name!r} than its node")
        _compare_content(connection, name, view, model)
        typing = served.typists.names(len(served.typists.by_user))
        if view.typing != typing:
            raise LawBroken(7, f"{connection} shows {view.typing} typing in {name!r}: {typing}")


def _compare_legacy(
    connection: ConnectionId, view: LegacyView, tip: ModelRoom, own_names: set[str]
) -> None:
    """Protocol 1 is not told that its own user stopped typing."""
    if set(view.typing) - own_names:
        raise LawBroken(6, f"{connection} rests with {view.typing} typing")
    wanted = sorted(one.username for one in tip.roster.values())
    if sorted(view.users) != wanted:
        raise LawBroken(6, f"{connection} rests with users {view.users}, not {wanted}")


def users_in(nodes: Sequence[Node], room: RoomId) -> int:
    """Return how many users are in a room, each node counting its own."""
    return sum(
        len({local.session.user.user_id for local in served.sessions.values()})
        for node in nodes
        if (served := node.engine.state.rooms.get(room)) is not None
    )


def _compare_content(
    connection: ConnectionId, name: RoomId, view: RoomView, model: ModelRoom
) -> None:
    if (view.shown, view.roster) != (model.shown, model.views()):
        raise LawBroken(5, f"{connection} holds the roster {view.roster}, not {model.views()}")
    held = tuple(view.messages)
    if held and held != model.messages[-len(held) :]:
        raise LawBroken(5, f"{connection} holds messages {held} of {name!r}, not {model.messages}")
