"""Words for what happened: a failure as the shortest list of moves that leads to it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from roomkit.core.effects import Append, Effect, FindLapsed, LoadRoom, ReadLog, ReadTips
from roomkit.core.inputs import (
    Appended,
    Fed,
    Input,
    LapsedFound,
    LogRead,
    RoomLoaded,
    TipsRead,
)
from roomkit.core.storage import Behind, Entry, Hint, Stored
from roomkit.testing.small_worlds.place import Happening, Move, Place
from roomkit.testing.small_worlds.plots import PEOPLE
from roomkit.testing.small_worlds.search import WorldBroken
from roomkit.testing.small_worlds.worlds import Worlds

__all__ = ["told"]

_NODES = ("node 1", "node 2")


def told(failure: WorldBroken) -> str:
    """Return the way to a failure, a move a line, and what it broke."""
    worlds = failure.worlds
    lines = [
        f"{number:3}. {line}" for number, line in enumerate(_lines(worlds, failure.moves), start=1)
    ]
    end = "then nothing moves any more, time passes, and" if failure.resting else "then"
    return "\n".join(["alice is at node 1, bob at node 2.", *lines, f"{end} {failure}"])


def _lines(worlds: Worlds, moves: list[Move]) -> Iterator[str]:
    """Live the moves again, and say each; the last may break a law."""
    place = worlds.beginning
    for number, move in enumerate(moves, start=1):
        yield _words(worlds, place, move)
        if number < len(moves):
            place = worlds.after(place, move)


def _words(worlds: Worlds, place: Place, move: Move) -> str:
    kind, to = move
    if kind in (Happening.SAY, Happening.RETURN):
        person = worlds.people.copy(place.people[to])
        if kind is Happening.RETURN:
            return f"{person.name} comes back, to {_NODES[place.home(to)]}"
        index = person.next_command(worlds.plot)
        assert index is not None, "somebody who has nothing to say spoke"
        again = " again" if person.again else ""
        wish = worlds.plot.wishes(to)[index]
        return f"{PEOPLE[to].username} sends{again} to {_NODES[person.node]}: {wish}"
    if kind in (Happening.PERFORM, Happening.VANISH):
        index, call = worlds.stage.calls.get(to)
        if kind is Happening.VANISH:
            return f"what {_NODES[index]} was writing never reaches the store: {_call(call)}"
        return f"the store does for {_NODES[index]}: {_call(call)}"
    if kind in (Happening.ANSWER, Happening.HINT, Happening.LOSE):
        number, index = worlds.answers.get(to)
        input = _input(worlds.stage.inputs.get(number))
        if kind is Happening.LOSE:
            return f"{_NODES[index]} will never hear: {input}"
        return f"{_NODES[index]} hears: {input}"
    if kind is Happening.CRASH:
        return f"{_NODES[to]} dies"
    if kind is Happening.TICK:
        return f"{_NODES[to]} looks at its timers"
    return "time passes"


def _call(call: Effect) -> str:
    match call:
        case Append():
            texts = ", ".join(_fact(item.fact) for item in call.facts)
            return f"append {call.nonce.counter}: {texts}"
        case ReadLog():
            return f"read what follows seq {call.after}"
        case LoadRoom():
            return "load the room"
        case ReadTips():
            return "look at the tip"
        case FindLapsed():
            return "look whose lease has lapsed"
        case _:
            return str(call)


def _input(input: Input) -> str:
    match input:
        case Appended(outcome=Stored(items)):
            return f"append {input.nonce.counter} is stored, {_seqs([one.seq for one in items])}"
        case Appended(outcome=Behind()):
            return f"append {input.nonce.counter} is refused, the node is behind"
        case Fed(item=Hint() as hint):
            return f"a hint, {_entries(hint.entries)}"
        case LogRead(log=log) if log is not None:
            return f"read, {_entries(log.entries)}"
        case RoomLoaded(record=record) if record is not None:
            return f"loaded, {_entries(record.entries)}"
        case TipsRead():
            return "the tip"
        case LapsedFound():
            return f"lapsed: {', '.join(input.lapsed) or 'nobody'}"
        case _:
            return str(input)


def _entries(entries: tuple[Entry, ...]) -> str:
    return "; ".join(f"seq {one.seq}: {_fact(one.fact)}" for one in entries) or "nothing"


def _seqs(seqs: list[int]) -> str:
    return "seq " + ", ".join(str(seq) for seq in seqs)


def _fact(fact: bytes) -> str:
    """Return a fact's kind, and whose or which it is."""
    held: dict[str, object] = msgspec.msgpack.decode(fact)
    match held:
        case {"type": kind, "text": text}:
            return f"{kind} {text!r}"
        case {"type": kind, "message": {"text": str(text)}}:
            return f"{kind} {text!r}"
        case {"type": kind, "arrivals": those} | {"type": kind, "departures": those}:
            sessions = msgspec.convert(those, list[_Session])
            return f"{kind} {', '.join(one.session for one in sessions)}"
        case {"type": "moderated", "action": action, "username": name}:
            return f"{action} {name}"
        case {"type": kind, "node": node}:
            return f"{kind} {node}"
        case _:
            return str(held)


class _Session(msgspec.Struct):
    """Of who comes or goes, what is worth saying."""

    session: str
