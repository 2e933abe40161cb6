"""The way of a vendor's hooks out of the account: they may be off, lost or doubled on demand."""

from typing import Any

from .courier import FORM, Courier, Delivery, Verdict
from .memory import Memory


class Sender:
    """Posts the hooks of one account; `drop_next` are lost, the one after is sent `repeat_next` times more."""

    def __init__(self, memory: Memory[Any], courier: Courier, vendor: str, timeout_s: float) -> None:
        self.is_on = True
        self.drop_next = 0
        self.repeat_next = 0
        self._clock = memory.world.clock
        self._courier = courier
        self._vendor = vendor
        self._timeout_s = timeout_s

    def reset(self) -> None:
        """Lose and double nothing more."""
        self.is_on, self.drop_next, self.repeat_next = True, 0, 0

    def leaves(self) -> bool:
        """Whether the next hook leaves; one that is to be lost is lost by this."""
        if self.is_on and self.drop_next > 0:
            self.drop_next -= 1
            return False
        return self.is_on

    def copies(self) -> int:
        """How many times the next hook is sent; the one after leaves once."""
        copies, self.repeat_next = 1 + self.repeat_next, 0
        return copies

    def post(
        self,
        url: str,
        event: str,
        body: str,
        *,
        method: str = "POST",
        content_type: str = FORM,
        verdict: Verdict = lambda _: None,
    ) -> None:
        """Send one hook, as often as it is to be doubled; `verdict` says when an attempt is repeated."""
        for _ in range(self.copies()):
            self._courier.post(
                Delivery(
                    vendor=self._vendor,
                    number=self._courier.next_number(),
                    url=url,
                    body=body,
                    event=event,
                    attempt=1,
                    due=self._clock.now(),
                    timeout_s=self._timeout_s,
                    content_type=content_type,
                    method=method,
                    verdict=verdict,
                )
            )
