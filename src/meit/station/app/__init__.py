"""The web application of the reading station: `create_app`."""

from meit.station.app.application import create_app
from meit.station.app.station_settings import StationSettings

__all__ = ["StationSettings", "create_app"]
