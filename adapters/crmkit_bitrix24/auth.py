"""How calls are authorised: settings of an account, its address, webhook secrets and OAuth pairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, NoReturn, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from crmkit.clock import Clock
from crmkit.errors import AuthError, ConfigError, VendorDown
from crmkit.http import RateLimit, Request, Transport
from crmkit.settings import AccountSettings, secret_variable
from crmkit.tokens import Tokens, TokenStore
from crmkit_bitrix24.errors.refusals import AUTHORISE, EXPIRED, INVALID, SPENT, VENDOR, refresh_refused

_CLOUD = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?)\.bitrix24\.[a-z]{2,3}(\.[a-z]{2})?")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_SECRET = re.compile(r"(\d+)/([A-Za-z0-9_-]+)")


class Bitrix24Settings(AccountSettings):
    """A Bitrix24 portal: either `webhook`, or `client_id` and `client_secret` of an application.

    Args:
        webhook: an incoming webhook, as the portal shows it (`https://acme.bitrix24.ru/rest/1/secret/`) or its end
            (`1/secret`).
        client_id, client_secret: the application's own.
        code: the code of a full authorisation; lives 30 seconds.
        refresh_token: the one that came with the installation; needed until the first pair of tokens is stored.
        auth_url: the authorisation server.
        application_token: what authenticates the portal's events; comes with the installation, or with an outgoing
            webhook.
        member_id: the portal's identity; events that name another one are refused.
        plan: the request budget: 2 calls a second, or 5 of the Enterprise plan.
    """

    access_hint: ClassVar[str] = "Set `webhook`, or `client_id`, `client_secret` and `refresh_token` (or `code`)."

    webhook: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    code: SecretStr | None = None
    refresh_token: SecretStr | None = None
    auth_url: str = "https://oauth.bitrix.info"
    application_token: SecretStr | None = None
    member_id: str | None = None
    plan: Literal["standard", "enterprise"] = "standard"


def check(settings: AccountSettings) -> Bitrix24Settings:
    """The settings, known to be enough to make calls with.

    Raises ConfigError naming what to set.
    """
    if not isinstance(settings, Bitrix24Settings):
        raise ConfigError(f"account {settings.key} has settings of another vendor", account=settings.key)
    _check_address(settings, settings.base_url)
    if settings.webhook is not None:
        webhook_path(settings)
        return settings
    _check_address(settings, settings.auth_url)
    if settings.client_id and settings.client_secret is not None:
        return settings
    names = ("webhook", "client_secret", "refresh_token")
    raise ConfigError(
        f"account {settings.key} has neither an incoming webhook nor a whole OAuth set",
        account=settings.key,
        vendor=VENDOR,
        remedy=f"{Bitrix24Settings.access_hint} In a service the secrets come from the environment or the file .env: "
        f"{', '.join(secret_variable(settings.key, name) for name in names)}.",
    )


def limits(settings: Bitrix24Settings) -> tuple[RateLimit, ...]:
    """The portal's bucket. Source: Bitrix24 REST, page "Limits": 50 calls, 2 a second leak (Enterprise 250 and 5).

    Two are kept back because the vendor lets the bucket leak once a second, not bit by bit.
    """
    permits, per_s = (245, 0.2) if settings.plan == "enterprise" else (48, 0.5)
    host = urlsplit(settings.base_url).netloc.lower()
    return (RateLimit(f"{VENDOR}:{host}", permits, per_s, shape="bucket"),)


def webhook_path(settings: Bitrix24Settings) -> str:
    """User and secret of the incoming webhook. Raises ConfigError for one of another portal, or none at all."""
    text = settings.webhook.get_secret_value().strip() if settings.webhook else ""
    ours = urlsplit(settings.base_url)
    if "://" in text:
        parts = urlsplit(text)
        is_ours = (parts.scheme, parts.netloc.lower()) == (ours.scheme, ours.netloc.lower())
        text = parts.path.partition("/rest/")[2] if is_ours else ""
    found = _SECRET.match(text.strip("/"))
    if found is None:
        raise ConfigError(
            f"account {settings.key}: the webhook is not one of the portal {ours.hostname}",
            account=settings.key,
            vendor=VENDOR,
            remedy="Copy the whole address of the incoming webhook, https://portal/rest/USER/SECRET/, and set base_url "
            "to the same portal.",
        )
    return f"{found[1]}/{found[2]}"


def trusted_move(old: str, new: str) -> bool:
    """A redirect from `old` to `new` may be followed with our secrets: both are the vendor's own cloud, by https."""
    before, after = urlsplit(old), urlsplit(new)
    hosts = (before.hostname or "", after.hostname or "")
    return after.scheme == "https" and "@" not in after.netloc and all(_CLOUD.fullmatch(host) for host in hosts)


