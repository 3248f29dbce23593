"""The clients: they write all the time, change and delete some of it, and note what they see."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Sequence

import anyio
from anyio.abc import TaskGroup

from roomkit.client import Chat, Disconnected, MessageNotSent, Room, connect
from roomkit.errors import Refused
from tests.crash.record import Draft, Person, Record, Revision

__all__ = ["Crowd"]

PAUSE_S = 0.02


class Crowd:
    """Everybody who writes.

    Args:
        seed: decides what each does.
        rooms: everybody is in all of them.

    Attributes:
        record: what they note.
        quiet: set to have them stop writing.
        acks, returns: how many messages were acknowledged, and how often somebody came online.
        writing: how many people write or wait for an answer.
        away_s: how long each was away each time the server was killed.
    """

    def __init__(self, seed: int, rooms: Sequence[str], record: Record) -> None:
        self.record = record
        self.quiet = anyio.Event()
        self.acks = self.returns = self.writing = 0
        self.away_s: list[float] = []
        self.chats: dict[str, Chat] = {}
        self._seed = seed
        self.rooms = rooms
        self._killed_at: dict[str, float] = {}
        self._progress = anyio.Event()

    async def visit(self, name: str, url: str) -> None:
        """Be one of them until it is quiet and all that was written is answered; then stay."""
        person = Person(name)
        self.record.people.append(person)
        async with connect(url, username=name) as chat, anyio.create_task_group() as tasks:
            self.chats[name] = chat
            tasks.start_soon(self._note_who_we_are, chat, person)
            self.writing += 1
            async with anyio.create_task_group() as writers:
                for name_of_room in self.rooms:
                    self._enter(chat.room(name_of_room), person, tasks, writers)
            self.writing -= 1
            await anyio.sleep_forever()

    def killed(self) -> None:
        """The server was killed just now."""
        for name, chat in self.chats.items():
            if chat.state == "online":
                self._killed_at[name] = time.monotonic()

    def tell_network_is_back(self, but: Sequence[str] = ()) -> None:
        """Have them try at once, as a browser does when it is online again."""
        for name, chat in self.chats.items():
            if name not in but:
                chat.hint()

    async def until(self, come_true: Callable[[], bool], within_s: float) -> None:
        """Wait for something that acknowledgements or returns bring about, but not for long."""
        with anyio.move_on_after(within_s):
            while not come_true():
                await self._progress.wait()

    def _enter(self, room: Room, person: Person, tasks: TaskGroup, writers: TaskGroup) -> None:
        chance = random.Random(f"{self._seed}/{person.name}/{room.name}")
        person.shown[room.name], person.gaps[room.name] = [], []
        tasks.start_soon(self._watch, room, person)
        writers.start_soon(self._write, room, person, chance)

    async def _note_who_we_are(self, chat: Chat, person: Person) -> None:
        async for state in chat.states():
            if state == "online" and chat.user is not None:
                person.user_ids.add(chat.user["user_id"])
                began = self._killed_at.pop(person.name, None)
                if began is not None:
                    self.away_s.append(time.monotonic() - began)
                self.returns += 1
                self._progressed()

    async def _watch(self, room: Room, person: Person) -> None:
        async for event in room:
            match event.type, event.data:
                case "new_message", {"seq": int(seq), "link": str(link)}:
                    person.shown[room.name].append((seq, link))
                case "room_joined", {"recovered": recovered}:
                    person.recovered[recovered if isinstance(recovered, bool) else None] += 1
                    if recovered is False:
                        person.gaps[room.name].append(len(person.shown[room.name]))
                case "room_gap", _:
                    person.gaps[room.name].append(len(person.shown[room.name]))
                case "roster_changed", {"left": list(left)}:
                    names = {gone["username"] for gone in left}
                    person.seen_leaving += names & self.chats.keys()

    async def _write(self, room: Room, person: Person, chance: random.Random) -> None:
        for number in itertools.count():
            if self.quiet.is_set():
                return
            draft = Draft(room.name, f"{person.name}, {room.name}, {number}")
            person.drafts.append(draft)
            try:
                stored = await room.send(draft.text)
            except MessageNotSent:
                draft.outcome = "unknown"
                continue
            draft.id, draft.seq, draft.link = stored["id"], stored["seq"], stored["link"]
            draft.outcome = "acked"
            self.acks += 1
            self._progressed()
            for what in chance.choices(("leave", "edit", "delete"), (8, 2, 1)):
                await self._revise(room, draft, what)
            await anyio.sleep(chance.uniform(0, PAUSE_S))

    async def _revise(self, room: Room, draft: Draft, what: str) -> None:
        if what == "leave":
            return
        revision = Revision(f"{draft.text}, changed" if what == "edit" else None)
        draft.revisions.append(revision)
        try:
            if revision.text is not None:
                revision.version = await room.edit(draft.id, revision.text)
            else:
                await room.delete(draft.id)
        except Disconnected:
            revision.outcome = "unknown"
        except Refused as refusal:
            revision.outcome = "unknown" if refusal.code.retryable else "refused"
        else:
            revision.outcome = "acked"

    def _progressed(self) -> None:
        self._progress.set()
        self._progress = anyio.Event()
