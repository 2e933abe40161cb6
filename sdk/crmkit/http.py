"""The one way to a vendor's network: time-outs, the shared request budget, repeats that are safe."""

from __future__ import annotations

import enum
import json
import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import requests
from requests.adapters import HTTPAdapter

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
        """Return when one call may be made under every limit."""

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody pass `limit` for `seconds`: the vendor has refused."""


class _Budget:
    """What is left of one limit: the earliest free moment, and the taking of it."""

    def __init__(self, limit: RateLimit, margin_s: float) -> None:
        self._limit = limit
        self._margin_s = margin_s
        self._granted: deque[float] = deque(maxlen=limit.permits)
        self._level, self._level_at = float(limit.permits), 0.0
        self.blocked_until = 0.0

    def free_at(self, now: float) -> float:
        start = max(now, self.blocked_until, self._granted[-1] if self._granted else 0.0)
        if self._limit.shape == "bucket":
            missing = 1 - self._level_then(start)
            return start + max(0.0, missing) * self._limit.per_s
        if len(self._granted) < self._limit.permits:
            return start
        return max(start, self._granted[0] + self._limit.per_s + self._margin_s)

    def take(self, at: float) -> None:
        self._level, self._level_at = self._level_then(at) - 1, at
        self._granted.append(at)

    def _level_then(self, at: float) -> float:
        gained = (at - self._level_at) / self._limit.per_s
        return min(float(self._limit.permits), self._level + gained)


class LocalLimiter:
    """A limiter for the threads of one process.

    Args:
        clock: where to wait.
        margin_s: added to each window, because the vendor's clock sees our calls bunched by the network.
    """

    def __init__(self, clock: Clock | None = None, margin_s: float = 0.05) -> None:
        self._clock = clock or SystemClock()
        self._margin_s = margin_s
        self._lock = threading.Lock()
        self._budgets: dict[str, _Budget] = {}

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Reserve the next free moment under every limit, then sleep until it."""
        with self._lock:
            budgets = [self._budget(limit) for limit in limits]
            now = self._clock.now().timestamp()
            at = now
            for budget in budgets:
                at = max(at, budget.free_at(at))
            for budget in budgets:
                budget.take(at)
        self._clock.wait(at - now)

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody pass for `seconds`."""
        with self._lock:
            budget = self._budget(limit)
            budget.blocked_until = max(budget.blocked_until, self._clock.now().timestamp() + seconds)

    def _budget(self, limit: RateLimit) -> _Budget:
        return self._budgets.setdefault(limit.key, _Budget(limit, self._margin_s))


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


@dataclass(frozen=True, slots=True)
class Reply:
    """A vendor's answer, read to its end. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Json:
        """The body as JSON; None for an empty one. Raises ValueError when it is something else."""
        found: Json = json.loads(self.content) if self.content.strip() else None
        return found

    @property
    def text(self) -> str:
        """The beginning of the body, for messages."""
        return self.content[:200].decode("utf-8", "replace")


Judge = Callable[[Request, Reply], CrmKitError | None]
"""An adapter's table of refusals: the error an answer stands for, or None when it is a good answer."""


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
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        self._session.trust_env = False
        pool = HTTPAdapter(pool_connections=4, pool_maxsize=32, max_retries=0)
        self._session.mount("http://", pool)
        self._session.mount("https://", pool)

    def send(self, request: Request) -> Reply:
        """The answer to a request, repeated where that is safe.

        A refusal by the request limit did nothing and is always repeated; an unusable answer is repeated for safe
        requests only.

        Raises whatever the judge makes of the answer, and VendorDown when there is none; `maybe_applied` is set on it
        when a write may have been done.
        """
        for attempt in range(1, ATTEMPTS + 1):
            self._limiter.wait(self._limits, self._urgency)
            try:
                return self._once(request)
            except CrmKitError as error:
                wait_s = self._pause_before_repeat(request, error, attempt)
                if wait_s is None:
                    raise
                log.info(
                    "%s %s %s: %s; again in %.1f s",
                    self._account,
                    request.method,
                    request.path,
                    error,
                    wait_s,
                )
                if isinstance(error, RateLimited):
                    for limit in self._limits:
                        self._limiter.push(limit, wait_s)
                else:
                    self._clock.wait(wait_s)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _pause_before_repeat(self, request: Request, error: CrmKitError, attempt: int) -> float | None:
        is_refusal = isinstance(error, RateLimited)
        if attempt == ATTEMPTS or not error.retryable or not (is_refusal or request.is_safe):
            return None
        asked = error.retry_after_s if isinstance(error, RateLimited) else None
        if asked is not None:
            return asked if asked <= LONGEST_WAIT_S else None
        ceiling = min(0.5 * 2.0**attempt, LONGEST_WAIT_S)
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 -- spreads repeats, guards nothing

    def _once(self, request: Request) -> Reply:
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
            raise self._down(request, error) from error
        reply = Reply(
            answer.status_code,
            {name.lower(): value for name, value in answer.headers.items()},
            answer.content,
        )
        refusal = self._judge(request, reply)
        if refusal is not None:
            raise refusal
        return reply

    def _down(self, request: Request, error: requests.RequestException) -> VendorDown:
        never_sent = isinstance(error, requests.ConnectTimeout) or "NewConnectionError" in repr(error)
        return VendorDown(
            f"{request.method} {request.path} got no answer ({type(error).__name__})",
            vendor=self._vendor,
            account=self._account,
            maybe_applied=not (request.is_safe or never_sent),
            remedy="Check that the CRM's address is right and reachable; crmkit will try again.",
        )

    def close(self) -> None:
        """Give back the connections."""
        self._session.close()