def portal_of(endpoint: object) -> str | None:
    """The portal's address out of its REST address (`client_endpoint`); None for what is none."""
    text = endpoint.rstrip("/") if isinstance(endpoint, str) else ""
    return text.removesuffix("/rest") if text.endswith("/rest") else None


class Authority(Protocol):
    """Says where the account's methods are and gives the token for them."""

    is_application: bool

    @property
    def base_url(self) -> str:
        """Where methods lie now; holds the secret of a webhook."""

    def access(self) -> str | None:
        """The token that goes with a call; None where the address holds the secret."""

    def renew(self, refused: str | None, error: AuthError) -> None:
        """Have another token than `refused`, which was answered with `error`; else raise AuthError."""

    def move(self, host: str) -> bool:
        """Go on at another address of the portal; False when it is not to be trusted."""


class Webhook:
    """An incoming webhook: the secret is a part of the address."""

    is_application = False

    def __init__(self, settings: Bitrix24Settings) -> None:
        self._portal = settings.base_url.rstrip("/")
        self._path = webhook_path(settings)

    @property
    def base_url(self) -> str:
        """Portal, user and secret."""
        return f"{self._portal}/rest/{self._path}"

    def access(self) -> None:
        """No token."""

    def renew(self, refused: str | None, error: AuthError) -> NoReturn:
        """Hand on the refusal: only a person can make another webhook."""
        raise error

    def move(self, host: str) -> bool:
        """Remember the new address until the settings name it."""
        if not trusted_move(self._portal, host):
            return False
        self._portal = host
        return True


