"""Writes the vectors into a folder."""

import sys
from pathlib import Path

from roomkit.testing.vectors.recording import write

if len(sys.argv) != 2:
    sys.exit("usage: python -m roomkit.testing.vectors FOLDER")
write(Path(sys.argv[1]))
