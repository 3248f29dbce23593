"""The black box: all that went into an engine, kept so that its run can be had again.

A trace holds inputs, clocks, minted ids and the answers of the host's policy, and of what came out
only a digest: the rest follows (law 14). It holds what people wrote and who they are; it holds no
secret, since none reaches the engine.
"""

from roomkit.trace.folder import RECORD_MIB, TraceFolder
from roomkit.trace.reading import Segment, read_trace
from roomkit.trace.records import Header, Step
from roomkit.trace.replaying import Played, Watcher, replay

__all__ = [
    "RECORD_MIB",
    "Header",
    "Played",
    "Segment",
    "Step",
    "TraceFolder",
    "Watcher",
    "read_trace",
    "replay",
]