class OAuth:
    """Pairs of tokens of an application; renewed only when a call was refused, as the vendor asks.

    One refresh at a time over all processes; the new pair is stored durably before it is used, and whoever comes late
    adopts it.

    Args:
        settings: the account's, with client id and secret.
        store: where the pairs are kept.
        clock: the time.
        dial: opens the authorisation server.
    """

    is_application = True

    def __init__(
        self, settings: Bitrix24Settings, store: TokenStore, clock: Clock, dial: Callable[[str], Transport]
    ) -> None:
        self._settings = settings
        self._account = settings.key
        self._store = store
        self._clock = clock
        self._dial = dial
        self._current: Tokens | None = None
        self._refused: list[Mapping[str, str]] = []

    @property
    def base_url(self) -> str:
        """The portal's methods."""
        portal = (self._current.host if self._current else None) or self._settings.base_url.rstrip("/")
        return f"{portal}/rest"

    def access(self) -> str:
        """The access token."""
        current = self._current
        if current is None:
            current = self._store.load(self._account) or self._replace(None)
            self._current = current
        return current.access

    def renew(self, refused: str | None, error: AuthError) -> None:
        """Adopt or fetch another token than `refused`."""
        if error.code not in (EXPIRED, INVALID):
            raise error
        self._replace(refused)

    def move(self, host: str) -> bool:
        """Store the new address with the tokens."""
        portal = (self._current.host if self._current else None) or self._settings.base_url
        if self._current is None or not trusted_move(portal, host):
            return False
        with self._store.refreshing(self._account):
            stored = self._store.load(self._account) or self._current
            self._current = replace(stored, host=host)
            self._store.save(self._account, self._current)
        return True

    def adopt(self, tokens: Tokens) -> None:
        """Store a pair that came with an installation, and go on with it."""
        with self._store.refreshing(self._account):
            self._store.save(self._account, tokens)
            self._current = tokens

    def hook_secret(self) -> str | None:
        """What events carry since the last installation, as the store knows it now."""
        stored = self._store.load(self._account)
        return stored.hook_secret if stored is not None else None

    def _replace(self, refused: str | None) -> Tokens:
        with self._store.refreshing(self._account):
            stored = self._store.load(self._account)
            if stored is not None and stored.access != refused:
                self._current = stored
                return stored
            answer = self._granted(stored)
            tokens = Tokens(
                access=str(answer["access_token"]),
                refresh=str(answer["refresh_token"]) if answer.get("refresh_token") else None,
                expires_at=self._clock.now().timestamp() + float(answer.get("expires_in") or 3600),
                host=self._host(answer, stored),
                hook_secret=stored.hook_secret if stored else None,
            )
            self._store.save(self._account, tokens)
            self._current = tokens
            return tokens

    def _host(self, answer: Mapping[str, Any], stored: Tokens | None) -> str | None:
        """Where the portal is now, if the authorisation server says that it has moved within the vendor's cloud."""
        known = stored.host if stored else None
        told = portal_of(answer.get("client_endpoint"))
        now = known or self._settings.base_url.rstrip("/")
        return told if told and told != now and trusted_move(now, told) else known

    def _granted(self, stored: Tokens | None) -> Mapping[str, Any]:
        """The answer to the first grant that is good: the stored token, then what the settings hold since.

        Raises AuthError when none is; what the settings hold is then not tried again.
        """
        refusal: AuthError | None = None
        for grant in self._grants(stored):
            try:
                return self._ask(grant)
            except AuthError as error:
                if error.code not in SPENT:
                    raise
                self._refused.append(grant)
                refusal = refusal or error
        raise refresh_refused(self._account, refusal)

    def _grants(self, stored: Tokens | None) -> list[Mapping[str, str]]:
        settings = self._settings
        found = [{"grant_type": "refresh_token", "refresh_token": stored.refresh}] if stored and stored.refresh else []
        others = []
        if settings.refresh_token is not None:
            others.append({"grant_type": "refresh_token", "refresh_token": settings.refresh_token.get_secret_value()})
        if settings.code is not None:
            others.append({"grant_type": "authorization_code", "code": settings.code.get_secret_value()})
        if not found and not others:
            raise AuthError(
                "the application has never been authorised in this portal",
                account=self._account,
                vendor=VENDOR,
                remedy="Set the refresh_token that came with the installation, or a fresh code.",
            )
        return [*found, *(one for one in others if one not in found and one not in self._refused)]

    def _ask(self, grant: Mapping[str, str]) -> Mapping[str, Any]:
        settings = self._settings
        secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
        form = {"client_id": settings.client_id or "", "client_secret": secret, **grant}
        line = self._dial(settings.auth_url.rstrip("/"))
        try:
            answer = line.send(Request("GET", "/oauth/token/", query=list(form.items()))).json()
        except VendorDown as down:
            if not down.maybe_applied:
                raise
            return self._after_lost_answer(line, form)
        finally:
            line.close()
        return self._usable(answer)

    def _after_lost_answer(self, line: Transport, form: Mapping[str, str]) -> Mapping[str, Any]:
        # The request may never have arrived: the same grant is worth one more try before a person is called.
        try:
            return self._usable(line.send(Request("GET", "/oauth/token/", query=list(form.items()))).json())
        except AuthError as refused:
            raise AuthError(
                "the answer with the new tokens was lost and the old refresh token is spent",
                account=self._account,
                vendor=VENDOR,
                status=refused.status,
                remedy=AUTHORISE,
            ) from None

    def _usable(self, answer: Any) -> Mapping[str, Any]:
        if isinstance(answer, Mapping) and isinstance(answer.get("access_token"), str):
            self._check_member(answer)
            return answer
        raise VendorDown(
            "the authorisation server answered without tokens",
            maybe_applied=True,
            account=self._account,
            vendor=VENDOR,
            remedy="Check auth_url.",
        )

    def _check_member(self, answer: Mapping[str, Any]) -> None:
        ours, theirs = self._settings.member_id, answer.get("member_id")
        if ours and theirs and ours != theirs:
            raise AuthError(
                "the tokens belong to another portal",
                account=self._account,
                vendor=VENDOR,
                remedy="Correct member_id, or authorise the application in the right portal.",
            )


def _check_address(settings: Bitrix24Settings, address: str) -> None:
    parts = urlsplit(address)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if is_safe and parts.hostname and "@" not in parts.netloc and "/rest" not in parts.path:
        return
    raise ConfigError(
        f"account {settings.key}: {parts.scheme or 'no scheme'}://{parts.hostname or ''} is no address for secrets",
        account=settings.key,
        vendor=VENDOR,
        remedy="Set base_url to the portal's address, for instance https://acme.bitrix24.ru; the webhook is a secret "
        "of its own.",
    )
