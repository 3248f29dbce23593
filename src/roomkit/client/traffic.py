"""What a client machine's parts share: the view, the connection, and unanswered commands."""

from __future__ import annotations

import msgspec

from roomkit.client.asks import Answered, Output, Rejected
from roomkit.client.link import Link
from roomkit.client.view_data import Problem, Record, RoomView, View

__all__ = ["Request", "Traffic", "given"]


class Request(msgspec.Struct, frozen=True):
    """A command that is unanswered.

    Attributes:
        kind: the ask's tag.
        key: of the message sent.
        before: the cursor of a page that is to be merged.
    """

    kind: str
    room: str
    ticket: int | None = None
    key: str = ""
    before: int | None = None


class Traffic:
    """Commands on their way out, answers on their way in.

    Attributes:
        view: what is known.
        requests: unanswered commands of this connection, by ref.
    """

    def __init__(self, link: Link, out: list[Output]) -> None:
        self.view = View()
        self.link = link
        self.out = out
        self.requests: dict[str, Request] = {}
        self._last_ref = 0

    @property
    def online(self) -> bool:
        """True if commands can be sent."""
        return self.link.state == "online"

    def room(self, name: str) -> RoomView:
        """Return a room that is known."""
        return self.view.rooms[name]

    def request(self, kind: str, request: Request, data: Record) -> str:
        """Send a command and return its ref."""
        self._last_ref += 1
        ref = str(self._last_ref)
        self.requests[ref] = request
        self.link.transmit(kind, {"room": request.room, "ref": ref, **data})
        return ref

    def answer(self, ticket: int | None, data: Record) -> None:
        """Tell whoever asked, if anybody waits."""
        if ticket is not None:
            self.out.append(Answered(ticket, data))

    def reject(
        self, ticket: int | None, problem: Problem, retry_after_ms: int | None = None
    ) -> None:
        """Tell whoever asked that it was not done, if anybody waits."""
        if ticket is not None:
            self.out.append(Rejected(ticket, problem, retry_after_ms))


def given(values: msgspec.Struct, *names: str) -> dict[str, object]:
    """Return those of the fields that are not None: the protocol has optional keys, not nulls."""
    found = ((name, getattr(values, name)) for name in names)
    return {name: value for name, value in found if value is not None}
