"""The vectors every client is held to: recorded against the real engine, played by any client.

`python -m roomkit.testing.vectors FOLDER` writes them there. The page "Writing a client" tells what
is in them and how to play them in another language; `play` does it for ours.
"""

from roomkit.testing.vectors.play import Mismatch, play
from roomkit.testing.vectors.recording import documents, write

__all__ = ["Mismatch", "documents", "play", "write"]
