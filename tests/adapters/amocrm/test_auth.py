"""Tokens of amoCRM: one refresh however many ask, adopted by all; lost and refused answers end as well as they can."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from pydantic import SecretStr

from crmkit import connect
from crmkit.adapter import Doors
from crmkit.clock import TurnedClock
from crmkit.errors import AuthError, ConfigError, VendorDown
from crmkit.http import LocalLimiter
from crmkit.settings import read_settings
from crmkit.tokens import FileTokenStore, Tokens
from crmkit_amocrm import AmoCrmAdapter, AmoCrmSettings
from crmkit_amocrm.adapter import AmoCrmConnection
from crmkit_amocrm.auth import vendor_host

HOST = "https://acme.amocrm.ru"
TOKEN_URL = f"{HOST}/oauth2/access_token"
ACCOUNT_URL = f"{HOST}/api/v4/account"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACCOUNT = {"id": 31, "name": "Ромашка", "currency": "RUB", "current_user_id": 7}
REVOKED = {"hint": "Token has been revoked", "title": "Некорректный запрос", "status": 401}


def jwt(name: str, **claims: Any) -> str:
    """An access token that says these things of itself."""
    payload = base64.urlsafe_b64encode(json.dumps({"jti": name, **claims}).encode()).rstrip(b"=").decode()
    return f"head.{payload}.sign"


def pair(name: str, *, left_s: float, host: str | None = None, **claims: Any) -> Tokens:
    return Tokens(jwt(name, **claims), f"refresh-{name}", NOW.timestamp() + left_s, host)


def oauth_settings(**values: Any) -> AmoCrmSettings:
    return AmoCrmSettings(
        key="acme",
        vendor="amocrm",
        base_url=HOST,
        client_id="uuid",
        client_secret=SecretStr("cl1ent-s3cret"),
        redirect_uri="https://example.test/install",
        **values,
    )


def opened(folder: Path, clock: TurnedClock | None = None, **values: Any) -> AmoCrmConnection:
    doors = Doors(tokens=FileTokenStore(folder), limiter=LocalLimiter(), clock=clock or TurnedClock(NOW))
    return AmoCrmAdapter().open(oauth_settings(**values), doors)


class TokenServer:
    """amoCRM's token endpoint: a refresh token works once; the account answers to the newest access token."""

    def __init__(self, mock: responses.RequestsMock, refresh: str) -> None:
        self.refresh, self.access, self.asked = refresh, "", 0
        self._lock = threading.Lock()
        mock.add_callback(responses.POST, TOKEN_URL, self.answer)
        mock.add_callback(responses.GET, ACCOUNT_URL, self.account)

    def answer(self, request: Any) -> tuple[int, Mapping[str, str], str]:
        body = json.loads(request.body)
        with self._lock:
            self.asked += 1
            if body.get("refresh_token", body.get("code")) != self.refresh:
                return 401, {}, json.dumps(REVOKED)
            self.refresh, self.access = f"new-refresh-{self.asked}", jwt(f"new-{self.asked}")
            answer = {"expires_in": 86400, "access_token": self.access, "refresh_token": self.refresh}
            return 200, {}, json.dumps(answer)

    def account(self, request: Any) -> tuple[int, Mapping[str, str], str]:
        if request.headers["Authorization"] != f"Bearer {self.access}":
            return 401, {}, json.dumps({"title": "Unauthorized", "status": 401})
        return 200, {}, json.dumps(ACCOUNT)


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as found:
        yield found


