"""Sends webhooks from the background, keeps their record and repeats them by the vendor's schedule."""

import heapq
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

import requests

from .clock import Clock
from .wire import Row

WORKERS = 8
FORM = "application/x-www-form-urlencoded"

# Receives a finished attempt; answers when the next one is due (unix seconds) or None for never.
Verdict = Callable[["Delivery"], "float | None"]


@dataclass
class Delivery:
    """One attempt to deliver one hook; `status` is None before it ran and 0 when no answer came."""

    vendor: str
    number: int
    url: str
    body: str
    event: str
    attempt: int
    due: float
    content_type: str = FORM
    timeout_s: float = 2.0
    method: str = "POST"
    status: int | None = None
    at: float | None = None
    verdict: Verdict = field(default=lambda _: None, repr=False)

    def row(self) -> Row:
        """The record as plain data."""
        return {name: value for name, value in vars(self).items() if name != "verdict"}


class Courier:
    """Delivers in the order of posting per destination, several destinations at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._later: list[tuple[float, int, Delivery]] = []
        self._ready: dict[str, deque[Delivery]] = {}
        self._busy: set[str] = set()
        self._sent: list[Delivery] = []
        self._threads: list[threading.Thread] = []
        self._numbers = self._order = 0
        self._is_closed = False
        clock.on_turn(self.wake)

    def post(self, delivery: Delivery) -> None:
        """Queue a delivery; it leaves as soon as the clock reaches its `due`."""
        with self._changed:
            if self._is_closed:
                return
            self._order += 1
            heapq.heappush(self._later, (delivery.due, self._order, delivery))
            self._hire()
            self._changed.notify()

    def next_number(self) -> int:
        """A number that all attempts of one hook share."""
        with self._changed:
            self._numbers += 1
            return self._numbers

    def sent(self, vendor: str) -> Sequence[Delivery]:
        """Finished attempts, oldest first."""
        with self._changed:
            return [delivery for delivery in self._sent if delivery.vendor == vendor]

    def waiting(self, vendor: str) -> Sequence[Delivery]:
        """Attempts that are not made yet, soonest first."""
        with self._changed:
            ready = [delivery for queue in self._ready.values() for delivery in queue]
            later = [delivery for _, _, delivery in sorted(self._later)]
            return [delivery for delivery in (*ready, *later) if delivery.vendor == vendor]

    def settle(self, timeout_s: float = 5.0) -> bool:
        """True once nothing is in flight and nothing is due by the sandbox clock; False after `timeout_s`."""
        ends = monotonic() + timeout_s
        with self._changed:
            while self._busy or any(self._ready.values()) or self._is_due():
                if not self._changed.wait(max(0.0, min(0.2, ends - monotonic()))) and monotonic() >= ends:
                    return False
        return True

    def forget(self, vendor: str) -> None:
        """Drop the record and the queue of `vendor`."""
        with self._changed:
            self._sent = [delivery for delivery in self._sent if delivery.vendor != vendor]
            self._later = [entry for entry in self._later if entry[2].vendor != vendor]
            heapq.heapify(self._later)
            for url, queue in self._ready.items():
                self._ready[url] = deque(delivery for delivery in queue if delivery.vendor != vendor)
            self._changed.notify_all()

    def wake(self) -> None:
        """Look at the clock again."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Stop sending; queued deliveries stay unsent."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def open(self) -> None:
        """Send again after `close`."""
        with self._changed:
            self._is_closed = False
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if self._later or any(self._ready.values()):
                self._hire()

    def _hire(self) -> None:
        # A worker more for each destination that waits: one hanging receiver must not hold up the others.
        if len(self._threads) < min(WORKERS, len(self._busy) + len(self._ready) + len(self._later)):
            thread = threading.Thread(target=self._work, name="sandbox-courier", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while (delivery := self._take()) is not None:
                _send(session, delivery)
                self._finish(delivery)

    def _take(self) -> Delivery | None:
        with self._changed:
            while not self._is_closed:
                while self._is_due():
                    delivery = heapq.heappop(self._later)[2]
                    self._ready.setdefault(delivery.url, deque()).append(delivery)
                for url, queue in self._ready.items():
                    if queue and url not in self._busy:
                        self._busy.add(url)
                        return queue.popleft()
                is_still = self._clock.is_frozen or not self._later
                self._changed.wait(None if is_still else max(0.0, self._later[0][0] - self._clock.now()))
        return None

    def _is_due(self) -> bool:
        return bool(self._later) and self._later[0][0] <= self._clock.now()

    def _finish(self, delivery: Delivery) -> None:
        delivery.at = self._clock.now()
        with self._changed:
            self._sent.append(delivery)
        again = delivery.verdict(delivery)
        if again is not None:
            self.post(
                Delivery(
                    vendor=delivery.vendor,
                    number=delivery.number,
                    url=delivery.url,
                    body=delivery.body,
                    event=delivery.event,
                    attempt=delivery.attempt + 1,
                    due=again,
                    content_type=delivery.content_type,
                    timeout_s=delivery.timeout_s,
                    method=delivery.method,
                    verdict=delivery.verdict,
                )
            )
        with self._changed:
            self._busy.discard(delivery.url)
            self._changed.notify_all()


def _send(session: requests.Session, delivery: Delivery) -> None:
    is_get = delivery.method == "GET"
    headers = {"User-Agent": "crmkit-sandbox", **({} if is_get else {"Content-Type": delivery.content_type})}
    try:
        answer = session.request(
            delivery.method,
            delivery.url,
            params=delivery.body if is_get else None,
            data=None if is_get else delivery.body.encode(),
            headers=headers,
            timeout=delivery.timeout_s,
            allow_redirects=False,
        )
        delivery.status = answer.status_code
    except requests.RequestException:
        delivery.status = 0
