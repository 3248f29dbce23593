"""What alice and bob want to do, three commands each: one plot for each conflict worth a search.

Alice is connected to the first node and bob to the second. The room has one message already, by
alice; whoever edits or deletes means that one. Both may moderate.
"""

from __future__ import annotations

from dataclasses import dataclass

from roomkit.core.commands import (
    Command,
    DeleteMessage,
    EditMessage,
    JoinRoom,
    LeaveRoom,
    SendMessage,
)
from roomkit.core.events import User
from roomkit.core.inputs import Asked, HostKick, Input, Received
from roomkit.ids import ConnectionId, RequestId, RoomId, UserId

__all__ = ["PEOPLE", "PLOTS", "ROOM", "Kick", "Plot", "Wish", "author_of", "spoken"]

ROOM = RoomId("room")

PEOPLE = (User(UserId("u-alice"), "alice"), User(UserId("u-bob"), "bob"))

_REQUESTS = 100  # requests of one person are numbered from a multiple of this


@dataclass(frozen=True)
class Say:
    """Post a message; its text is its idempotency key too."""

    text: str


@dataclass(frozen=True)
class Edit:
    """Give the first message another text, if it is still as it was at first."""

    text: str


@dataclass(frozen=True)
class Delete:
    """Delete the first message, whatever its version."""


@dataclass(frozen=True)
class Kick:
    """Ask the host, at one's own node, to put the other person out."""


@dataclass(frozen=True)
class Leave:
    """Leave the room."""


@dataclass(frozen=True)
class Join:
    """Enter the room, without a position to go on from."""


Wish = Say | Edit | Delete | Kick | Leave | Join


@dataclass(frozen=True)
class Plot:
    """Six commands.

    Attributes:
        alice, bob: what each wants, in order; nobody waits for an answer.
        absent: who is connected but not in the room when it begins.
    """

    name: str
    about: str
    alice: tuple[Wish, ...]
    bob: tuple[Wish, ...]
    absent: tuple[str, ...] = ()

    def wishes(self, person: int) -> tuple[Wish, ...]:
        return self.bob if person else self.alice

    def input(self, person: int, index: int, connection: str, first: str) -> Input:
        """Return what a node is given when a person sends their command number `index`.

        Args:
            person: 0 for alice, 1 for bob.
            index: from 0; it is the command's `ref` too.
            connection: the person's.
            first: id of the message everybody edits.
        """
        wish, ref = self.wishes(person)[index], str(index)
        sent: Command
        match wish:
            case Kick():
                other = PEOPLE[1 - person].user_id
                command = HostKick(ROOM, other, PEOPLE[person].user_id)
                return Asked(RequestId(person * _REQUESTS + index), command)
            case Say(text):
                sent = SendMessage(message=text, room=ROOM, ref=ref, idempotency_key=text)
            case Edit(text):
                sent = EditMessage(room=ROOM, id=first, message=text, if_version=1, ref=ref)
            case Delete():
                sent = DeleteMessage(room=ROOM, id=first, ref=ref)
            case Leave():
                sent = LeaveRoom(room=ROOM, ref=ref)
            case Join():
                sent = JoinRoom(room=ROOM, ref=ref)
        return Received(ConnectionId(connection), sent)

    def shortened(self, commands: int) -> Plot:
        """Return the plot with so many commands, as many of each person as can be."""
        alice = (commands + 1) // 2
        return Plot(
            self.name, self.about, self.alice[:alice], self.bob[: commands - alice], self.absent
        )


def author_of(request: RequestId) -> tuple[int, int]:
    """Return whose command a host's request was, and its index."""
    return divmod(int(request), _REQUESTS)


def spoken(wish: Wish) -> str | None:
    """Return the text a wish brings into the log."""
    return wish.text if isinstance(wish, Say | Edit) else None


PLOTS: dict[str, Plot] = {
    plot.name: plot
    for plot in (
        Plot(
            "sends",
            "both write at once",
            (Say("a0"), Say("a1"), Say("a2")),
            (Say("b0"), Say("b1"), Say("b2")),
        ),
        Plot(
            "kick",
            "alice has bob put out while bob writes",
            (Say("a0"), Kick(), Say("a2")),
            (Say("b0"), Say("b1"), Join()),
        ),
        Plot(
            "revisions",
            "both edit, one deletes, one message: versions, conflicts, a tombstone",
            (Edit("a0"), Say("a1"), Delete()),
            (Edit("b0"), Say("b1"), Edit("b2")),
        ),
        Plot(
            "doors",
            "both come and go, and bob comes first of all",
            (Say("a0"), Leave(), Join()),
            (Join(), Say("b1"), Leave()),
            absent=("bob",),
        ),
    )
}
