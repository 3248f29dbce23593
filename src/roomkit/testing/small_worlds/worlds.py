"""All small worlds of one plot: from a state, everything that can happen and what comes of it.

Nobody but the engine decides anything here. What happens is checked as it happens: a broken law is
raised by `after`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from roomkit.core import facts
from roomkit.core.effects import Append, FactItem, FindLapsed
from roomkit.core.inputs import Tick
from roomkit.core.storage import Nonce
from roomkit.ids import ConnectionId, NodeId, RequestId
from roomkit.stores.memory_room import MemoryRoom
from roomkit.testing.small_worlds.checks import Checks
from roomkit.testing.small_worlds.person import AWAY, Person
from roomkit.testing.small_worlds.place import FAULTS, Bounds, Happening, Move, Place
from roomkit.testing.small_worlds.plots import PEOPLE, ROOM, Plot
from roomkit.testing.small_worlds.shelves import Copies, Shelf
from roomkit.testing.small_worlds.stage import Stage, Step

__all__ = ["Worlds"]

_CALM_PERIODS = 4


class Worlds:
    """The worlds of one plot.

    Attributes:
        plot: what people do.
        stage: every step the nodes were ever made to take.
        people: everybody as they ever were.
        answers: what was ever on its way to a node: a number of `stage.inputs`, and the node.
        beginning: both nodes are up and everybody is connected, and in the room unless absent.
    """

    def __init__(self, plot: Plot, bounds: Bounds) -> None:
        self.plot = plot
        self.bounds = bounds
        self.stage = Stage()
        self.people: Copies[Person] = Copies()
        self.answers: Shelf[tuple[int, int]] = Shelf()
        self._checks = Checks(self.stage, self.people, plot)
        self._ids = tuple(NodeId(str(node.engine.node)) for node in self.stage.world.nodes)
        self._tick = self.stage.inputs.put(Tick())
        self._sayings: dict[int, tuple[int, int, int]] = {}
        self._hearings: dict[tuple[int, int, RequestId | None], int] = {}
        self._cuts: dict[tuple[int, int | None], int] = {}
        self._known: dict[int, _Where] = {}
        self._first = ""
        self.beginning = self._begin()

    # ------------------------------------------------------------------------------ the beginning

    def _begin(self) -> Place:
        room = MemoryRoom(self.stage.limits, 1_000)
        alice = PEOPLE[0]
        hello = facts.encode(facts.Posted(alice.user_id, alice.username, "the first"))
        room.append(Append(ROOM, Nonce(NodeId("past"), 1), "", (FactItem(None, hello),), False), 0)
        stored = self.stage.rooms.put(room)
        self._first = self._checks.first(stored)
        nodes = self.stage.fresh
        people = (self.people.put(Person(0)), self.people.put(Person(1)))
        place = self.calm(Place(nodes, stored, people), periods=0)
        for index, person in enumerate(PEOPLE):
            present = person.username not in self.plot.absent
            place = self.calm(self._connect(place, index, index, enter=present), periods=0)
        return place

    def calm(self, place: Place, periods: int = _CALM_PERIODS) -> Place:
        """Return what comes of a world in which nothing goes wrong any more, and nobody speaks.

        Args:
            periods: how often time passes.
        """
        while True:
            quiet = [
                move
                for move in self.moves(place)
                if move.kind not in FAULTS and move.kind is not Happening.SAY
            ]
            if quiet:
                place = self.after(place, quiet[0])
            elif periods:
                periods -= 1
                place = place._replace(time=place.time + 1)
            else:
                return place

    def check_end(self, place: Place) -> None:
        """Check that a world in which nothing is left to do comes to agree.

        Raises:
            LawBroken: it does not (laws 6, 9 and 12).
        """
        rested = self.calm(place)
        self._checks.at_rest(rested.nodes, rested.room, rested.people)

    # -------------------------------------------------------------------------- what can happen

    def moves(self, place: Place) -> list[Move]:
        """Return everything that can happen next."""
        found: list[Move] = []
        for index, person in enumerate(place.people):
            where = self._where(person)
            if where.node == AWAY:
                if where.left:
                    found.append(Move(Happening.RETURN, index))
            elif where.speaks:
                found.append(Move(Happening.SAY, index))
        for call in _each(place.calls):
            found.append(Move(Happening.PERFORM, call))
            if place.nodes[self.stage.calls.get(call)[0]] is None:
                found.append(Move(Happening.VANISH, call))
        found += [Move(Happening.ANSWER, answer) for answer in _each(place.answers)]
        bounds = self.bounds
        for hint in _each(place.hints):
            found.append(Move(Happening.HINT, hint))
            if place.lost < bounds.losses:
                found.append(Move(Happening.LOSE, hint))
        for index, node_now in enumerate(place.nodes):
            if node_now is None:
                continue
            if self.stage.is_due(node_now, place.time):
                found.append(Move(Happening.TICK, index))
            if bounds.crashes and place.crashed is None:
                found.append(Move(Happening.CRASH, index))
        if place.broken and place.time < bounds.periods:
            found.append(Move(Happening.TIME, 0))
        return found

    def after(self, place: Place, move: Move) -> Place:
        """Return the world after something happened.

        Raises:
            LawBroken: it must not have come to this.
        """
        kind, to = move
        match kind:
            case Happening.SAY:
                return self._say(place, to)
            case Happening.RETURN:
                return self._connect(place, to, place.home(to))
            case Happening.PERFORM:
                return self._perform(place, to)
            case Happening.VANISH:
                return place._replace(calls=_without(place.calls, to))
            case Happening.ANSWER:
                input, node = self.answers.get(to)
                place = place._replace(answers=_without(place.answers, to))
                return self._step(place, node, (input,))
            case Happening.HINT:
                input, node = self.answers.get(to)
                place = place._replace(hints=_without(place.hints, to))
                return self._step(place, node, (input,))
            case Happening.TICK:
                return self._step(place, to, (self._tick,))
            case Happening.LOSE:
                return place._replace(hints=_without(place.hints, to), lost=place.lost + 1)
            case Happening.CRASH:
                return self._crash(place, to)
            case Happening.TIME:
                return place._replace(time=place.time + 1)

    # ----------------------------------------------------------------------------------- the moves

    def _say(self, place: Place, index: int) -> Place:
        number = place.people[index]
        said = self._sayings.get(number)
        if said is None:
            person = self.people.copy(number)
            input = self.stage.inputs.put(person.send(self.plot, self._first))
            said = self._sayings[number] = (self.people.put(person), input, person.node)
        person_now, input, node = said
        return self._step(place.with_person(index, person_now), node, (input,))

    def _connect(self, place: Place, index: int, node: int, *, enter: bool = False) -> Place:
        person = self.people.copy(place.people[index])
        inputs = person.connect(node, enter=enter)
        numbers = tuple([self.stage.inputs.put(input) for input in inputs])
        return self._step(place.with_person(index, self.people.put(person)), node, numbers)

    def _perform(self, place: Place, call: int) -> Place:
        index, effect = self.stage.calls.get(call)
        calls = _without(place.calls, call)
        alive = place.nodes[index] is not None
        if isinstance(effect, FindLapsed):
            found = self.stage.lapsed(call, self._dead(place))
            return self._step(place._replace(calls=calls), index, (found,))
        if not isinstance(effect, Append):
            answer = self.answers.put((self.stage.read(call, place.room), index))
            return place._replace(calls=calls, answers=_with(place.answers, answer))
        room, outcome, hint = self.stage.append(call, place.room, place.time)
        if room != place.room:
            self._checks.log(room)
        answers, hints, other = place.answers, place.hints, 1 - index
        if alive:
            answers = _with(answers, self.answers.put((outcome, index)))
        listening = place.nodes[other]
        if hint is not None and listening is not None and self.stage.follows(listening):
            hints = _with(hints, self.answers.put((hint, other)))
        return place._replace(calls=calls, room=room, answers=answers, hints=hints)

    def _dead(self, place: Place) -> tuple[NodeId, ...]:
        """Return the nodes whose leases have lapsed: a period after they died, at the earliest."""
        if place.crashed is None or place.time <= place.crashed:
            return ()
        return tuple(self._ids[index] for index, node in enumerate(place.nodes) if node is None)

    def _crash(self, place: Place, index: int) -> Place:
        """A node dies; an append on its way may still be performed."""
        calls, answers = self.stage.calls, self.answers
        for at, number in enumerate(place.people):
            if self._where(number).node == index:
                place = place.with_person(at, self._cut_off(number))
        nodes = (None, place.nodes[1]) if index == 0 else (place.nodes[0], None)
        return place._replace(
            nodes=nodes,
            calls=tuple(
                call
                for call in place.calls
                if calls.get(call)[0] != index or isinstance(calls.get(call)[1], Append)
            ),
            answers=tuple(one for one in place.answers if answers.get(one)[1] != index),
            hints=tuple(one for one in place.hints if answers.get(one)[1] != index),
            crashed=place.time,
        )

    def _step(self, place: Place, index: int, inputs: tuple[int, ...]) -> Place:
        """Step a node, tell its people, and check what they and it now have."""
        node = place.nodes[index]
        assert node is not None, "a node that died was stepped"
        step = self.stage.step(index, node, inputs, place.time)
        people = tuple([self._hear(one, step, place.room) for one in place.people])
        nodes = (step.node, place.nodes[1]) if index == 0 else (place.nodes[0], step.node)
        if step.calls:
            calls = tuple(sorted(place.calls + step.calls))
            place = place._replace(nodes=nodes, people=(people[0], people[1]), calls=calls)
        else:
            place = place._replace(nodes=nodes, people=(people[0], people[1]))
        here = tuple([one for one in place.people if self._where(one).node == index])
        self._checks.node(index, step.node, place.room, here)
        return place

    def _hear(self, number: int, step: Step, room: int) -> int:
        """Return a person after a node's step, whoever's node it is."""
        connection = self._where(number).connection
        heard = number
        telling = step.told.get(connection)
        if telling is not None:
            heard = self._heard(number, telling, None)
            self._checks.told(telling, room)
        for request, telling in step.outcomes:
            heard = self._heard(heard, telling, request)
        code = step.closed.get(connection) if connection is not None else None
        if code is not None:
            heard = self._cut_off(heard, code)
        if heard != number:
            self._checks.person(heard, room)
        return heard

    def _heard(self, number: int, telling: int, request: RequestId | None) -> int:
        key = (number, telling, request)
        heard = self._hearings.get(key)
        if heard is None:
            person, events = self.people.copy(number), self.stage.tellings.get(telling)
            if request is None:
                person.hear(events)
            else:
                person.host_heard(request, events[0])
            heard = self._hearings[key] = self.people.put(person)
        return heard

    def _cut_off(self, number: int, code: int | None = None) -> int:
        cut = self._cuts.get((number, code))
        if cut is None:
            person = self.people.copy(number)
            person.cut_off(self.plot, code)
            cut = self._cuts[number, code] = self.people.put(person)
        return cut

    def _where(self, number: int) -> _Where:
        where = self._known.get(number)
        if where is None:
            person = self.people.copy(number)
            patient = len(person.sent) < self.bounds.ahead
            speaks = patient and person.next_command(self.plot) is not None
            connection = person.connection if person.node != AWAY else None
            where = self._known[number] = _Where(
                person.node, connection, speaks, person.connections > 0
            )
        return where


class _Where(NamedTuple):
    """A person's node and connection.

    Attributes:
        speaks: the next command could come now.
        left: there was a connection before, so there will be one again.
    """

    node: int
    connection: ConnectionId | None
    speaks: bool
    left: bool


def _each(numbers: tuple[int, ...]) -> Iterable[int]:
    """Return each number once: of things that are the same it does not matter which comes."""
    return numbers if len(numbers) < 2 else dict.fromkeys(numbers)


def _with(numbers: tuple[int, ...], one: int) -> tuple[int, ...]:
    return tuple(sorted((*numbers, one)))


def _without(numbers: tuple[int, ...], one: int) -> tuple[int, ...]:
    at = numbers.index(one)
    return numbers[:at] + numbers[at + 1 :]
