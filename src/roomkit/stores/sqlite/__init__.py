"""The store that keeps rooms in one SQLite file.

`store.py` is what a hub calls; `database.py` carries the calls to the threads that hold
connections: one that writes (`writer.py`), two that read (`reader.py`). What they do there is in
`appending.py`, `saving.py`, `sweeping.py` and `reading.py`.
"""

from roomkit.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
