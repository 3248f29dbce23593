"""What a scenario is: a story told to a stage, and how its client and server are made."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from roomkit.core.policy import Policy, allow_own
from roomkit.limits import Limits
from roomkit.testing.vectors.stage import Stage

__all__ = ["Scenario", "scenario"]


class Scenario(msgspec.Struct, frozen=True):
    """One story. `options`, `limits`, `policy` and `guests` are those of `Stage`."""

    name: str
    about: str
    options: dict[str, str]
    limits: Limits
    policy: Policy
    guests: bool
    tell: Callable[[Stage], None]


def scenario(
    limits: Limits | None = None,
    policy: Policy = allow_own,
    guests: bool = True,
    **options: str,
) -> Callable[[Callable[[Stage], None]], Scenario]:
    """Make a function the scenario of its name; its docstring says what it is about."""

    def made(tell: Callable[[Stage], None]) -> Scenario:
        return Scenario(
            name=tell.__name__.replace("_", "-"),
            about=" ".join((tell.__doc__ or "").split()),
            options={**(options or {"username": "alice"}), "client": "vectors"},
            limits=limits or Limits(),
            policy=policy,
            guests=guests,
            tell=tell,
        )

    return made
