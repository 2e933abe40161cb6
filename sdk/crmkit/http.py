"""The one way to a vendor's network: time-outs, the shared request budget, repeats that are safe."""

from __future__ import annotations

import enum
import json
import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy
from typing import Literal, Protocol

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

from crmkit.clock import Clock, SystemClock
from crmkit.errors import CrmKitError, RateLimited, VendorDown
from crmkit.values import Json

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often one call is tried before its error is raised."""

LONGEST_WAIT_S = 30.0
"""A vendor that asks for a longer pause than this is not waited for: the error goes to the caller."""


class Urgency(enum.StrEnum):
    """Which queue a call stands in: handlers pass before first loads and scans."""

    LIVE = "live"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One budget of a vendor. `key` names who shares it.

    A `window` allows `permits` in any `per_s` seconds; a `bucket` holds `permits` and gains one each `per_s` seconds.
    """

    key: str
    permits: int
    per_s: float
    shape: Literal["window", "bucket"] = "window"


class Limiter(Protocol):
    """Holds callers back so that no budget is ever exceeded."""

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Return when one call may be made under every limit.

        Raises RateLimited at once when a push holds a limit for longer than LONGEST_WAIT_S.
        """

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody pass `limit` for `seconds`: the vendor has refused."""


class _Budget:
    """One limit: who stands before it, what was granted, and the earliest free moment."""

    def __init__(self, limit: RateLimit, margin_s: float) -> None:
        self.limit = limit
        self._margin_s = margin_s
        self._granted: deque[float] = deque(maxlen=limit.permits)
        self._level, self._level_at = float(limit.permits), 0.0
        self._turn = threading.Condition()
        self._is_taken = False
        self._live_waiting = 0
        self.blocked_until = 0.0

    @contextmanager
    def turn(self, urgency: Urgency) -> Iterator[None]:
        """Stand at the head of the queue; bulk callers let every live one pass."""
        with self._turn:
            if urgency is Urgency.LIVE:
                self._live_waiting += 1
                self._turn.wait_for(lambda: not self._is_taken)
                self._live_waiting -= 1
            else:
                self._turn.wait_for(lambda: not self._is_taken and not self._live_waiting)
            self._is_taken = True
        try:
            yield
        finally:
            with self._turn:
                self._is_taken = False
                self._turn.notify_all()

    def free_at(self, now: float) -> float:
        start = max(now, self.blocked_until)
        if self.limit.shape == "bucket":
            return start + max(0.0, 1 - self._level_then(start)) * self.limit.per_s
        if len(self._granted) < self.limit.permits:
            return start
        return max(start, self._granted[0] + self.limit.per_s + self._margin_s)

    def take(self, at: float) -> None:
        self._level, self._level_at = self._level_then(at) - 1, at
        self._granted.append(at)

    def _level_then(self, at: float) -> float:
        gained = max(0.0, at - self._level_at) / self.limit.per_s
        return min(float(self.limit.permits), self._level + gained)


_RESOLUTION_S = 2e-6
"""Clocks count microseconds: a shorter pause than this is no pause."""


