"""How the hub calls the store: appends one call at a time per lane, everything else beside them.

Appends to rooms in this process's own memory need no lane: they are made where they are asked for.

A call that raises or takes too long is answered all the same: an append as unknown, which the
engine settles by sending it again, any other as failed. No call is repeated here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ParamSpec, TypeVar

import anyio
from anyio.abc import TaskGroup

from roomkit.core.effects import (
    Append,
    FindLapsed,
    Follow,
    LoadRoom,
    PageMessages,
    ReadLog,
    ReadTips,
    Renew,
    SaveRoom,
    SendToNodes,
    StoreEffect,
    Unfollow,
)
from roomkit.core.inputs import (
    Appended,
    Input,
    LapsedFound,
    LeaseRenewed,
    LogRead,
    MessagesPaged,
    RoomLoaded,
    RoomSaved,
    TipsRead,
)
from roomkit.core.storage import Failed, Outcome, Stored, Unknown
from roomkit.ids import RoomId
from roomkit.limits import Limits
from roomkit.runtime.clock import read_wall
from roomkit.runtime.complaints import Complaints
from roomkit.stores.base import Store
from roomkit.stores.memory import MemoryStore

__all__ = ["CALLS_AT_ONCE", "StoreCalls"]

CALLS_AT_ONCE = 16
"""Calls beside appends and leases that may be on their way together."""

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Step = Callable[[Input], None]
_AppendAtOnce = Callable[[Sequence[Append], int], Sequence[Outcome]]
_Call = (
    ReadLog
    | LoadRoom
    | SaveRoom
    | PageMessages
    | ReadTips
    | Follow
    | Unfollow
    | SendToNodes
    | Renew
    | FindLapsed
)
_InTurn = Follow | Unfollow | LoadRoom


class _Lane:
    """Appends that wait, and whether a call is on its way."""

    def __init__(self) -> None:
        self.pending: list[Append] = []
        self.wake = anyio.Event()


class StoreCalls:
    """Performs store effects, and steps the input that answers each.

    Following, unfollowing and loading one room happen in the order asked for, so that a loaded room
    is followed already and nothing falls between the two.
    """

    def __init__(
        self, store: Store, limits: Limits, step: _Step, tasks: TaskGroup, complaints: Complaints
    ) -> None:
        self._store = store
        # Not one derived from it: that may do something else, or wait.
        self._at_once = store.append_at_once if type(store) is MemoryStore else None
        self._seconds = limits.unanswered_ms / 1000
        self._step = step
        self._tasks = tasks
        self._complaints = complaints
        self._lanes: dict[int, _Lane] = {}
        self._limiter = anyio.CapacityLimiter(CALLS_AT_ONCE)
        self._in_turn: dict[RoomId, list[_InTurn]] = {}
        self._unanswered = 0
        self._idle = anyio.Event()

    def perform(self, effect: StoreEffect) -> None:
        """Begin a store effect; its answer is handed to `step`, perhaps from in here."""
        if isinstance(effect, Append) and self._at_once is not None:
            self._append(self._at_once, effect)
            return
        self._unanswered += 1
        if isinstance(effect, Append):
            lane = self._lane_of(effect.room)
            lane.pending.append(effect)
            lane.wake.set()
        elif isinstance(effect, Follow | Unfollow | LoadRoom):
            queue = self._in_turn.get(effect.room)
            if queue is None:
                self._in_turn[effect.room] = [effect]
                self._tasks.start_soon(self._call_in_turn, effect.room, name="roomkit store call")
            else:
                queue.append(effect)
        elif isinstance(effect, Renew | FindLapsed):
            self._tasks.start_soon(self._call, effect, name="roomkit lease")
        else:
            self._tasks.start_soon(self._call_beside, effect, name="roomkit store call")

    async def settled(self) -> None:
        """Wait until every effect begun has been answered."""
        while self._unanswered:
            self._idle = anyio.Event()
            await self._idle.wait()

    def _append(self, at_once: _AppendAtOnce, append: Append) -> None:
        try:
            (outcome,) = at_once([append], read_wall())
        except Exception as error:  # noqa: BLE001 - the same as in `_bounded`
            self._complaints.warn("store append", "the store's append() failed", error)
            outcome = Unknown("the call failed")
        self._step(Appended(append.room, append.nonce, outcome))

    def _lane_of(self, room: RoomId) -> _Lane:
        number = self._store.lane(room)
        lane = self._lanes.get(number)
        if lane is None:
            lane = self._lanes[number] = _Lane()
            self._tasks.start_soon(self._run_lane, lane, name=f"roomkit lane {number}")
        return lane

    async def _run_lane(self, lane: _Lane) -> None:
        while True:
            await lane.wake.wait()  # lets others run first even if something is waiting already
            appends, lane.pending = lane.pending, []
            outcomes = await self._bounded(self._store.append, appends, read_wall())
            if outcomes is None or len(outcomes) != len(appends):
                outcomes = [Unknown("the call failed, or took too long")] * len(appends)
            for append, outcome in zip(appends, outcomes, strict=True):
                if type(outcome) is not Stored:
                    self._note(outcome)
                self._step(Appended(append.room, append.nonce, outcome))
            self._answered(len(appends))
            if not lane.pending:
                lane.wake = anyio.Event()

    def _note(self, outcome: Outcome) -> None:
        if isinstance(outcome, Failed | Unknown):
            self._complaints.warn("store outcome", f"not stored: {outcome.reason}")

    async def _call_in_turn(self, room: RoomId) -> None:
        queue = self._in_turn[room]
        while queue:
            await self._call_beside(queue.pop(0))
        del self._in_turn[room]

    async def _call_beside(self, effect: _Call) -> None:
        async with self._limiter:
            await self._call(effect)

    async def _call(self, effect: _Call) -> None:
        answer = await self._ask(effect)
        if answer is not None:
            self._step(answer)
        self._answered(1)

    def _answered(self, effects: int) -> None:
        self._unanswered -= effects
        if not self._unanswered:
            self._idle.set()

    async def _ask(self, effect: _Call) -> Input | None:
        """Make the call an effect stands for, and return the input that answers it."""
        store, wait = self._store, self._bounded
        match effect:
            case ReadLog(room, after, limit):
                return LogRead(room, after, await wait(store.read, room, after, limit))
            case LoadRoom(room):
                return RoomLoaded(room, await wait(store.load, room))
            case SaveRoom(room, snapshot, messages):
                now = read_wall()
                kept = await wait(store.save, room, snapshot, messages, now)
                return RoomSaved(room, snapshot.position, bool(kept))
            case PageMessages(room, page, query, limit):
                return MessagesPaged(room, page, await wait(store.page, room, query, limit))
            case ReadTips(rooms):
                return TipsRead(rooms, await wait(store.tips, rooms))
            case Renew(node, ttl_ms):
                return LeaseRenewed(node, bool(await wait(store.renew, node, ttl_ms)))
            case FindLapsed(nodes):
                return LapsedFound(tuple(await wait(store.lapsed, nodes) or ()))
            case Follow(room):
                await wait(store.follow, room)
            case Unfollow(room):
                await wait(store.unfollow, room)
            case SendToNodes(room, payload):
                await wait(store.signal, room, payload)
        return None

    async def _bounded(
        self, call: Callable[_P, Awaitable[_T]], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T | None:
        """Make a store call; None, and a line in the log, if it raised or took too long."""
        error: BaseException | None = None
        try:
            with anyio.move_on_after(self._seconds):
                return await call(*args, **kwargs)
            problem = f"took longer than {self._seconds:g} s and was given up"
        except Exception as raised:  # noqa: BLE001 - a store is the host's, and may raise anything
            problem, error = "failed", raised
        except anyio.get_cancelled_exc_class():
            if anyio.get_current_task().has_pending_cancellation():
                raise
            problem = "failed: something it waited for was cancelled"
        name = getattr(call, "__name__", "call")
        self._complaints.warn(f"store {name}", f"the store's {name}() {problem}", error)
        return None
