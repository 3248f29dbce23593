"""The proof that a store keeps the contract: subclass `StoreSuite` in a test module of your own.

The tests are in `roomkit.testing.store_laws`, a file for each part of the contract.
"""

from __future__ import annotations

from roomkit.testing.store_laws.appends import AppendLaws
from roomkit.testing.store_laws.archive import ArchiveLaws
from roomkit.testing.store_laws.base import StoreFactory
from roomkit.testing.store_laws.feed import FeedLaws
from roomkit.testing.store_laws.keys import KeyLaws
from roomkit.testing.store_laws.leases import LeaseLaws
from roomkit.testing.store_laws.model_runs import ModelLaws
from roomkit.testing.store_laws.pages import PageLaws
from roomkit.testing.store_laws.reading import ReadingLaws
from roomkit.testing.store_laws.refusals import RefusalLaws

__all__ = ["StoreFactory", "StoreSuite"]


class StoreSuite(
    AppendLaws,
    RefusalLaws,
    KeyLaws,
    ReadingLaws,
    ArchiveLaws,
    PageLaws,
    FeedLaws,
    LeaseLaws,
    ModelLaws,
):
    """Every law of the store contract as a test (see the page on stores for how to use it).

    Needs pytest, Hypothesis and anyio's pytest plugin, which comes with anyio. The tests run on the
    backends of your `anyio_backend` fixture; without one of your own, on asyncio and trio.

    Define `stores`. Define `advance` if you can let time pass for your store. Set `limits` if it
    cannot be made with the suite's own, `patience_s` if its feed is slower than that, and
    `histories` if it is too slow for as many as Hypothesis asks for.
    """