class LocalLimiter:
    """A limiter for the threads of one process.

    Callers pass one at a time and the moment they really pass is what counts, so a thread that wakes late takes room
    from itself, not from the window.

    Args:
        clock: where to wait.
        margin_s: added to each window, because the vendor's clock sees our calls bunched by the network.
    """

    def __init__(self, clock: Clock | None = None, margin_s: float = 0.04) -> None:
        self._clock = clock or SystemClock()
        self._margin_s = margin_s
        self._lock = threading.Lock()
        self._budgets: dict[str, _Budget] = {}

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Stand in the queue of every limit, then pass. Raises RateLimited for a push over LONGEST_WAIT_S."""
        # One order for everybody, else two callers could each hold what the other waits for.
        budgets = [self._budget(limit) for limit in sorted(limits, key=lambda limit: limit.key)]
        with ExitStack() as turns:
            for budget in budgets:
                turns.enter_context(budget.turn(urgency))
            while True:
                now = self._now()
                self._refuse_long_push(budgets, now)
                at = max((budget.free_at(now) for budget in budgets), default=now)
                if at - now < _RESOLUTION_S:
                    break
                self._clock.wait(at - now)
            for budget in budgets:
                budget.take(now)

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody pass for `seconds`, those who already stand in the queue included."""
        budget = self._budget(limit)
        budget.blocked_until = max(budget.blocked_until, self._now() + seconds)

    def _refuse_long_push(self, budgets: Sequence[_Budget], now: float) -> None:
        left_s = max((budget.blocked_until - now for budget in budgets), default=0.0)
        if left_s > LONGEST_WAIT_S:
            raise RateLimited(
                f"the vendor asked us to stay away; {left_s:.0f} s are left",
                retry_after_s=left_s,
                remedy="Nothing was sent; it is tried again when the pause is over.",
            )

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _budget(self, limit: RateLimit) -> _Budget:
        with self._lock:
            if limit.key not in self._budgets:
                self._budgets[limit.key] = _Budget(limit, self._margin_s)
            budget = self._budgets[limit.key]
            budget.limit = limit
            return budget


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `is_safe` says that doing it twice does no harm, so that it may be repeated after a lost answer."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: Json = None
    form: Sequence[tuple[str, str]] | None = None
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
            self._parsed.append(json.loads(self.content) if self.content.strip() else None)
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
    """How far apart calls must leave so that they do not arrive in one window: the vendor counts arrivals.

    A slow call and a fast one behind it move together by the difference of their ways, which shows in how long
    answers take; a second refusal shows that it was more.
    """

    def __init__(self) -> None:
        self._took_s: deque[float] = deque(maxlen=20)
        self._refused = 0

    def answered(self, seconds: float) -> None:
        self._took_s.append(seconds)

    def refused(self) -> None:
        self._refused += 1

    def widened(self, limits: Sequence[RateLimit]) -> Sequence[RateLimit]:
        took_s = list(self._took_s)
        spread_s = max(took_s) - min(took_s) if took_s else 0.0
        more_s = min(spread_s, 0.04) + min(0.04 * max(0, self._refused - 1), 0.12)
        return [replace(limit, per_s=limit.per_s + more_s) if limit.shape == "window" else limit for limit in limits]


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
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        # Neither a proxy or password of the machine nor a cookie of an earlier answer may change what we send.
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        pool = HTTPAdapter(pool_connections=4, pool_maxsize=32, max_retries=0)
        self._session.mount("http://", pool)
        self._session.mount("https://", pool)

    def send(self, request: Request) -> Reply:
        """The answer to a request, repeated where that is safe.

        Repeated are: every refusal by the request limit, since nothing was done; a call that never reached the vendor;
        an unusable or lost answer of a safe request. Each repeat counts against the limits as well.

        Raises whatever the judge makes of the answer, and VendorDown when there is none; `maybe_applied` is set on it
        when a write may have been done.
        """
        attempt = 1
        while True:
            self._limiter.wait(self._bunching.widened(self._limits), self._urgency)
            outcome = self._once(request)
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

    def _once(self, request: Request) -> Reply | CrmKitError:
        # The library's error keeps the whole request with its headers: nothing of it may leave this function.
        try:
            answer = self._session.request(
                request.method,
                self.base_url + request.path,
                params=list(request.query) or None,
                json=request.body if request.form is None and request.body is not None else None,
                data=list(request.form) if request.form is not None else None,
                headers=dict(request.headers),
                timeout=(self._connect_timeout_s, request.read_timeout_s),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return self._down(request, type(error).__name__, was_sent=not _never_connected(error))
        self._bunching.answered(answer.elapsed.total_seconds())
        reply = Reply(
            answer.status_code,
            {name.lower(): value for name, value in answer.headers.items()},
            answer.content,
        )
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
        self._session.close()


def _growing_pause(attempt: int) -> float:
    ceiling = min(0.5 * 2.0**attempt, LONGEST_WAIT_S)
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 -- spreads repeats, guards nothing


def _never_connected(error: requests.RequestException) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
