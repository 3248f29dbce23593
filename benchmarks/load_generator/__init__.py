"""The one load generator: raw sockets, one epoll, one tight loop that counts copies in each read.

A frame is looked into only where it must be. Every message carries a mark and a number, at the same
place of a frame built beforehand; a copy is a mark that was read.
"""
