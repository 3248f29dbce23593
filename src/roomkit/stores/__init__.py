"""Where rooms are remembered: the `Store` contract and the stores that ship with roomkit."""

from roomkit.stores.base import Store
from roomkit.stores.memory import MemoryStore
from roomkit.stores.sqlite import SqliteStore

__all__ = ["MemoryStore", "SqliteStore", "Store"]
