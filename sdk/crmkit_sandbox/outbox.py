"""What an emulated CRM sends, as tests hold it: the record of it, and what is to be lost or doubled."""

from typing import Protocol

from .courier import Courier
from .limits import Limiter
from .traffic import Traffic
from .wire import Row


class Sender(Protocol):
    """Whoever decides which hooks of a vendor leave: how many are lost, how often the next is sent again."""

    is_on: bool
    drop_next: int
    repeat_next: int


class Outbox:
    """The side of an emulated CRM that sends hooks and counts requests."""

    key: str

    def __init__(self, courier: Courier, sender: Sender, limits: Limiter) -> None:
        self.requests = Traffic()
        self.limits = limits
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
