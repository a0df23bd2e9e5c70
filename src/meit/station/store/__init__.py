"""The station's database: recordings, drafts, reports, and the audit trail of what was done with them."""

from meit.station.store.audit import Anchor, anchor
from meit.station.store.database import Store
from meit.station.store.models import Role, Status
from meit.station.store.opening import open_store

__all__ = ["Anchor", "Role", "Status", "Store", "anchor", "open_store"]
