"""The one way to a vendor's network: time-outs, the shared request budget, repeats that are safe."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import requests
from pydantic_core import from_json
from requests.adapters import HTTPAdapter
from requests.utils import default_headers
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from crmkit.clock import Clock, SystemClock
from crmkit.errors import CrmKitError, RateLimited, VendorDown
from crmkit.http.limits import LONGEST_WAIT_S, Limiter, RateLimit, Urgency
from crmkit.values import Json

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often one call is tried before its error is raised."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `is_safe` says that doing it twice does no harm, so that it may be repeated after a lost answer.

    Of `body` (JSON), `form` and `content` (bytes as they are) one at most is sent.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: Json = None
    form: Sequence[tuple[str, str]] | None = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_safe: bool = False
    read_timeout_s: float = 30.0


class Reply:
    """A vendor's answer, read to its end. Header names are lower case."""

    __slots__ = ("_parsed", "content", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status = status
        self.headers = headers
        self.content = content
        self._parsed: list[Json] = []

    def json(self) -> Json:
        """The body as JSON, decoded once; None for an empty one. Raises ValueError when it is something else."""
        if not self._parsed:
            self._parsed.append(_decoded(self.content) if self.content.strip() else None)
        return self._parsed[0]

    @property
    def text(self) -> str:
        """The beginning of the body, for messages."""
        return self.content[:200].decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.content)} bytes)"


Judge = Callable[[Request, Reply], CrmKitError | None]
"""An adapter's table of refusals: the error an answer stands for, or None when it is a good answer."""