class TestRefresh:
    def test_eight_threads_at_expiry_make_one_token_request(self, tmp_path: Path, mock: responses.RequestsMock) -> None:
        """Each over a connection of its own, as processes would; none fails, and the new pair is stored."""
        FileTokenStore(tmp_path).save("acme", pair("old", left_s=-10))
        server = TokenServer(mock, "refresh-old")
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: opened(tmp_path).account().id, range(8)))
        stored = FileTokenStore(tmp_path).load("acme")
        assert (found, server.asked) == (["31"] * 8, 1)
        assert stored == Tokens(server.access, "new-refresh-1", NOW.timestamp() + 86400)

    def test_a_token_is_renewed_ahead_of_its_end(self, tmp_path: Path, mock: responses.RequestsMock) -> None:
        """Minutes before, so that no call meets a dead token."""
        FileTokenStore(tmp_path).save("acme", pair("old", left_s=120))
        server = TokenServer(mock, "refresh-old")
        assert opened(tmp_path).account().id == "31"
        assert [call.request.url for call in mock.calls] == [TOKEN_URL, f"{ACCOUNT_URL}?with=datetime_settings"]
        assert server.asked == 1

    def test_a_refused_token_is_renewed_once_and_the_call_repeated(
        self, tmp_path: Path, mock: responses.RequestsMock
    ) -> None:
        """401 before its time: the vendor knows better than the clock."""
        FileTokenStore(tmp_path).save("acme", pair("old", left_s=9000))
        server = TokenServer(mock, "refresh-old")
        assert (opened(tmp_path).account().id, server.asked) == ("31", 1)

    def test_a_newer_pair_in_the_store_is_adopted(self, tmp_path: Path, mock: responses.RequestsMock) -> None:
        """A process that slept through another's refresh spends no refresh token."""
        store = FileTokenStore(tmp_path)
        store.save("acme", pair("old", left_s=9000))
        sleeper = opened(tmp_path)
        server = TokenServer(mock, "refresh-old")
        opened(tmp_path).account()
        assert (sleeper.account().id, server.asked) == ("31", 1)

    def test_a_refusal_asks_for_a_person_and_keeps_the_store(
        self, tmp_path: Path, mock: responses.RequestsMock
    ) -> None:
        """The error says what to do and holds no secret; the old pair is not overwritten."""
        old = pair("old", left_s=-10)
        FileTokenStore(tmp_path).save("acme", old)
        TokenServer(mock, "somebody-elses")
        with pytest.raises(AuthError) as refused:
            opened(tmp_path).account()
        shown = f"{refused.value} {refused.value.__dict__}"
        assert "new code" in (refused.value.remedy or "")
        assert [secret for secret in ("cl1ent-s3cret", "refresh-old", old.access) if secret in shown] == []
        assert FileTokenStore(tmp_path).load("acme") == old

    def test_a_new_code_takes_the_place_of_a_refused_pair(self, tmp_path: Path, mock: responses.RequestsMock) -> None:
        """The person has set the code that the error asked for: the new pair is stored, and the call goes through."""
        FileTokenStore(tmp_path).save("acme", pair("old", left_s=-10))
        server = TokenServer(mock, "fresh-c0de")
        assert opened(tmp_path, code=SecretStr("fresh-c0de")).account().id == "31"
        assert FileTokenStore(tmp_path).load("acme") == Tokens(server.access, server.refresh, NOW.timestamp() + 86400)

    def test_a_spent_code_is_tried_once_and_the_refusal_stands(
        self, tmp_path: Path, mock: responses.RequestsMock
    ) -> None:
        """The code of the first day is still set: one request more, and the same clear error, now and later.

        A call a moment later takes the spent token to nobody; a minute later it is tried again.
        """
        old = pair("old", left_s=-10)
        FileTokenStore(tmp_path).save("acme", old)
        server = TokenServer(mock, "somebody-elses")
        clock = TurnedClock(NOW)
        connection = opened(tmp_path, clock=clock, code=SecretStr("old-c0de"))
        asked = []
        for later_s in (0, 1, 61):
            clock.advance(timedelta(seconds=later_s))
            with pytest.raises(AuthError, match="spent, expired or revoked"):
                connection.account()
            asked.append(server.asked)
        assert (asked, FileTokenStore(tmp_path).load("acme")) == ([2, 2, 3], old)

    def test_a_lost_token_answer_is_tried_once_more(self, tmp_path: Path, mock: responses.RequestsMock) -> None:
        """The request may not have arrived; the same refresh token then still works."""
        FileTokenStore(tmp_path).save("acme", pair("old", left_s=-10))
        mock.add(responses.POST, TOKEN_URL, body=requests.ConnectionError("reset"))
        mock.add(
            responses.POST, TOKEN_URL, json={"access_token": "a", "refresh_token": "r", "expires_in": 10}, status=200
        )
        mock.add(responses.GET, ACCOUNT_URL, json=ACCOUNT)
        assert opened(tmp_path).account().id == "31"
        assert FileTokenStore(tmp_path).load("acme") == Tokens("a", "r", NOW.timestamp() + 10)

    def test_a_lost_answer_that_had_spent_the_token_is_told_so(
        self, tmp_path: Path, mock: responses.RequestsMock
    ) -> None:
        """Two requests, then a person: no third one, no loop."""
        FileTokenStore(tmp_path).save("acme", pair("old", left_s=-10))
        mock.add(responses.POST, TOKEN_URL, body=requests.ConnectionError("reset"))
        mock.add(responses.POST, TOKEN_URL, json=REVOKED, status=401)
        with pytest.raises(AuthError, match="lost"):
            opened(tmp_path).account()
        assert len(mock.calls) == 2

    def test_an_endpoint_that_is_away_does_not_stop_a_living_token(
        self, tmp_path: Path, mock: responses.RequestsMock
    ) -> None:
        """Ahead of time a failed refresh is not felt."""
        FileTokenStore(tmp_path).save("acme", pair("old", left_s=120))
        mock.add(responses.POST, TOKEN_URL, body="<html>", status=502)
        mock.add(responses.GET, ACCOUNT_URL, json=ACCOUNT)
        assert opened(tmp_path).account().id == "31"

    def test_a_crash_before_saving_leaves_the_old_pair(self, tmp_path: Path, mock: responses.RequestsMock) -> None:
        """A pair that could not be stored is not used: no call is made with it."""

        class Full(FileTokenStore):
            def save(self, account: str, tokens: Tokens) -> None:
                raise OSError("disk full")

        FileTokenStore(tmp_path).save("acme", pair("old", left_s=-10))
        TokenServer(mock, "refresh-old")
        doors = Doors(tokens=Full(tmp_path), limiter=LocalLimiter(), clock=TurnedClock(NOW))
        with pytest.raises(OSError, match="disk full"):
            AmoCrmAdapter().open(oauth_settings(), doors).account()
        assert [call.request.url for call in mock.calls] == [TOKEN_URL]

    def test_a_moved_account_is_found_and_refreshed_there(self, tmp_path: Path, mock: responses.RequestsMock) -> None:
        """The shared host tells the new address; it is stored with the tokens, and calls go there."""
        FileTokenStore(tmp_path).save("acme", pair("old", left_s=-10, api_domain="api-b.amocrm.ru"))
        mock.add(responses.POST, TOKEN_URL, json=REVOKED, status=401)
        mock.add(
            responses.GET,
            "https://api-b.amocrm.ru/oauth2/account/current/subdomain",
            json={"id": 31, "subdomain": "new", "domain": "new.amocrm.ru"},
            match=[responses.matchers.header_matcher({"X-Refresh-Token": "refresh-old"})],
        )
        mock.add(
            responses.POST,
            "https://new.amocrm.ru/oauth2/access_token",
            json={"access_token": "a", "refresh_token": "r", "expires_in": 86400},
        )
        mock.add(responses.GET, "https://new.amocrm.ru/api/v4/account", json=ACCOUNT)
        assert opened(tmp_path).account().id == "31"
        assert FileTokenStore(tmp_path).load("acme") == Tokens("a", "r", NOW.timestamp() + 86400, "new.amocrm.ru")

    @pytest.mark.parametrize("shared", ["evil.example", "amocrm.ru.evil.example", "127.0.0.1"])
    def test_a_token_that_names_a_foreign_host_is_not_followed(
        self, tmp_path: Path, mock: responses.RequestsMock, shared: str
    ) -> None:
        """The refresh token is shown to the vendor's own hosts only."""
        FileTokenStore(tmp_path).save("acme", pair("old", left_s=-10, api_domain=shared))
        mock.add(responses.POST, TOKEN_URL, json=REVOKED, status=401)
        with pytest.raises(AuthError):
            opened(tmp_path).account()
        assert {call.request.url for call in mock.calls} == {TOKEN_URL}


