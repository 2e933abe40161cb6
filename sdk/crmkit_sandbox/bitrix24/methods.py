"""How a method is declared and what it sees: the parameters, the caller, the portal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from crmkit_sandbox.wire import Row

from .events import Events
from .oauth import OAuth
from .portal import Portal
from .problems import Problem, missing
from .values import number_of


@dataclass(frozen=True)
class Caller:
    """Who calls: a user through an inbound webhook or through the app."""

    user_id: int
    by: Literal["webhook", "app"]
    scopes: tuple[str, ...]
    # Budgets of time are counted per credential.
    credential: str


@dataclass
class Call:
    """One call of one method."""

    portal: Portal
    events: Events
    oauth: OAuth
    caller: Caller
    params: Row
    registry: "Mapping[str, Method]"
    # Sizes of the files that came along, by the names of their fields.
    files: Mapping[str, int] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter; its case does not matter."""
        if name in self.params:
            return self.params[name]
        wanted = name.lower()
        return next((value for key, value in self.params.items() if key.lower() == wanted), default)

    def need(self, name: str) -> Any:
        """A parameter that must be there.

        Raises Problem 400 with code 100.
        """
        value = self.get(name)
        if value is None:
            raise missing(name)
        return value

    def map(self, name: str) -> Row:
        """A parameter that is a map; an empty PHP array is one too."""
        value = self.get(name)
        return value if isinstance(value, dict) else {}

    def row_id(self, name: str = "id") -> int:
        """The id that a classic method is asked about.

        Raises Problem 400 when it is none.
        """
        found = number_of(self.get(name))
        if found <= 0:
            raise Problem(400, "", "ID is not defined or invalid.")
        return found


@dataclass
class Answer:
    """A result, with the count and the next offset where a list has them."""

    result: Any
    total: int | None = None
    next: int | None = None


Body = Callable[[Call], "Answer | Any"]


@dataclass(frozen=True)
class Method:
    """One method: its documented name, the scope it needs, and whether a webhook may call it."""

    name: str
    scope: str | None
    body: Body
    is_app_only: bool = False
    is_admin_only: bool = False


class Registry(dict[str, Method]):
    """Methods by lower-case name."""

    def add(
        self,
        name: str,
        body: Body,
        *,
        scope: str | None = "crm",
        is_app_only: bool = False,
        is_admin_only: bool = False,
    ) -> None:
        """Declare a method."""
        self[name.lower()] = Method(name, scope, body, is_app_only, is_admin_only)