class _Bunching:
    """How far behind the call of a window ago the next one must leave: the vendor counts arrivals.

    A call that took longer than others do may have arrived later by the difference, and must not meet in one window
    with the one that takes its place. A second refusal shows that it was more.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._left = 0
        # By the number of a call; None while it is under way.
        self._took_s: dict[int, float | None] = {}
        self._recent_s: deque[float] = deque(maxlen=20)
        self.refusals = 0
        self._strain = 0.0

    @property
    def slowest_s(self) -> float:
        with self._lock:
            return max(self._recent_s, default=0.0)

    def leaving(self, limits: Sequence[RateLimit]) -> tuple[int, Sequence[RateLimit]]:
        """The number of the next call, and the limits that it has to keep."""
        with self._lock:
            self._left += 1
            self._took_s[self._left] = None
            more_s = min(0.04 * max(0.0, self._strain - 1), 0.12)
            widened = [self._widened(limit, more_s) if limit.shape == "window" else limit for limit in limits]
            oldest = self._left - 2 * max((limit.permits for limit in limits), default=1)
            self._took_s.pop(oldest, None)
            return self._left, widened

    def answered(self, number: int, seconds: float) -> None:
        with self._lock:
            self._recent_s.append(seconds)
            self._strain = max(0.0, self._strain - _EASED)
            if number in self._took_s:
                self._took_s[number] = seconds

    def refused(self) -> None:
        self.refusals += 1
        with self._lock:
            self._strain += 1

    def within_s(self, share: float) -> float:
        """How long the quicker `share` of the last answers took."""
        with self._lock:
            return sorted(self._recent_s)[int(share * (len(self._recent_s) - 1))] if self._recent_s else 0.0

    def _widened(self, limit: RateLimit, more_s: float) -> RateLimit:
        place = self._left - limit.permits
        # Calls that wait together may pass in another order: the neighbours count as well.
        late_s = max(self._late_s(number) for number in (place - 1, place, place + 1))
        return replace(limit, per_s=limit.per_s + min(late_s, _MOST_LATE_S) + more_s)

    def _late_s(self, number: int) -> float:
        if number not in self._took_s or number == self._left:
            return 0.0
        took_s = self._took_s[number]
        if took_s is None:
            return _MOST_LATE_S
        # Not the quickest of all: a light request among heavy ones would make every one of those late.
        return max(0.0, took_s - self.within_s(0.25))


_MOST_LATE_S = 0.08
_EASED = 0.01
"""How much of a refusal each good answer makes forgotten."""


class Pressure(NamedTuple):
    """How hard a vendor's side is pressed.

    Args:
        refusals: calls that its request limit has refused so far.
        slowest_s: the longest wait for an answer among the last twenty.
        waited_s: how long the last call stood before our own limiter.
    """

    refusals: int
    slowest_s: float
    waited_s: float


class Transport:
    """Sends requests to one account.

    Args:
        base_url: scheme and host, and a path before every request's own.
        judge: tells good answers from refusals.
        limits: the budgets each call counts against.
        limiter: shared keeper of the budgets.
        urgency: the queue our calls stand in.
        clock: where to wait between attempts.
        user_agent: how we introduce ourselves.
    """

    def __init__(
        self,
        base_url: str,
        *,
        vendor: str,
        account: str,
        judge: Judge,
        limits: Sequence[RateLimit],
        limiter: Limiter,
        urgency: Urgency = Urgency.LIVE,
        clock: Clock | None = None,
        user_agent: str = "crmkit/0.1",
        connect_timeout_s: float = 5.0,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._vendor = vendor
        self._account = account
        self._judge = judge
        self._limits = limits
        self._limiter = limiter
        self._urgency = urgency
        self._clock = clock or SystemClock()
        self._connect_timeout_s = connect_timeout_s
        self._bunching = _Bunching()
        self._waited_s = 0.0
        self._headers = {**default_headers(), "User-Agent": user_agent}
        # No session: neither a proxy or password of the machine nor a cookie of an earlier answer may change what we
        # send, and each call costs half as much.
        self._pool = HTTPAdapter(pool_connections=4, pool_maxsize=32, max_retries=0)

    @property
    def pressure(self) -> Pressure:
        """What the last calls met with, by which a caller chooses how many to make at a time."""
        return Pressure(self._bunching.refusals, self._bunching.slowest_s, self._waited_s)

    @property
    def answer_s(self) -> float:
        """Seconds that three of four answers took at most, waiting for the limit not counted; 0 before the first."""
        return self._bunching.within_s(0.75)

    def send(self, request: Request) -> Reply:
        """The answer to a request, repeated where that is safe.

        Repeated are: every refusal by the request limit, since nothing was done; a call that never reached the vendor;
        an unusable or lost answer of a safe request. Each repeat counts against the limits as well.

        Raises whatever the judge makes of the answer, and VendorDown when there is none; `maybe_applied` is set on it
        when a write may have been done.
        """
        attempt = 1
        while True:
            number, limits = self._bunching.leaving(self._limits)
            came = time.perf_counter()
            self._limiter.wait(limits, self._urgency)
            self._waited_s = time.perf_counter() - came
            outcome = self._once(request, number)
            if isinstance(outcome, Reply):
                return outcome
            if isinstance(outcome, RateLimited):
                self._hold_everybody(outcome, attempt)
            wait_s = self._pause_before_repeat(request, outcome, attempt)
            if wait_s is None:
                raise outcome
            log.info("%s %s %s: %s; again in %.1f s", self._account, request.method, request.path, outcome, wait_s)
            if not isinstance(outcome, RateLimited):
                self._clock.wait(wait_s)
            attempt += 1

    def _hold_everybody(self, error: RateLimited, attempt: int) -> None:
        """Every caller of the account pauses, not just this thread: going on is what leads to a ban."""
        self._bunching.refused()
        seconds = self._asked_pause(error, attempt)
        for limit in self._limits:
            self._limiter.push(limit, seconds)

    def _pause_before_repeat(self, request: Request, error: CrmKitError, attempt: int) -> float | None:
        if attempt == ATTEMPTS or not error.retryable:
            return None
        if isinstance(error, RateLimited):
            asked = self._asked_pause(error, attempt)
            return asked if asked <= LONGEST_WAIT_S else None
        never_sent = isinstance(error, VendorDown) and not error.maybe_applied
        return _growing_pause(attempt) if request.is_safe or never_sent else None

    def _asked_pause(self, error: RateLimited, attempt: int) -> float:
        if error.retry_after_s is not None and (attempt == ATTEMPTS or not error.is_stock_phrase):
            return error.retry_after_s
        if attempt == 1:
            # Our own budget is kept: one refusal is most often two calls that the network brought too near.
            return _growing_pause(0)
        # Others use the budget as well, or refused calls count: after a whole window without any there is room.
        return max((limit.per_s for limit in self._limits), default=0.0) + _growing_pause(attempt)

    def _once(self, request: Request, number: int) -> Reply | CrmKitError:
        began = time.perf_counter()
        # The library's error keeps the whole request with its headers: nothing of it may leave this function.
        try:
            prepared = requests.PreparedRequest()
            prepared.prepare(
                method=request.method,
                url=self.base_url + request.path,
                headers={**self._headers, **request.headers},
                params=list(request.query) or None,
                json=request.body if request.form is None and request.body is not None else None,
                data=list(request.form) if request.form is not None else request.content,
            )
            timeout = (self._connect_timeout_s, request.read_timeout_s)
            # Streamed, because the library reads other bodies in small pieces, which costs more than decoding them.
            answer = self._pool.send(prepared, stream=True, timeout=timeout)
            self._bunching.answered(number, time.perf_counter() - began)
            with answer:
                content = answer.raw.read(decode_content=True)
        except (requests.RequestException, HTTPError) as error:
            return self._down(request, type(error).__name__, was_sent=not _never_connected(error))
        reply = Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, content)
        return self._judge(request, reply) or reply

    def _down(self, request: Request, reason: str, *, was_sent: bool) -> VendorDown:
        return VendorDown(
            f"{request.method} {request.path} got no answer ({reason})",
            vendor=self._vendor,
            account=self._account,
            maybe_applied=was_sent and not request.is_safe,
            remedy="Check that the CRM's address is right and reachable; crmkit will try again.",
        )

    def close(self) -> None:
        """Give back the connections."""
        self._pool.close()


def _growing_pause(attempt: int) -> float:
    ceiling = min(0.5 * 2.0**attempt, LONGEST_WAIT_S)
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 -- spreads repeats, guards nothing


def _decoded(content: bytes) -> Json:
    try:
        found: Json = from_json(content, cache_strings="keys")
    except ValueError:
        # The fast reader is the stricter one: other encodings and halves of letters are the standard one's.
        found = json.loads(content)
    return found


def _never_connected(error: requests.RequestException | HTTPError) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
