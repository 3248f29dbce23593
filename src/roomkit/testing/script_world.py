"""The nodes of a script: every effect is put on record, and performed at once or when told to."""

from __future__ import annotations

from roomkit.core.effects import Broadcast, Effect
from roomkit.core.policy import Policy
from roomkit.limits import Limits
from roomkit.stores.base import Store
from roomkit.testing.script_lines import HOUSEKEEPING, Lines
from roomkit.testing.world import Node, World

__all__ = ["ScriptNode", "ScriptWorld"]


class ScriptNode(Node):
    """A node whose effects are put on record as they come."""

    def __init__(
        self,
        world: ScriptWorld,
        name: str,
        store: Store,
        policy: Policy,
    ) -> None:
        super().__init__(world, name, store, policy)
        self._stage = world

    def _note(self, effect: Effect) -> None:
        self._stage.record(self, effect, self._audience(effect))
        super()._note(effect)

    def _audience(self, effect: Effect) -> list[str]:
        if not isinstance(effect, Broadcast):
            return []
        reached: list[str] = [
            member
            for member in self.members.get(effect.room, ())
            if member not in effect.without and effect.protocol in (None, self.protocols[member])
        ]
        served = self.engine.state.rooms.get(effect.room)
        if served is not None and served.watchers and effect.protocol is None:
            reached.append("watchers")
        return reached


class ScriptWorld(World):
    """A world that puts effects on record, and performs them at once or leaves them waiting."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.started: dict[str, ScriptNode] = {}
        self.at_once = True
        self.housekeeping = False
        self.recorded: list[tuple[int, str, str]] = []
        self.lines = Lines(limits, self.clock.now().wall)

    def node(self, name: str = "n") -> Node:
        """Start a node."""
        store = self.handle()
        node = ScriptNode(self, f"{name}{len(self.started) + 1}", store, self._policy)
        self.started[node.name] = node
        self.nodes.append(node)
        return node

    def settle(self) -> None:
        """Perform what waits, if that is done at once, and in any case the Ticks that are due."""
        if self.at_once:
            super().settle()
            return
        while due := [node for node in self.nodes if self._is_due(node)]:
            for node in due:
                node.tick()

    def settle_everything(self) -> None:
        """Perform all that waits."""
        super().settle()

    def record(self, node: ScriptNode, effect: Effect, audience: list[str]) -> None:
        """Note an effect as it came."""
        if self.housekeeping or not isinstance(effect, HOUSEKEEPING):
            line = self.lines.effect(effect, audience)
            self.recorded.append((self.clock.mono, node.name, line))
