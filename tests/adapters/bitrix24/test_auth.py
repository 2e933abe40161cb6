"""Addresses, webhooks and pairs of tokens of Bitrix24."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from pydantic import SecretStr
from tests.adapters.bitrix24.access import connected

from crmkit.adapter import Doors
from crmkit.errors import AuthError, ConfigError, VendorDown
from crmkit.http import LocalLimiter, RateLimit
from crmkit.tokens import FileTokenStore, Tokens
from crmkit_bitrix24 import Bitrix24Adapter, Bitrix24Settings
from crmkit_bitrix24.adapter import Bitrix24Connection
from crmkit_bitrix24.auth import trusted_move, webhook_path
from crmkit_testing.bitrix24 import Bitrix24Side

PORTAL = "https://okna.bitrix24.ru"
EXPIRED = {"error": "expired_token", "error_description": "The access token provided has expired."}


def application(**more: Any) -> Bitrix24Settings:
    values = {"base_url": PORTAL, "client_id": "app.1", "client_secret": SecretStr("s3cret"), **more}
    return Bitrix24Settings(key="okna", vendor="bitrix24", **values)


def installed(side: Bitrix24Side, **more: Any) -> Bitrix24Settings:
    return application(
        base_url=side.portal.base_url,
        auth_url=side.portal.base_url,
        client_id=side.portal.client_id,
        client_secret=SecretStr(side.portal.client_secret),
        **more,
    )


@pytest.mark.parametrize(
    "text",
    ["1/s3cret", "1/s3cret/", "https://okna.bitrix24.ru/rest/1/s3cret/", "https://okna.bitrix24.ru/rest/1/s3cret"],
)
def test_a_webhook_is_taken_whole_or_by_its_end(text: str) -> None:
    """User and secret, however they were copied."""
    settings = Bitrix24Settings(key="okna", vendor="bitrix24", base_url=PORTAL, webhook=SecretStr(text))
    assert webhook_path(settings) == "1/s3cret"


@pytest.mark.parametrize("text", ["https://dveri.bitrix24.ru/rest/1/s3cret/", "s3cret", "https://okna.bitrix24.ru/"])
def test_a_webhook_of_another_portal_is_a_config_error(text: str) -> None:
    """Its secret must not go to our base_url, nor be shown."""
    settings = Bitrix24Settings(key="okna", vendor="bitrix24", base_url=PORTAL, webhook=SecretStr(text))
    with pytest.raises(ConfigError) as wrong:
        webhook_path(settings)
    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize(
    "settings",
    [
        Bitrix24Settings(key="okna", vendor="bitrix24", base_url=PORTAL),
        application(client_secret=None),
        application(base_url="http://okna.bitrix24.ru"),
        application(base_url=f"{PORTAL}/rest/1/s3cret"),
        application(auth_url="http://oauth.bitrix.info"),
    ],
)
def test_settings_that_cannot_work_are_told_before_any_call(settings: Bitrix24Settings) -> None:
    """Nothing to call with, half of an application, a plain address."""
    with pytest.raises(ConfigError) as wrong:
        Bitrix24Adapter().limits(settings)
    assert wrong.value.account == "okna"
    assert wrong.value.remedy


def test_the_budget_is_the_portals() -> None:
    """A bucket for all who call the portal; a better plan has a larger one."""
    adapter = Bitrix24Adapter()
    assert adapter.limits(application()) == (RateLimit("bitrix24:okna.bitrix24.ru", 48, 0.5, shape="bucket"),)
    assert adapter.limits(application(plan="enterprise")) == (
        RateLimit("bitrix24:okna.bitrix24.ru", 245, 0.2, shape="bucket"),
    )


@pytest.mark.parametrize(
    ("new", "is_trusted"),
    [
        ("https://dveri.bitrix24.ru", True),
        ("https://okna.bitrix24.com.br", True),
        ("http://dveri.bitrix24.ru", False),
        ("https://bitrix24.ru.evil.example", False),
        ("https://evil@dveri.bitrix24.ru", False),
    ],
)
def test_only_the_vendors_cloud_is_followed(new: str, is_trusted: bool) -> None:
    """A redirect decides where our secrets go."""
    assert trusted_move(PORTAL, new) is is_trusted


@responses.activate
def test_a_renamed_portal_is_followed_with_the_same_call() -> None:
    """The redirected post is sent again as a post, to the new address, and later calls go there at once."""
    old, new = f"{PORTAL}/rest/1/s3cret", "https://dveri.bitrix24.ru/rest/1/s3cret"
    responses.post(f"{old}/crm.deal.get", status=302, headers={"Location": f"{new}/crm.deal.get"})
    responses.post(f"{new}/crm.deal.get", json={"result": {"ID": "1"}})
    settings = Bitrix24Settings(key="okna", vendor="bitrix24", base_url=PORTAL, webhook=SecretStr("1/s3cret"))
    connection = Bitrix24Adapter().open(settings, Doors(tokens=FileTokenStore(Path()), limiter=LocalLimiter()))
    assert [connection.call("GET", "crm.deal.get", body={"id": 1}) for _ in range(2)] == [{"ID": "1"}] * 2
    assert [call.request.url for call in responses.calls] == [f"{host}/crm.deal.get" for host in (old, new, new)]
    assert responses.calls[1].request.body == b'{"id": 1}'


@responses.activate
def test_a_redirect_out_of_the_cloud_is_not_followed() -> None:
    """The error names no secret, and the stranger gets no call."""
    address = f"{PORTAL}/rest/1/s3cret/profile"
    responses.post(address, status=302, headers={"Location": "https://evil.example/rest/1/s3cret/profile"})
    settings = Bitrix24Settings(key="okna", vendor="bitrix24", base_url=PORTAL, webhook=SecretStr("1/s3cret"))
    connection = Bitrix24Adapter().open(settings, Doors(tokens=FileTokenStore(Path()), limiter=LocalLimiter()))
    with pytest.raises(ConfigError) as moved:
        connection.call("POST", "profile")
    assert [call.request.url for call in responses.calls] == [address]
    assert "s3cret" not in str(moved.value)


def test_a_token_is_renewed_only_when_it_was_refused(side: Bitrix24Side, tmp_path: Path) -> None:
    """Within the hour the first pair serves; then one renewal, stored for the next start."""
    first = side.portal.issue_tokens()
    connection = connected(side, installed(side, refresh_token=SecretStr(first["refresh_token"])), tmp_path)
    connection.account()
    renewed = [side.portal.oauth.refreshes]
    side.turn(1800)
    connection.call("GET", "profile")
    renewed.append(side.portal.oauth.refreshes)
    side.turn(1801)
    connection.call("GET", "profile")
    renewed.append(side.portal.oauth.refreshes)
    stored = FileTokenStore(tmp_path).load("okna")
    again = connected(side, installed(side), tmp_path)
    assert renewed == [1, 1, 2]
    assert stored is not None
    assert again.account().user_id == "1"
    assert side.portal.oauth.refreshes == 2


def test_threads_at_expiry_make_one_renewal(side: Bitrix24Side, tmp_path: Path) -> None:
    """Whoever comes late adopts the new pair; nobody fails."""
    settings = installed(side, refresh_token=SecretStr(side.portal.issue_tokens()["refresh_token"]))
    connections = [connected(side, settings, tmp_path) for _ in range(2)]
    connections[0].call("GET", "profile")
    side.turn(3601)
    before = side.portal.oauth.refreshes
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: connections[number % 2].call("GET", "profile"), range(16)))
    assert len([one for one in found if one]) == 16
    assert side.portal.oauth.refreshes == before + 1


def test_a_code_brings_the_first_pair(side: Bitrix24Side, tmp_path: Path) -> None:
    """A full authorisation needs no refresh token."""
    connection = connected(side, installed(side, code=SecretStr(side.portal.auth_code())), tmp_path)
    assert connection.account().vendor == "bitrix24"


@pytest.mark.parametrize("stored", [None, Tokens("dead", "dead-too")])
def test_what_cannot_be_renewed_needs_a_person(side: Bitrix24Side, tmp_path: Path, stored: Tokens | None) -> None:
    """Nothing to begin with, or a spent pair: the error says what to do and shows no token."""
    if stored is not None:
        FileTokenStore(tmp_path).save("okna", stored)
    with pytest.raises(AuthError) as refused:
        connected(side, installed(side), tmp_path).account()
    assert refused.value.pauses_account
    assert refused.value.remedy
    assert "dead" not in str(refused.value)


def test_tokens_of_another_portal_are_not_kept(side: Bitrix24Side, tmp_path: Path) -> None:
    """The portal's identity decides, not its address."""
    refresh = SecretStr(side.portal.issue_tokens()["refresh_token"])
    with pytest.raises(AuthError):
        connected(side, installed(side, refresh_token=refresh, member_id="somebody-else"), tmp_path).account()
    assert FileTokenStore(tmp_path).load("okna") is None


