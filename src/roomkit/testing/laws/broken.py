"""What a checker raises."""

from __future__ import annotations

__all__ = ["LawBroken"]


class LawBroken(AssertionError):
    """A law of the protocol page does not hold.

    Attributes:
        law: its number there; 0 for what the engine promises itself (`laws.invariants`).
    """

    def __init__(self, law: int, what: str) -> None:
        super().__init__(f"law {law}: {what}")
        self.law = law
