"""Tokens: codes that work once, refresh tokens that work once, access tokens that expire by the sandbox clock."""

import base64
import json
import secrets
from dataclasses import dataclass, field

from crmkit_sandbox.wire import Row

from .account import Account
from .problems import ProblemError, oauth_problem

CODE_LIVES_S = 20 * 60
REFRESH_LIVES_S = 90 * 86400
ACCESS_LIVES_S = 86400
BAD_REQUEST = "Некорректный запрос"
BAD_DETAIL = "В запросе отсутствует ряд параметров или параметры невалидны"


@dataclass
class OAuth:
    """The token endpoint's memory; tokens outlive `reset` of the records."""

    account: Account
    client_id: str = "5f0c1d6e-0000-4000-8000-00000000c0de"
    client_secret: str = "sandbox-client-secret"
    redirect_uri: str = "http://127.0.0.1/oauth/callback"
    refreshes: int = 0
    _codes: dict[str, float] = field(default_factory=dict)
    _refresh: dict[str, float] = field(default_factory=dict)
    _spent: set[str] = field(default_factory=set)
    _access: dict[str, tuple[float, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.long_lived = self._jwt(float("inf"), self.account.owner_id)
        self._access[self.long_lived] = (float("inf"), 0)

    def auth_code(self) -> str:
        """A one-time code that lives 20 minutes."""
        code = "def502" + secrets.token_hex(40)
        self._codes[code] = self.account.world.clock.now() + CODE_LIVES_S
        return code

    def issue(self, *, expires_in: int | None = None, user_id: int | None = None) -> Row:
        """A new pair of tokens in the shape of the token answer."""
        now, lives_s = self.account.world.clock.now(), ACCESS_LIVES_S if expires_in is None else expires_in
        owner = self.account.owner_id if user_id is None else user_id
        access, refresh = self._jwt(now + lives_s, owner), "def502" + secrets.token_hex(80)
        self._access[access] = (now + lives_s, 0 if user_id is None else user_id)
        self._refresh[refresh] = now + REFRESH_LIVES_S
        return {
            "token_type": "Bearer",
            "expires_in": lives_s,
            "access_token": access,
            "refresh_token": refresh,
        }

    def user_of(self, token: str) -> int | None:
        """The user in whose name `token` acts, None when it is unknown or expired."""
        found = self._access.get(token)
        if found is None or self.account.world.clock.now() >= found[0]:
            return None
        return found[1] or self.account.owner_id

    def knows_refresh(self, token: str) -> bool:
        """True for a refresh token that is still good."""
        return self._refresh.get(token, 0) > self.account.world.clock.now()

    def revoke_all(self) -> None:
        """Forget every token, as when the integration is switched off; the long-lived one too."""
        self._spent.update(self._refresh)
        self._refresh.clear()
        self._access.clear()

    def exchange(self, body: Row) -> Row:
        """Answer the token endpoint.

        Raises ProblemError as the vendor refuses.
        """
        needed = ("client_id", "client_secret", "grant_type", "redirect_uri")
        if any(not body.get(name) for name in needed):
            raise oauth_problem(400, BAD_REQUEST, BAD_DETAIL)
        if (body["client_id"], body["client_secret"]) != (self.client_id, self.client_secret):
            raise oauth_problem(401, "Некорректный клиент", "Авторизация клиента не прошла")
        if body["redirect_uri"] != self.redirect_uri:
            raise oauth_problem(400, BAD_REQUEST, BAD_DETAIL)
        ways = {"authorization_code": self._by_code, "refresh_token": self._by_refresh}
        if body["grant_type"] not in ways:
            raise oauth_problem(400, BAD_REQUEST, BAD_DETAIL)
        return ways[body["grant_type"]](body)

    def _by_code(self, body: Row) -> Row:
        ends = self._codes.pop(str(body.get("code")), 0.0)
        if ends <= self.account.world.clock.now():
            raise oauth_problem(400, BAD_REQUEST, BAD_DETAIL)
        return self.issue()

    def _by_refresh(self, body: Row) -> Row:
        token = str(body.get("refresh_token"))
        if not self.knows_refresh(token):
            raise self._refused(token)
        del self._refresh[token]
        self._spent.add(token)
        self.refreshes += 1
        return self.issue()

    def _refused(self, token: str) -> ProblemError:
        hint = "Token has been revoked" if token in self._spent else None
        return oauth_problem(401, BAD_REQUEST, BAD_DETAIL, hint)

    def _jwt(self, expires_at: float, user_id: int) -> str:
        now = int(self.account.world.clock.now())
        claims = {
            "aud": self.client_id,
            "jti": secrets.token_hex(40),
            "iat": now,
            "nbf": now,
            "exp": now + 5 * 365 * 86400 if expires_at == float("inf") else int(expires_at),
            "sub": str(user_id),
            "grant_type": "",
            "account_id": self.account.id,
            "base_domain": "amocrm.ru",
            "version": 2,
            "scopes": ["crm", "files", "files_delete", "notifications", "push_notifications"],
            "hash_uuid": secrets.token_hex(16),
            "api_domain": "api-b.amocrm.ru",
        }
        parts = [json.dumps({"typ": "JWT", "alg": "RS256"}), json.dumps(claims)]
        return ".".join([*(_encoded(part.encode()) for part in parts), _encoded(secrets.token_bytes(64))])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
