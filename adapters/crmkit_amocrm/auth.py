"""Settings of an amoCRM account and its tokens: long-lived ones, and OAuth pairs whose refresh works once."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NoReturn, Protocol
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from crmkit.clock import Clock
from crmkit.errors import AuthError, ConfigError, CrmKitError, RateLimited, VendorDown
from crmkit.http import RateLimit, Reply, Request, Transport
from crmkit.settings import AccountSettings, secret_variable
from crmkit.tokens import Tokens, TokenStore
from crmkit_amocrm.errors.refusals import VENDOR, long_lived_refused, lost_token_answer, refresh_refused

log = logging.getLogger(__name__)

REFRESH_AHEAD_S = 300.0
"""An access token is renewed this long before it expires, or in the last tenth of a shorter life."""

_REFUSAL_HOLDS_S = 60.0
_ACCESS_LIVES_S = 86400.0
_VENDOR_HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+(amocrm\.ru|amocrm\.com|kommo\.com)")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class AmoCrmSettings(AccountSettings):
    """An amoCRM or Kommo account: either `token`, or the four OAuth values.

    Args:
        token: a long-lived token of a private integration.
        client_id, client_secret, redirect_uri: the integration's own, as in its card.
        code: the one-time authorisation code (lives 20 minutes); needed until the first pair of tokens is stored, and
            again when the stored pair is refused.
        account_id: the account's number; hooks that name another one are refused.
        user_id: the user in whose name calls are made, where the integration's scopes allow it.
    """

    access_hint: ClassVar[str] = "Set `token`, or `client_id`, `client_secret`, `redirect_uri` and `code`."

    token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    redirect_uri: str | None = None
    code: SecretStr | None = None
    account_id: str | None = Field(default=None, coerce_numbers_to_str=True)
    user_id: str | None = Field(default=None, coerce_numbers_to_str=True)


def check(settings: AccountSettings) -> AmoCrmSettings:
    """The settings, known to be enough to make calls with.

    Raises ConfigError naming what to set.
    """
    if not isinstance(settings, AmoCrmSettings):
        raise ConfigError(f"account {settings.key} has settings of another vendor", account=settings.key)
    _check_address(settings)
    if settings.token is not None:
        return settings
    values = {name: getattr(settings, name) for name in ("client_id", "client_secret", "redirect_uri")}
    missing = [name for name, value in values.items() if not value]
    if missing:
        given = [name for name, value in values.items() if value]
        raise ConfigError(
            f"account {settings.key} has neither a long-lived token nor a whole OAuth set"
            + (f" ({', '.join(missing)} missing)" if given else ""),
            account=settings.key,
            vendor=VENDOR,
            remedy=f"{AmoCrmSettings.access_hint} In a service the secrets come from the environment or the file .env: "
            f"{', '.join(secret_variable(settings.key, name) for name in ('token', 'client_secret', 'code'))}.",
        )
    return settings


def limits(settings: AmoCrmSettings) -> tuple[RateLimit, ...]:
    """The two budgets. Source: amoCRM API v4, page "Limits": 7/s an integration, 50/s an account."""
    if settings.client_id:
        integration = settings.client_id
    else:
        secret = settings.token.get_secret_value() if settings.token else settings.key
        integration = hashlib.sha256(secret.encode()).hexdigest()[:16]
    return (RateLimit(f"{VENDOR}:{integration}", 7, 1.0), RateLimit(f"{VENDOR}:{settings.key}", 50, 1.0))


def vendor_host(referer: str) -> str:
    """The account's host out of a redirect's `referer`, which anybody can forge.

    Raises AuthError for every host but amoCRM's and Kommo's own: the client secret must not go there.
    """
    parts = urlsplit(referer if "://" in referer else f"//{referer}")
    host = (parts.hostname or "").lower()
    is_plain = parts.scheme in ("", "https") and "@" not in parts.netloc and ":" not in parts.netloc
    if is_plain and _VENDOR_HOST.fullmatch(host):
        return host
    raise AuthError(
        f"{referer[:100]!r} is no amoCRM or Kommo host",
        vendor=VENDOR,
        remedy="Start the installation again from the account itself.",
    )


class Authority(Protocol):
    """Gives the access token of an account."""

    @property
    def base_url(self) -> str:
        """Where the account lives now."""

    def access(self) -> str:
        """A token to call with. Raises AuthError when a person must authorise."""

    def renew(self, refused: str, error: AuthError) -> None:
        """Have another token than `refused`, which was answered with `error`; else raise AuthError."""


class LongLived:
    """A token that nobody renews."""

    def __init__(self, settings: AmoCrmSettings, token: SecretStr) -> None:
        self.base_url = settings.base_url.rstrip("/")
        self._account = settings.key
        self._token = token

    def access(self) -> str:
        """The token."""
        return self._token.get_secret_value()

    def renew(self, refused: str, error: AuthError) -> NoReturn:
        """Say that only a person can help."""
        raise long_lived_refused(self._account, error) from None


class OAuth:
    """Pairs of tokens whose refresh token works once.

    One refresh at a time over all processes; the new pair is stored durably before it is used, and whoever comes late
    adopts it. A process that holds an old pair finds the newer one in the store.

    Args:
        settings: the account's, with the OAuth set.
        store: where the pairs are kept.
        clock: the time.
        dial: opens the token endpoint at a base URL.
    """

    def __init__(
        self,
        settings: AmoCrmSettings,
        store: TokenStore,
        clock: Clock,
        dial: Callable[[str], Transport],
    ) -> None:
        self._settings = settings
        self._account = settings.key
        self._store = store
        self._clock = clock
        self._dial = dial
        self._current: Tokens | None = None
        self._is_code_spent = False
        self._refused: str | None = None
        self._refused_at = 0.0

    @property
    def base_url(self) -> str:
        """Where the account lives now: its own address, or the host it has moved to."""
        host = self._current.host if self._current else None
        return f"https://{host}" if host else self._settings.base_url.rstrip("/")

    def access(self) -> str:
        """The access token; a stale one is renewed first, with one request however many ask at once."""
        current = self._current
        if current is None or self._seconds_left(current) < _margin_s(current):
            current = self._stored_or_renewed(current)
        return current.access

    def renew(self, refused: str, error: AuthError) -> None:
        """Adopt or fetch another token than `refused`."""
        self._replace(refused)

    def authorise(self, code: str, referer: str | None = None) -> None:
        """Exchange an authorisation code for the first pair and store it.

        `referer` is the account's host as the redirect gave it; left out, the code is used at `base_url`.
        Raises AuthError for a refused code or a foreign host.
        """
        base_url = f"https://{vendor_host(referer)}" if referer else self._settings.base_url
        with self._store.refreshing(self._account):
            self._keep(self._ask(base_url, {"grant_type": "authorization_code", "code": code}), host=None)

    def _stored_or_renewed(self, current: Tokens | None) -> Tokens:
        stored = self._store.load(self._account)
        if stored is not None and self._seconds_left(stored) >= _margin_s(stored):
            self._current = stored
            return stored
        try:
            return self._replace(stored.access if stored else None)
        except (VendorDown, RateLimited):
            # The endpoint is away, but the old token still opens doors for the minutes it has left.
            if stored is None or self._seconds_left(stored) <= 0:
                raise
            log.warning("account %s: the tokens could not be renewed ahead of time", self._account)
            self._current = stored
            return stored

    def _replace(self, refused: str | None) -> Tokens:
        with self._store.refreshing(self._account):
            stored = self._store.load(self._account)
            if stored is None:
                return self._first_pair()
            if stored.access != refused and self._seconds_left(stored) > 0:
                self._current = stored
                return stored
            return self._refreshed(stored)

    def _first_pair(self) -> Tokens:
        code = self._settings.code
        if code is None:
            raise AuthError(
                "the account has never been authorised",
                account=self._account,
                vendor=VENDOR,
                remedy="Set the account's code from the integration's card; it lives 20 minutes and works once.",
            )
        grant = {"grant_type": "authorization_code", "code": code.get_secret_value()}
        return self._keep(self._ask(self._settings.base_url, grant), host=None)

    def _refreshed(self, stored: Tokens) -> Tokens:
        if stored.refresh == self._refused and self._now() - self._refused_at < _REFUSAL_HOLDS_S:
            raise refresh_refused(self._account)
        base_url = f"https://{stored.host}" if stored.host else self._settings.base_url
        try:
            answer = self._ask(base_url, _refresh_grant(stored))
        except VendorDown as lost:
            if not lost.maybe_applied:
                raise
            return self._after_lost_answer(base_url, stored)
        except AuthError:
            return self._after_refusal(stored)
        return self._keep(answer, host=stored.host)

    def _after_lost_answer(self, base_url: str, stored: Tokens) -> Tokens:
        # The request may never have arrived: the same token is worth one more try before a person is called.
        try:
            return self._keep(self._ask(base_url, _refresh_grant(stored)), host=stored.host)
        except AuthError as refusal:
            return self._authorised_anew(lost_token_answer(self._account, refusal.status))

    def _after_refusal(self, stored: Tokens) -> Tokens:
        newer = self._store.load(self._account)
        if newer is not None and newer.refresh != stored.refresh:
            self._current = newer
            return newer
        host = self._moved_to(stored)
        if host is None:
            return self._authorised_anew(refresh_refused(self._account))
        return self._keep(self._ask(f"https://{host}", _refresh_grant(stored)), host=host)

    def _authorised_anew(self, refusal: AuthError) -> Tokens:
        """The pair that the account's code brings, when a person has set a new one; a spent one is tried once."""
        if self._settings.code is None or self._is_code_spent:
            self._remember_refusal()
            raise refusal
        try:
            return self._first_pair()
        except AuthError:
            self._is_code_spent = True
            self._remember_refusal()
            raise refusal from None

    def _remember_refusal(self) -> None:
        """Every call asks for a token: only the first of a minute takes a spent one to the vendor."""
        stored = self._store.load(self._account)
        self._refused, self._refused_at = stored.refresh if stored else None, self._now()

    def _moved_to(self, stored: Tokens) -> str | None:
        """The host of an account that was renamed, as the shared API host tells; None when it has not moved."""
        old = stored.host or urlsplit(self._settings.base_url).hostname or ""
        shared = str(_claims(stored.access).get("api_domain", ""))
        if not (_VENDOR_HOST.fullmatch(old) and _VENDOR_HOST.fullmatch(shared)):
            return None
        question = Request(
            "GET",
            "/oauth2/account/current/subdomain",
            headers={"X-Refresh-Token": stored.refresh or ""},
            is_safe=True,
        )
        try:
            answer = self._send(f"https://{shared}", question).json()
        except CrmKitError:
            return None
        domain = str(answer.get("domain", "")).lower() if isinstance(answer, Mapping) else ""
        return domain if _VENDOR_HOST.fullmatch(domain) and domain != old else None

    def _ask(self, base_url: str, grant: Mapping[str, str]) -> Mapping[str, Any]:
        settings = self._settings
        secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
        body = {
            "client_id": settings.client_id or "",
            "client_secret": secret,
            "redirect_uri": settings.redirect_uri or "",
            **grant,
        }
        answer = self._send(base_url, Request("POST", "/oauth2/access_token", body=body)).json()
        if not isinstance(answer, Mapping) or not isinstance(answer.get("access_token"), str):
            raise VendorDown(
                "the token endpoint answered without tokens",
                maybe_applied=True,
                account=self._account,
                vendor=VENDOR,
                remedy="Check that base_url is the account's own address.",
            )
        return answer

    def _send(self, base_url: str, request: Request) -> Reply:
        line = self._dial(base_url.rstrip("/"))
        try:
            return line.send(request)
        finally:
            line.close()

    def _keep(self, answer: Mapping[str, Any], *, host: str | None) -> Tokens:
        lives_s = answer.get("expires_in")
        tokens = Tokens(
            access=str(answer["access_token"]),
            refresh=str(answer["refresh_token"]) if answer.get("refresh_token") else None,
            expires_at=self._now() + (float(lives_s) if isinstance(lives_s, int | float) else _ACCESS_LIVES_S),
            host=host,
        )
        self._store.save(self._account, tokens)
        self._current = tokens
        return tokens

    def _seconds_left(self, tokens: Tokens) -> float:
        return float("inf") if tokens.expires_at is None else tokens.expires_at - self._now()

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _refresh_grant(stored: Tokens) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": stored.refresh or ""}


def _margin_s(tokens: Tokens) -> float:
    claims = _claims(tokens.access)
    made, ends = claims.get("iat"), claims.get("exp")
    lives_s = float(ends - made) if isinstance(made, int) and isinstance(ends, int) else _ACCESS_LIVES_S
    return min(REFRESH_AHEAD_S, lives_s / 10)


def _claims(access: str) -> Mapping[str, Any]:
    """What a token says of itself, unverified; empty when it is no JWT."""
    try:
        payload = access.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _check_address(settings: AmoCrmSettings) -> None:
    parts = urlsplit(settings.base_url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if is_safe and parts.hostname and "@" not in parts.netloc and not parts.path.rstrip("/").endswith("/api/v4"):
        return
    raise ConfigError(
        f"account {settings.key}: {parts.scheme or 'no scheme'}://{parts.hostname or ''}{parts.path} "
        "is no address to send tokens to",
        account=settings.key,
        vendor=VENDOR,
        remedy="Set base_url to the account's address, for instance https://acme.amocrm.ru, without /api/v4.",
    )