def test_a_dead_webhook_is_not_tried_again(side: Bitrix24Side, tmp_path: Path) -> None:
    """One call, one refusal: only a person can make another webhook."""
    settings = Bitrix24Settings(
        key="okna", vendor="bitrix24", base_url=side.portal.base_url, webhook=SecretStr("1/0123456789abcdef")
    )
    with pytest.raises(AuthError) as refused:
        connected(side, settings, tmp_path).call("GET", "profile")
    assert side.requests() == 1
    assert "0123456789abcdef" not in str(refused.value)


def _answers(*tokens: dict[str, Any]) -> None:
    for body in tokens:
        responses.get("https://oauth.bitrix.info/oauth/token/", json=body, status=400 if "error" in body else 200)


def _application(tmp_path: Path) -> Bitrix24Connection:
    FileTokenStore(tmp_path).save("okna", Tokens("access-1", "refresh-1"))
    return Bitrix24Adapter().open(application(), Doors(tokens=FileTokenStore(tmp_path), limiter=LocalLimiter()))


@responses.activate
def test_an_expired_token_is_renewed_and_the_call_sent_again(tmp_path: Path) -> None:
    """The same post with the new token, also for a write: a refused call did nothing."""
    responses.post(f"{PORTAL}/rest/crm.deal.add", json=EXPIRED, status=401)
    responses.post(f"{PORTAL}/rest/crm.deal.add", json={"result": 5})
    _answers({"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 3600})
    assert _application(tmp_path).call("POST", "crm.deal.add", body={"fields": {}}) == 5
    posts = [call.request.body for call in responses.calls if call.request.method == "POST"]
    assert posts == [b'{"fields": {}, "auth": "access-1"}', b'{"fields": {}, "auth": "access-2"}']
    stored = FileTokenStore(tmp_path).load("okna")
    assert stored is not None
    assert (stored.access, stored.refresh) == ("access-2", "refresh-2")


@responses.activate
@pytest.mark.parametrize("is_spent", [False, True])
def test_a_lost_token_answer_is_asked_for_once_more(tmp_path: Path, is_spent: bool) -> None:
    """The request may not have arrived; when the old token is spent by then, a person is called."""
    responses.post(f"{PORTAL}/rest/profile", json=EXPIRED, status=401)
    responses.post(f"{PORTAL}/rest/profile", json={"result": {"ID": "1"}})
    responses.get("https://oauth.bitrix.info/oauth/token/", body=requests.ConnectionError("reset"))
    _answers({"error": "invalid_grant"} if is_spent else {"access_token": "access-2", "refresh_token": "refresh-2"})
    connection = _application(tmp_path)
    if not is_spent:
        assert connection.call("GET", "profile") == {"ID": "1"}
        return
    with pytest.raises(AuthError) as lost:
        connection.call("GET", "profile")
    assert "refresh token is spent" in str(lost.value)
    assert "refresh-1" not in str(lost.value)


@responses.activate
def test_a_server_that_gives_no_tokens_is_down(tmp_path: Path) -> None:
    """A page for people, or an object without tokens: nothing is stored over the old pair."""
    responses.post(f"{PORTAL}/rest/profile", json=EXPIRED, status=401)
    _answers({"hello": "world"})
    with pytest.raises(VendorDown):
        _application(tmp_path).call("GET", "profile")
    stored = FileTokenStore(tmp_path).load("okna")
    assert stored is not None
    assert stored.access == "access-1"


@responses.activate
def test_the_new_address_of_a_portal_is_kept_with_its_tokens(tmp_path: Path) -> None:
    """The next start goes there at once."""
    new = "https://dveri.bitrix24.ru"
    responses.post(f"{PORTAL}/rest/profile", status=301, headers={"Location": f"{new}/rest/profile"})
    responses.post(f"{new}/rest/profile", json={"result": {"ID": "1"}})
    assert _application(tmp_path).call("GET", "profile") == {"ID": "1"}
    stored = FileTokenStore(tmp_path).load("okna")
    assert stored is not None
    assert (stored.access, stored.host) == ("access-1", new)


@responses.activate
def test_another_refusal_is_not_answered_with_a_renewal(tmp_path: Path) -> None:
    """A call that is not authorised for another reason is told as it is."""
    wrong = {"error": "NO_AUTH_FOUND", "error_description": "Wrong authorization data"}
    responses.post(f"{PORTAL}/rest/profile", json=wrong, status=401)
    with pytest.raises(AuthError) as refused:
        _application(tmp_path).call("GET", "profile")
    assert (refused.value.code, len(responses.calls)) == ("NO_AUTH_FOUND", 1)


def test_a_spent_pair_gives_way_to_what_the_settings_hold_since(side: Bitrix24Side, tmp_path: Path) -> None:
    """The stored token is tried first; a new one in the settings saves the account, and is asked for once when bad."""
    store = FileTokenStore(tmp_path)
    spent = Tokens("dead", "spent-elsewhere")
    store.save("okna", spent)
    fresh = SecretStr(side.portal.issue_tokens()["refresh_token"])
    connection = connected(side, installed(side, refresh_token=fresh), tmp_path)
    connection.call("GET", "profile")
    renewed = store.load("okna")
    store.save("okna", spent)
    hopeless = connected(side, installed(side, refresh_token=SecretStr("bad")), tmp_path)
    before = side.portal.requests.count(path="/oauth/token/")
    for _ in range(3):
        with pytest.raises(AuthError, match="the refresh token is refused: it is spent, expired or revoked"):
            hopeless.call("GET", "profile")
    assert renewed is not None
    assert renewed.access != "dead"
    assert side.portal.requests.count(path="/oauth/token/") - before == 4