class TestFirstAuthorisation:
    def test_a_code_is_exchanged_once_and_stored(self, tmp_path: Path, mock: responses.RequestsMock) -> None:
        """The request holds the integration's values; the next connection needs no code."""
        server = TokenServer(mock, "c0de")
        assert opened(tmp_path, code=SecretStr("c0de")).account().id == "31"
        body = json.loads(mock.calls[0].request.body or "")
        assert body == {
            "client_id": "uuid",
            "client_secret": "cl1ent-s3cret",
            "redirect_uri": "https://example.test/install",
            "grant_type": "authorization_code",
            "code": "c0de",
        }
        assert (opened(tmp_path).account().id, server.asked) == ("31", 1)

    def test_without_a_code_a_person_is_needed(self, tmp_path: Path) -> None:
        """Nothing is stored, nothing is given: the error says what to set."""
        with pytest.raises(AuthError, match="never been authorised"):
            opened(tmp_path).account()

    def test_a_dead_long_lived_token_is_told_so(self, mock: responses.RequestsMock) -> None:
        """One request, and the remedy is another token."""
        mock.add(responses.GET, ACCOUNT_URL, json={"title": "Unauthorized", "status": 401}, status=401)
        crm = connect("amocrm", base_url=HOST, token="l0ng")
        with pytest.raises(AuthError, match="long-lived token") as refused:
            _ = crm.account
        assert (len(mock.calls), "l0ng" in str(refused.value)) == (1, False)

    def test_an_outage_is_no_refusal(self, tmp_path: Path, mock: responses.RequestsMock) -> None:
        """A dead token and a dead endpoint: the CRM is down, nobody is asked to authorise."""
        FileTokenStore(tmp_path).save("acme", pair("old", left_s=-10))
        mock.add(responses.POST, TOKEN_URL, body="<html>", status=502)
        with pytest.raises(VendorDown):
            opened(tmp_path).account()


