"""What every emulated CRM shows to tests: the log of requests, the hooks it sent, its records, the acts of people."""

from collections.abc import Callable, Mapping
from typing import Any

from .courier import Courier
from .limits import Limiter
from .memory import Memory
from .sender import Sender
from .traffic import Traffic
from .wire import Row


class Emulator:
    """The sides that all emulated CRMs have alike; `memory` is the account's."""

    key: str

    def __init__(self, memory: Memory[Any], courier: Courier, sender: Sender, limits: Limiter) -> None:
        self.requests = Traffic()
        self.limits = limits
        self._memory = memory
        self._courier = courier
        self._sender = sender

    @property
    def deliveries(self) -> list[Row]:
        """Finished attempts to deliver hooks, oldest first: url, method, body, event, status, attempt, at."""
        return [delivery.row() for delivery in self._courier.sent(self.key)]

    def deliveries_rows(self) -> list[Row]:
        """Finished attempts, then the waiting ones with status None."""
        return [*self.deliveries, *(delivery.row() for delivery in self._courier.waiting(self.key))]

    def reset_requests(self) -> None:
        """Forget the log of calls and the refusals."""
        self.requests.reset()
        self.limits.reset()

    @property
    def deliver_hooks(self) -> bool:
        """False loses every hook."""
        return self._sender.is_on

    @deliver_hooks.setter
    def deliver_hooks(self, is_on: bool) -> None:
        """Send hooks or lose them from now on."""
        self._sender.is_on = is_on

    def drop_next_hooks(self, count: int) -> None:
        """Lose the next `count` hooks."""
        self._sender.drop_next = count

    def repeat_next_hook(self, times: int = 1) -> None:
        """Send the next hook `times` times more; all of the act that causes it, where an act causes several."""
        self._sender.repeat_next = times

    @property
    def users(self) -> list[Row]:
        """The users; `id` is a number."""
        return self._shelf("users")

    def dump(self) -> Any:
        """A copy for a snapshot."""
        return self._memory.dump()

    def load(self, dumped: Any) -> None:
        """Put a snapshot back."""
        self._memory.load(dumped)

    def _shelf(self, name: str) -> list[Row]:
        with self._memory.world.lock:
            return list(self._memory.shelves[name].values())

    def _acts(self, person: type, *more: str) -> Mapping[str, Callable[..., Any]]:
        """The public acts of `person` by name, those of the sender, and `more`."""
        names = [name for name, act in vars(person).items() if not name.startswith("_") and callable(act)]
        return {name: getattr(self, name) for name in (*names, *more, "drop_next_hooks", "repeat_next_hook")}
