"""Whom to tell of what: most steps are of no interest to most checkers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from roomkit.core.effects import Append, Effect
from roomkit.core.events import Event
from roomkit.core.inputs import Input
from roomkit.core.storage import Outcome
from roomkit.ids import ConnectionId
from roomkit.testing.observer import Kinds, Observer
from roomkit.testing.world import Node

__all__ = ["Telling"]


class Telling(Observer):
    """Tells each checker, in their order, of the kinds of things it names, and of no others."""

    def __init__(self, checkers: Sequence[Observer]) -> None:
        stepping = [one for one in checkers if _cares(one, "stepping")]
        sent = [one for one in checkers if _cares(one, "sent")]
        stepped = [one for one in checkers if _cares(one, "stepped")]
        self._stepping = _ByKind([(one.stepping_kinds, one.stepping) for one in stepping])
        self._sent = _ByKind([(one.sent_kinds, one.sent) for one in sent])
        self._stepped_kinds = _Bits([one.stepped_kinds for one in stepped])
        self._stepped = _ByBits([one.stepped for one in stepped])
        self._appended = [one.appended for one in checkers if _cares(one, "appended")]

    def stepping(self, node: Node, input: Input) -> None:
        for tell in self._stepping[type(input)]:
            tell(node, input)

    def sent(self, node: Node, connection: ConnectionId, event: Event) -> None:
        for tell in self._sent[type(event)]:
            tell(node, connection, event)

    def stepped(self, node: Node, input: Input, effects: Sequence[Effect]) -> None:
        kinds = self._stepped_kinds
        bits = kinds[type(input)]
        for effect in effects:
            bits |= kinds[type(effect)]
        for tell in self._stepped[bits]:
            tell(node, input, effects)

    def appended(self, node: Node, append: Append, outcome: Outcome) -> None:
        for tell in self._appended:
            tell(node, append, outcome)


class _ByKind(dict[type, tuple[Callable[..., None], ...]]):
    """Who is to be told of a kind; found when first asked for."""

    def __init__(self, those: Sequence[tuple[Kinds, Callable[..., None]]]) -> None:
        super().__init__()
        self._those = those

    def __missing__(self, kind: type) -> tuple[Callable[..., None], ...]:
        self[kind] = found = tuple(
            tell for kinds, tell in self._those if kinds is None or kind in kinds
        )
        return found


class _Bits(dict[type, int]):
    """Who is to be told of a kind, as a bit for each."""

    def __init__(self, those: Sequence[Kinds]) -> None:
        super().__init__()
        self._those = those

    def __missing__(self, kind: type) -> int:
        self[kind] = found = sum(
            1 << at for at, kinds in enumerate(self._those) if kinds is None or kind in kinds
        )
        return found


class _ByBits(dict[int, tuple[Callable[..., None], ...]]):
    """Whom these bits stand for."""

    def __init__(self, those: Sequence[Callable[..., None]]) -> None:
        super().__init__()
        self._those = those

    def __missing__(self, bits: int) -> tuple[Callable[..., None], ...]:
        self[bits] = found = tuple(tell for at, tell in enumerate(self._those) if bits >> at & 1)
        return found


def _cares(checker: Observer, name: str) -> bool:
    """Tell whether a checker does anything when told of this."""
    told: Callable[..., None] = getattr(type(checker), name)
    return told is not getattr(Observer, name)
