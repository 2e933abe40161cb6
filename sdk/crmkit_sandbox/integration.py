"""The integration that an emulated CRM with OAuth has: what its program is given to sign in with."""

from typing import Generic, Protocol, TypeVar

from .wire import Row


class OAuthServer(Protocol):
    """The vendor's memory of one integration and its tokens."""

    client_id: str
    client_secret: str
    redirect_uri: str

    def auth_code(self) -> str:
        """A one-time code."""

    def issue(self, *, expires_in: int | None = None, user_id: int | None = None) -> Row:
        """A token answer."""


ServerT = TypeVar("ServerT", bound=OAuthServer)


class Integration(Generic[ServerT]):
    """The side of an emulated CRM that knows one integration."""

    oauth: ServerT

    @property
    def client_id(self) -> str:
        """The integration's id."""
        return self.oauth.client_id

    @property
    def client_secret(self) -> str:
        """The integration's secret."""
        return self.oauth.client_secret

    @property
    def redirect_uri(self) -> str:
        """The integration's registered address."""
        return self.oauth.redirect_uri

    @redirect_uri.setter
    def redirect_uri(self, uri: str) -> None:
        """Register another address."""
        self.oauth.redirect_uri = uri

    def auth_code(self) -> str:
        """A one-time authorisation code, which lives as long as the vendor says."""
        return self.oauth.auth_code()

    def issue_tokens(self, expires_in: int | None = None, *, user_id: int | None = None) -> Row:
        """A fresh token answer of the vendor: access_token, refresh_token, expires_in and the rest."""
        return self.oauth.issue(expires_in=expires_in, user_id=user_id)
