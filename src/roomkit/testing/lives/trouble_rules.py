"""What time, the store, the network and the nodes themselves may do at any moment."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from roomkit.core.inputs import Drain
from roomkit.testing.lives.life import PICKS, Life
from roomkit.testing.lives.trouble import Ending, Feed

__all__ = ["TroubleRules"]


def _several(life: Life) -> bool:
    return len(life.world.nodes) > 1


class TroubleRules(Life):
    """Time passes; store calls are performed, late, in another order, or not; nodes come and go."""

    # Time and the store

    @rule(ms=st.sampled_from([0, 1, 60, 450, 1_000, 2_100, 6_500]))
    def pass_time(self, ms: int) -> None:
        self.crowd.pass_time(ms)

    @rule()
    def settle(self) -> None:
        self.world.settle()

    @rule(at=PICKS, pick=PICKS, now=st.booleans())
    def perform(self, at: int, pick: int, now: bool) -> None:
        self.trouble.perform(self.awake(at), pick, now)

    @rule(at=PICKS, times=st.integers(1, 6))
    def perform_some(self, at: int, times: int) -> None:
        for _ in range(times):
            self.trouble.perform(self.awake(at), 0)

    @rule(at=PICKS, pick=PICKS)
    def answer(self, at: int, pick: int) -> None:
        self.trouble.answer(self.awake(at), pick)

    @rule(
        at=PICKS,
        ending=st.sampled_from(["stored", "behind", "failed", "lost", "unknown", "late"]),
    )
    def end_append(self, at: int, ending: Ending) -> None:
        self.trouble.end_append(self.awake(at), ending)

    @rule(at=PICKS)
    def store_late(self, at: int) -> None:
        self.trouble.store_late(self.all_nodes[at % len(self.all_nodes)])

    @rule(at=PICKS, pick=PICKS)
    def fail(self, at: int, pick: int) -> None:
        self.trouble.fail(self.awake(at), pick)

    @rule()
    def copy_store(self) -> None:
        self.replica.catch_up()

    @precondition(lambda self: self.replica.ready)
    @rule(told=st.booleans())
    def fail_over(self, told: bool) -> None:
        self.replica.take_over(self.laws.fail_over)
        for node in self.world.nodes if told else ():
            self.trouble.interrupt(node)

    # The feed

    @rule(at=PICKS, feed=st.sampled_from(["brings", "drops", "holds", "repeats"]))
    def change_feed(self, at: int, feed: Feed) -> None:
        self.trouble.set_feed(self.awake(at), feed)

    @rule(at=PICKS, pick=PICKS)
    def bring(self, at: int, pick: int) -> None:
        self.trouble.bring(self.awake(at), pick)

    @rule(at=PICKS)
    def interrupt(self, at: int) -> None:
        self.trouble.interrupt(self.awake(at))

    # Nodes

    @precondition(lambda self: len(self.all_nodes) < self.most_nodes)
    @rule()
    def start_node(self) -> None:
        self.all_nodes.append(self.start())

    @precondition(_several)
    @rule(at=PICKS)
    def kill(self, at: int) -> None:
        self.crowd.lose(self.awake(at))

    @precondition(_several)
    @rule(at=PICKS)
    def drain(self, at: int) -> None:
        node = self.awake(at)
        node.step(Drain("going"))
        self.crowd.hang_up()
        node.settle()
        self.crowd.lose(node)

    @precondition(_several)
    @rule(at=PICKS)
    def fall_asleep(self, at: int) -> None:
        self.crowd.put_to_sleep(self.awake(at))

    @precondition(lambda self: bool(self.crowd.asleep))
    @rule(interrupted=st.booleans())
    def wake_up(self, interrupted: bool) -> None:
        node = self.crowd.wake()
        if interrupted:
            self.trouble.interrupt(node)
