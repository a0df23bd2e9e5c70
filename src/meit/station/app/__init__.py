"""The web application of the reading station: `create_app`."""

from meit.station.app.application import create_app
from meit.station.app.settings import Settings

__all__ = ["Settings", "create_app"]
