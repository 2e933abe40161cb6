"""The network: budgets that are kept, and the one way on which requests leave."""

from crmkit.http.limits import LONGEST_WAIT_S, Limiter, LocalLimiter, RateLimit, Urgency
from crmkit.http.transport import ATTEMPTS, Judge, Pressure, Reply, Request, Transport

__all__ = [
    "ATTEMPTS",
    "LONGEST_WAIT_S",
    "Judge",
    "Limiter",
    "LocalLimiter",
    "Pressure",
    "RateLimit",
    "Reply",
    "Request",
    "Transport",
    "Urgency",
]
