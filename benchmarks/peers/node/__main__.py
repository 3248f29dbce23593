"""`python -m benchmarks.peers.node SCRIPT`."""

import sys

from benchmarks.peers.node import run

run(sys.argv[1])
