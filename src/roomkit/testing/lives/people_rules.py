"""What people and the host may do at any moment."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from roomkit.core.events import User
from roomkit.core.inputs import HostHistory, HostKick, HostPost, HostUsers, Unwatched, Watched
from roomkit.ids import RoomId, UserId
from roomkit.testing.lives.crowd import PEOPLE, ROOMS, Since, Tab
from roomkit.testing.lives.life import PICKS, Life

__all__ = ["PeopleRules"]

_ROOMS = st.sampled_from([ROOMS[0], *ROOMS])
_KEYS = st.sampled_from([None, "k1", "k2"])
_WISHES = st.sampled_from(["dan", "Dan", "alice", "\u202eevil"])
_SINCE = st.sampled_from(["none", "own", "own", "saved", "other_link", "future", "origin"])
_WRONG = st.sampled_from(["", " ", "a\x00b", "x" * 4_001])
_LIMITS = st.sampled_from([None, 1, 2, 3, 4, 999])
_QUICK = st.sampled_from([True, True, False])
"""Whether the store is done with it at once."""

_WHERE = st.sampled_from(["before", "after", "around", "newest"])


class PeopleRules(Life):
    """People open tabs, come and go, join and leave, write, type and look around."""

    tabs = Life.tabs

    # Tabs

    @rule(
        target=tabs, person=st.sampled_from(PEOPLE), protocol=st.sampled_from([1, 2, 2]), at=PICKS
    )
    def open_tab(self, person: User, protocol: int, at: int) -> Tab:
        return self.crowd.open(person, protocol, self.awake(at))

    @rule(target=tabs, tab=tabs, at=PICKS)
    def duplicate_tab(self, tab: Tab, at: int) -> Tab:
        return self.crowd.open(tab.user, tab.protocol, self.awake(at), tab.session)

    @rule(tab=tabs, at=PICKS)
    def come_back(self, tab: Tab, at: int) -> None:
        if tab.told_to_go or (tab.connected and at % 2):
            self.crowd.drop(tab)
        if not tab.connected:
            self.crowd.connect(tab, self.awake(at))

    @rule(tab=tabs)
    def drop(self, tab: Tab) -> None:
        self.crowd.drop(tab)

    @rule(tab=tabs, frozen=st.booleans())
    def freeze(self, tab: Tab, frozen: bool) -> None:
        tab.frozen = frozen

    @rule(at=PICKS)
    def knock(self, at: int) -> None:
        self.crowd.knock(self.awake(at))

    # Rooms

    @rule(
        tab=tabs,
        room=_ROOMS,
        since=_SINCE,
        history=st.sampled_from([None, None, 0, 1, 99]),
        wish=_WISHES,
        quick=_QUICK,
    )
    def join(
        self, tab: Tab, room: RoomId, since: Since, history: int | None, wish: str, quick: bool
    ) -> None:
        self.ready(tab)
        self.crowd.join(tab, room, since, history, wish)
        self.settle_if(quick)

    @rule(tab=tabs, room=_ROOMS, wish=_WISHES, quick=_QUICK)
    def join_simply(self, tab: Tab, room: RoomId, wish: str, quick: bool) -> None:
        self.ready(tab)
        self.crowd.join(tab, room, "own", None, wish)
        self.settle_if(quick)

    @rule(tab=tabs, room=_ROOMS)
    def put_away(self, tab: Tab, room: RoomId) -> None:
        self.crowd.put_away(tab, room)

    @rule(tab=tabs, room=_ROOMS, quick=_QUICK)
    def leave(self, tab: Tab, room: RoomId, quick: bool) -> None:
        tab = self.speaker(tab)
        self.crowd.leave(tab, self.spoken(tab, room))
        self.settle_if(quick)

    @rule(tab=tabs, room=_ROOMS, key=_KEYS, times=st.sampled_from([1, 1, 1, 2, 4]), quick=_QUICK)
    def say(self, tab: Tab, room: RoomId, key: str | None, times: int, quick: bool) -> None:
        tab = self.speaker(tab)
        for _ in range(times):
            self.crowd.say(tab, self.spoken(tab, room), key)
        self.settle_if(quick)

    @rule(
        tab=tabs,
        room=_ROOMS,
        which=st.integers(-4, 3),
        if_version=st.sampled_from([None, None, 1, 2]),
        delete=st.sampled_from([False, False, True]),
        times=st.sampled_from([1, 1, 2]),
        quick=_QUICK,
    )
    def revise(
        self,
        tab: Tab,
        room: RoomId,
        which: int,
        if_version: int | None,
        delete: bool,
        times: int,
        quick: bool,
    ) -> None:
        tab = self.speaker(tab, 2)
        if tab.protocol == 2:
            for _ in range(times):
                text = None if delete else self.crowd.new_text()
                self.crowd.revise(tab, self.spoken(tab, room) or room, which, if_version, text)
            self.settle_if(quick)

    @rule(tab=tabs, room=_ROOMS, text=_WRONG)
    def say_wrongly(self, tab: Tab, room: RoomId, text: str) -> None:
        self.crowd.say_wrongly(tab, room, text)

    @rule(tab=tabs, room=_ROOMS, begin=st.booleans())
    def type(self, tab: Tab, room: RoomId, begin: bool) -> None:
        tab = self.speaker(tab)
        self.crowd.type(tab, self.spoken(tab, room), begin)

    @rule(tab=tabs, room=_ROOMS)
    def signal(self, tab: Tab, room: RoomId) -> None:
        tab = self.speaker(tab, 2)
        if tab.protocol == 2:
            self.crowd.signal(tab, self.spoken(tab, room) or room)

    @rule(tab=tabs, room=_ROOMS, where=_WHERE, seq=st.integers(0, 30), limit=_LIMITS)
    def page(self, tab: Tab, room: RoomId, where: str, seq: int, limit: int | None) -> None:
        tab = self.speaker(tab, 2)
        if tab.protocol == 2:
            self.crowd.page(tab, self.spoken(tab, room) or room, where, seq, limit)

    @rule(tab=tabs, room=_ROOMS, limit=st.sampled_from([None, 1, 0]))
    def list_users(self, tab: Tab, room: RoomId, limit: int | None) -> None:
        tab = self.speaker(tab, 2)
        if tab.protocol == 2:
            self.crowd.list_users(tab, self.spoken(tab, room) or room, limit)

    @rule(tab=tabs, how=st.sampled_from(["ping", "pong", "garble"]))
    def chatter(self, tab: Tab, how: str) -> None:
        if how == "garble":
            self.crowd.garble(tab)
        elif tab.protocol == 2:
            self.crowd.ping(tab, how == "pong")

    # The host

    @rule(at=PICKS, room=_ROOMS, named=st.booleans(), key=_KEYS)
    def host_posts(self, at: int, room: RoomId, named: bool, key: str | None) -> None:
        author = User(UserId("bot"), "bot") if named else None
        self.crowd.ask(self.awake(at), HostPost(room, self.crowd.new_text(), author, key))

    @rule(at=PICKS, room=_ROOMS, person=st.sampled_from(PEOPLE))
    def host_kicks(self, at: int, room: RoomId, person: User) -> None:
        self.crowd.ask(self.awake(at), HostKick(room, person.user_id, "host", "because"))

    @rule(at=PICKS, room=_ROOMS, seq=st.integers(0, 30), users=st.booleans())
    def host_looks(self, at: int, room: RoomId, seq: int, users: bool) -> None:
        command = HostUsers(room) if users else HostHistory(room, before=seq)
        self.crowd.ask(self.awake(at), command)

    @rule(at=PICKS, room=_ROOMS, begin=st.booleans())
    def host_watches(self, at: int, room: RoomId, begin: bool) -> None:
        self.awake(at).step(Watched(room) if begin else Unwatched(room))
