"""Editing and deleting messages: one's own, or anybody's for whom the policy lets moderate.

What is written is the whole message in its new form, as a control fact: whoever writes it has
folded every one before it, so a version conflict is exact and a tombstone is final.
"""

from __future__ import annotations

import msgspec

from roomkit.core import facts
from roomkit.core.batch import propose
from roomkit.core.commands import DeleteMessage, EditMessage
from roomkit.core.events import Acked, Message
from roomkit.core.inputs import HostDelete, HostEdit
from roomkit.core.names import check_text
from roomkit.core.policy import Action
from roomkit.core.reading import page_in
from roomkit.core.state import Batch, BatchItem, Served, Waiting
from roomkit.core.turn import Turn
from roomkit.errors import ErrorCode, Refused
from roomkit.ids import Position, UserId, message_id, message_position

__all__ = ["delete_message", "edit_message", "revised"]

_Revision = EditMessage | DeleteMessage | HostEdit | HostDelete


def edit_message(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Propose another text for a message."""
    command = waiting.command
    assert isinstance(command, EditMessage | HostEdit)
    text = check_text(command.message, turn.limits)
    message = _target(turn, served, waiting, command)
    if message is None:
        return
    by = _reviser(turn, served, waiting, message, Action.EDIT)
    new = msgspec.structs.replace(message, text=text, version=message.version + 1)
    propose(batch, facts.Edited(new, by), waiting)


def delete_message(turn: Turn, served: Served, waiting: Waiting, batch: Batch) -> None:
    """Propose a tombstone in place of a message."""
    command = waiting.command
    assert isinstance(command, DeleteMessage | HostDelete)
    message = _target(turn, served, waiting, command)
    if message is None:
        return
    by = _reviser(turn, served, waiting, message, Action.DELETE)
    tombstone = msgspec.structs.replace(
        message, text="", meta=None, reply_to=None, edited=None, version=message.version + 1
    )
    propose(batch, facts.Deleted(tombstone, by, command.reason), waiting)


def revised(turn: Turn, served: Served, item: BatchItem, waiting: Waiting) -> None:
    """Acknowledge an edit or a delete that is in the log and folded."""
    assert isinstance(item.fact, facts.Edited | facts.Deleted)
    event = None
    if waiting.ref is not None or waiting.request is not None:
        message = item.fact.message
        event = Acked(
            waiting.ref or "",
            served.name,
            item.position,
            item.at,
            message=message_id(Position(message.seq, message.link)),
            version=message.version,
        )
    turn.finish(served, waiting, event)


def _target(turn: Turn, served: Served, waiting: Waiting, command: _Revision) -> Message | None:
    """Return the message a command is about; None if it is being paged in first.

    Raises:
        Refused: not_found, or version_conflict.
    """
    position = message_position(command.id)
    if position is None:
        raise _no_such_message()
    history, paged = served.history, waiting.paged
    message = history.find(position.seq)
    if not history.holds(position.seq):
        if paged is None or paged.saved != history.saved:
            page_in(turn, served, waiting, position.seq)
            return None
        message = paged.message
    if message is None or message.link != position.link:
        raise _no_such_message()
    if message.deleted is not None:
        raise Refused(ErrorCode.NOT_FOUND, "this message was deleted, and stays so")
    if command.if_version not in (None, message.version):
        told = f"the message is at version {message.version}: look at it and decide again"
        raise Refused(ErrorCode.VERSION_CONFLICT, told)
    return message


def _reviser(turn: Turn, served: Served, waiting: Waiting, message: Message, own: Action) -> UserId:
    """Return who revises a message.

    Raises:
        Refused: forbidden.
    """
    command, session = waiting.command, waiting.session
    if isinstance(command, HostEdit | HostDelete):
        return command.by
    assert session is not None, "a client's command belongs to a session"
    is_own = message.user_id == session.user.user_id and not message.system
    turn.require(session.user, served.name, own if is_own else Action.MODERATE)
    return session.user.user_id


def _no_such_message() -> Refused:
    return Refused(ErrorCode.NOT_FOUND, "there is no such message in this room, or no longer")
