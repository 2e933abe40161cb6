"""The app of the portal, its tokens, and the inbound webhooks."""

import secrets
from urllib.parse import urlsplit

from crmkit_sandbox.wire import Row

from .portal import Portal
from .problems import Problem

LIVES_S, REFRESH_LIVES_S, CODE_LIVES_S = 3600, 180 * 86_400, 30
SCOPES = ("crm", "task", "tasks", "user", "telephony", "department", "placement", "event")


class OAuth:
    """Tokens of one local app by the sandbox clock; a refresh token works once."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.client_id = f"local.{secrets.token_hex(7)}.{secrets.randbelow(90_000_000) + 10_000_000}"
        self.client_secret = secrets.token_urlsafe(36)
        self.member_id = secrets.token_hex(16)
        self.application_token = secrets.token_hex(16)
        self.redirect_uri = "https://app.example/bitrix24/oauth"
        self.scopes: tuple[str, ...] = SCOPES
        self.webhook_scopes: tuple[str, ...] = SCOPES
        self.status = "L"
        self.lives_s = LIVES_S
        self.refreshes = 0
        self.base_url = ""
        # True since the portal was given another host.
        self.has_moved = False
        self.webhooks: dict[str, int] = {}
        self._access: dict[str, tuple[float, int]] = {}
        self._refresh: dict[str, tuple[float, int]] = {}
        self._codes: dict[str, tuple[float, int]] = {}

    def addresses(self) -> Row:
        """The portal's and the authorisation server's addresses as answers name them."""
        endpoint = f"{self.base_url}/rest/"
        return {"domain": urlsplit(self.base_url).netloc, "client_endpoint": endpoint, "server_endpoint": endpoint}

    def webhook_secret(self, user_id: int) -> str:
        """The secret of the user's inbound webhook."""
        for secret, owner in self.webhooks.items():
            if owner == user_id:
                return secret
        secret = secrets.token_hex(8)
        self.webhooks[secret] = user_id
        return secret

    def auth_code(self, user_id: int = 0) -> str:
        """A one-time code that lives 30 seconds."""
        code = secrets.token_hex(20)
        self._codes[code] = (self._now() + CODE_LIVES_S, user_id or self.portal.admin_id)
        return code

    def issue_access(self, user_id: int, lives_s: int | None = None) -> str:
        """A fresh access token alone."""
        token = secrets.token_hex(35)
        self._access[token] = (self._now() + (self.lives_s if lives_s is None else lives_s), user_id)
        return token

    def issue(self, *, expires_in: int | None = None, user_id: int | None = None) -> Row:
        """A token answer of the authorisation server."""
        owner = user_id or self.portal.admin_id
        lives_s = self.lives_s if expires_in is None else expires_in
        refresh = secrets.token_hex(35)
        self._refresh[refresh] = (self._now() + REFRESH_LIVES_S, owner)
        return {
            "access_token": self.issue_access(owner, lives_s),
            "expires": int(self._now()) + lives_s,
            "expires_in": lives_s,
            "scope": ",".join(self.scopes),
            **self.addresses(),
            "status": self.status,
            "member_id": self.member_id,
            "user_id": owner,
            "refresh_token": refresh,
        }

    def user_of(self, token: str) -> int:
        """The user behind an access token.

        Raises Problem 401 for an unknown or an expired one.
        """
        found = self._access.get(token)
        if found is None:
            raise Problem(401, "invalid_token", "Unable to get application by token")
        if self._now() >= found[0]:
            raise Problem(401, "expired_token", "The access token provided has expired.")
        return found[1]

    def revoke_all(self) -> None:
        """Forget every token of the app, as when it is removed."""
        self._access.clear()
        self._refresh.clear()

    def exchange(self, query: Row) -> Row:
        """Answer the authorisation server's token address.

        Raises Problem 400 or 401 as it refuses.
        """
        if query.get("grant_type") not in ("authorization_code", "refresh_token"):
            raise Problem(400, "invalid_request", "Invalid request")
        if (query.get("client_id"), query.get("client_secret")) != (self.client_id, self.client_secret):
            raise Problem(401, "invalid_client", "Invalid client")
        is_code = query["grant_type"] == "authorization_code"
        shelf, name = (self._codes, "code") if is_code else (self._refresh, "refresh_token")
        # Taken out at once: both kinds work a single time.
        ends, user_id = shelf.pop(str(query.get(name)), (0.0, 0))
        if ends <= self._now():
            raise Problem(400, "invalid_grant", "Invalid grant")
        self.refreshes += not is_code
        return self.issue(user_id=user_id)

    def _now(self) -> float:
        return self.portal.world.clock.now()