class TestHosts:
    @pytest.mark.parametrize(
        ("referer", "host"),
        [
            ("acme.amocrm.ru", "acme.amocrm.ru"),
            ("https://Acme.kommo.com", "acme.kommo.com"),
            ("https://acme.amocrm.com/path?x=1", "acme.amocrm.com"),
        ],
    )
    def test_the_vendors_hosts_are_taken(self, referer: str, host: str) -> None:
        """With a scheme and without."""
        assert vendor_host(referer) == host

    @pytest.mark.parametrize(
        "referer",
        [
            "evil.example",
            "amocrm.ru.evil.example",
            "evil.example/.amocrm.ru",
            "https://acme.amocrm.ru@evil.example",
            "http://acme.amocrm.ru",
            "https://acme.amocrm.ru:8443",
            "https://evil.example#.amocrm.ru",
            "xamocrm.ru",
            "",
            "https://-.amocrm.ru",
        ],
    )
    def test_others_never_see_the_client_secret(self, referer: str) -> None:
        """A forged redirect is an AuthError."""
        with pytest.raises(AuthError):
            vendor_host(referer)


class TestSettings:
    @pytest.mark.parametrize(
        "address",
        ["http://acme.amocrm.ru", "acme.amocrm.ru", "https://acme.amocrm.ru/api/v4", "https://u:p@acme.amocrm.ru"],
    )
    def test_an_address_that_cannot_be_right_is_a_config_error(self, address: str) -> None:
        """Tokens go over https, to the account's own address."""
        with pytest.raises(ConfigError, match="no address"):
            connect("amocrm", base_url=address, token="x")

    @pytest.mark.parametrize("address", ["http://127.0.0.1:1/amocrm", "http://localhost:1", "https://acme.kommo.com/"])
    def test_a_loopback_address_may_be_plain_and_have_a_path(self, address: str) -> None:
        """Nothing is requested by opening."""
        assert connect("amocrm", base_url=address, token="x").vendor == "amocrm"

    def test_neither_way_is_named(self) -> None:
        """The error names what to set, and what is missing of a started set."""
        with pytest.raises(ConfigError, match="client_secret, redirect_uri missing") as missing:
            connect("amocrm", base_url=HOST, client_id="uuid")
        assert "token" in (missing.value.remedy or "")

    def test_numbers_from_toml_are_taken_as_text(self) -> None:
        """`account_id = 31` means what it says."""
        table = {"key": "acme", "vendor": "amocrm", "base_url": HOST, "account_id": 31}
        assert read_settings(AmoCrmSettings, table, where="test").account_id == "31"

    def test_budgets_are_shared_by_whoever_shares_the_integration(self) -> None:
        """One key for one client id, whatever the account; a token's key does not show it."""
        adapter = AmoCrmAdapter()
        token = AmoCrmSettings(key="acme", vendor="amocrm", base_url=HOST, token=SecretStr("l0ng"))
        limits = [(limit.key, limit.permits, limit.per_s) for limit in adapter.limits(oauth_settings())]
        assert limits == [("amocrm:uuid", 7, 1.0), ("amocrm:acme", 50, 1.0)]
        assert "l0ng" not in str(adapter.limits(token))
