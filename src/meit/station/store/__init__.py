"""The station's database: recordings, drafts, reports, and the audit trail of what was done with them."""

from meit.station.store.audit import Anchor, anchor
from meit.station.store.database import Store
from meit.station.store.opening import open_store
from meit.station.store.schema import Role, Status

__all__ = ["Anchor", "Role", "Status", "Store", "anchor", "open_store"]
