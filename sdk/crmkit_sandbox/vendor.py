"""What the sandbox asks of every emulated CRM."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .gateway import Fronted
from .wire import Row
from .world import Part


class Vendor(Fronted, Part, Protocol):
    """An emulated CRM."""

    title: str
    base_url: str
    # Paths that clients ask for at the bare host, when they cannot be told a prefix.
    root_paths: tuple[str, ...]

    def reset(self) -> None:
        """Return to an account without records."""

    @property
    def seed(self) -> Callable[..., None]:
        """Fills the account with believable records; how many of what is the vendor's own choice."""

    def records(self) -> Mapping[str, list[Row]]:
        """All records by kind, as the vendor shows them."""

    def deliveries_rows(self) -> list[Row]:
        """The hooks sent and waiting."""

    def actions(self) -> Mapping[str, Callable[..., Any]]:
        """What a person can do in the web interface, by name."""
