"""Shipped with roomkit, to prove and test what is built on it: `roomkit-chat[testing]`."""

from roomkit.testing.store_suite import StoreFactory, StoreSuite
from roomkit.testing.transport_suite import TransportSuite

__all__ = ["StoreFactory", "StoreSuite", "TransportSuite"]
