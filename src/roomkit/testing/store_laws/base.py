"""What every part of the suite stands on: where its stores come from, how time passes for them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import ClassVar, Protocol

import pytest

from roomkit.limits import Limits
from roomkit.stores.base import Store

__all__ = ["StoreFactory", "StoreLaws"]


class StoreFactory(Protocol):
    """Makes one more handle on the same data, as another node would have it; not opened yet."""

    def __call__(self) -> Store: ...


class StoreLaws:
    """The hooks of the suite: `stores` must be defined, the others may be.

    Attributes:
        limits: the stores must be made with these. The log is short: trimming is cheap to see.
        patience_s: how long a hint or a signal may be on its way.
        histories: how many random histories are compared with the model's; `None`: as many as
            Hypothesis's settings say (`max_examples`).
    """

    pytestmark = pytest.mark.anyio

    limits: ClassVar[Limits] = Limits(log_entries=16, snapshot_every=8)
    patience_s: ClassVar[float] = 5.0
    histories: ClassVar[int | None] = None

    def stores(self) -> AbstractAsyncContextManager[StoreFactory]:
        """Give a function that makes handles on one set of data, empty at first."""
        raise NotImplementedError(
            f"{type(self).__name__} must define stores(): an async context manager that gives a "
            "function without arguments, each call of which makes a handle on the same data"
        )

    async def advance(self, ms: int) -> None:
        """Let `ms` milliseconds pass on the stores' own clock, by sleeping if need be.

        Leases end by that clock; everything else goes by the `now` of a call. A few seconds at
        most are asked for. Without this hook the tests that need it are skipped, and say so.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no advance(ms)")

    def need_time(self) -> None:
        """Skip the test if this suite cannot let time pass."""
        if type(self).advance is StoreLaws.advance:
            pytest.skip(f"{type(self).__name__} defines no advance(ms): nothing makes leases end")

    @asynccontextmanager
    async def handles(self, count: int) -> AsyncGenerator[Sequence[Store]]:
        """Open this many handles on the same data, closed in the end in reverse order."""
        async with self.stores() as make, AsyncExitStack() as stack:
            opened = [make() for _ in range(count)]
            for store in opened:
                await stack.enter_async_context(store.open())
            yield opened

    @asynccontextmanager
    async def handle(self) -> AsyncGenerator[Store]:
        async with self.handles(1) as (store,):
            yield store
