"""What the station is started with."""

from dataclasses import dataclass
from pathlib import Path

from meit.model.operating_points import BALANCED

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class StationSettings:
    """host: the address that it listens at. hosts: other names by which browsers reach it, behind a proxy. https: whether
    they reach it by TLS, which the proxy ends. model: None where another process drafts. device, dtype: on and in
    which the workers draft (meit.model.devices). operating_point: theirs (meit.model.operating_points)."""

    host: str = "127.0.0.1"
    port: int = 8000
    hosts: tuple[str, ...] = ()
    https: bool = False
    model: Path | None = None
    workers: int = 1
    device: str = "auto"
    dtype: str = "auto"
    operating_point: str = BALANCED
    watch: Path | None = None
    upload_bytes: int = 64 * 2**20  # of a request; a 24 h recording has more, ten seconds 20 kB to 1 MB

    @property
    def is_local(self) -> bool:
        return self.host in LOOPBACK

    @property
    def names(self) -> list[str]:
        """What a request's Host may say; another name is a page that wants to use a reader's browser (DNS rebinding)."""
        return [*LOOPBACK, "[::1]", *([] if self.is_local else [self.host]), *self.hosts]
