"""What every random life has: its nodes and limits, its beginning and its end."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
)

from roomkit.core.events import User
from roomkit.core.policy import Action
from roomkit.ids import RoomId
from roomkit.limits import Limits
from roomkit.testing.laws import Laws
from roomkit.testing.lives.crowd import PEOPLE, ROOMS, Crowd, Tab
from roomkit.testing.lives.replica import Replica
from roomkit.testing.lives.rest import come_to_rest, leave_nothing
from roomkit.testing.lives.trouble import Trouble
from roomkit.testing.world import Node, World

__all__ = ["BRIEF", "PICKS", "SMALL", "Life", "odd_policy"]

BRIEF: dict[str, int] = {
    "presence_grace_ms": 2_000,
    "lease_ms": 6_000,
    "lease_renew_ms": 2_000,
    "typing_resend_ms": 500,
    "typing_expiry_ms": 1_000,
    "silent_ms": 3_000,
    "heartbeat_ms": 5_000,
    "pong_ms": 2_000,
    "tips_ms": 1_000,
    "tips_idle_ms": 3_000,
    "forget_ms": 4_000,
    "unanswered_ms": 3_000,
    "retry_cap_ms": 400,
    "roster_return_ms": 1_000,
    "occupancy_ms": 400,
    "idempotency_ms": 20_000,
}
"""Periods so short that all of them pass within one life."""

SMALL: dict[str, int] = {
    "roster_limit": 3,
    "roster_return": 2,
    "replay_entries": 5,
    "snapshot_every": 4,
    "log_entries": 8,
    "history_window": 3,
    "history_on_join": 2,
    "history_page": 2,
    "history_page_max": 5,
    "frames_burst": 30,
    "frames_refused": 5,
    "joins_burst": 4,
    "messages_burst": 4,
    "waiting_per_room": 4,
    "waiting_per_node": 6,
    "behind_limit": 2,
    "rooms_per_connection": 2,
    "connections_per_user": 4,
}
"""Numbers so small that all of them are reached within one life."""

PICKS = st.integers(0, 7)
"""Which of several: taken modulo how many there are."""


def odd_policy(user: User, room: RoomId, action: Action) -> bool:
    """The policy of every life: each of its answers and ways to fail, for somebody somewhere."""
    if room == "lobby" and user.user_id == "u-bob":
        return action is not Action.SEND
    if room == "lobby" and user.user_id == "u-carol" and action is Action.TYPE:
        raise LookupError("the policy of this life cannot decide on carol")
    if action is Action.MODERATE:
        return user.user_id == "u-alice"
    return not (room == "yard" and action is Action.CREATE and user.guest)


class Life(RuleBasedStateMachine):
    """Nodes on one store, and tabs; the rules are in subclasses.

    Attributes:
        variants: limits to choose from.
        most_nodes: how many nodes may live, the dead included.
        all_nodes: every node there ever was.
    """

    variants: tuple[dict[str, int], ...] = (
        BRIEF,
        BRIEF | SMALL,
        BRIEF | SMALL | {"roster_limit": 2, "roster_return": 1},
        BRIEF | SMALL | {"roster_limit": 200, "roster_return": 150},
        BRIEF | SMALL | {"replay_bytes": 900, "page_bytes": 900},
    )
    most_nodes: int = 3

    tabs: Bundle[Tab] = Bundle("tabs")

    @initialize(
        target=tabs,
        variant=st.integers(0, 100),
        nodes=st.integers(1, 2),
        people=st.integers(0, len(PEOPLE)),
        messages=st.integers(0, 9),
    )
    def begin(self, variant: int, nodes: int, people: int, messages: int) -> MultipleResults[Tab]:
        """Start nodes, with some people talking in the first room."""
        limits = Limits(**self.variants[variant % len(self.variants)])
        self.world = World(limits, odd_policy)
        self.laws = Laws(self.world, odd_policy)
        self.crowd = Crowd(self.world, self.laws)
        self.trouble = Trouble(self.world)
        self.replica = Replica(self.world)
        self.all_nodes = [self.start() for _ in range(nodes)]
        for at, person in enumerate(PEOPLE[:people]):
            tab = self.crowd.open(person, 1 if at == 2 else 2, self.awake(at))
            self.crowd.join(tab, ROOMS[0], "own", None, f"guest{at}")
        self.world.settle()
        for number in range(messages if people else 0):
            self.crowd.pass_time(300)
            tab = self.crowd.tabs[number % people]
            self.crowd.say(tab, self.spoken(tab, ROOMS[0]), None)
            self.world.settle()
        return multiple(*self.crowd.tabs)

    def teardown(self) -> None:
        """Let everything come to rest, then have everybody leave."""
        if hasattr(self, "all_nodes") and self.laws.sound:
            come_to_rest(self.crowd, self.trouble)
            leave_nothing(self.crowd)

    def start(self) -> Node:
        """Start a node."""
        node = self.world.node()
        node.tick()
        return node

    def awake(self, at: int) -> Node:
        """Return one of the nodes that run."""
        return self.world.nodes[at % len(self.world.nodes)]

    def ready(self, tab: Tab) -> None:
        """Have a tab connected that is about to do something."""
        if tab.told_to_go:
            self.crowd.drop(tab)
        if not tab.connected:
            self.crowd.connect(tab, self.awake(0))

    def settle_if(self, quick: bool) -> None:
        """Perform every store call, if the store is quick."""
        if quick:
            self.world.settle()

    def speaker(self, tab: Tab, protocol: int = 0) -> Tab:
        """Return this tab, or the next one that is in a room, if there is any.

        Args:
            protocol: that it must speak; 0 for either.
        """
        start = self.crowd.tabs.index(tab)
        for other in [*self.crowd.tabs[start:], *self.crowd.tabs[:start]]:
            in_room = other.protocol == 1 or any(view.live for view in other.view.rooms.values())
            if other.connected and in_room and protocol in (0, other.protocol):
                return other
        return tab

    def spoken(self, tab: Tab, room: RoomId) -> RoomId | None:
        """Return the room to name: none in protocol 1, one the tab is in if there is any."""
        if tab.protocol == 1:
            return None
        live = [name for name, view in tab.view.rooms.items() if view.live]
        return room if room in live or not live else live[0]
