"""An application is installed, removed and installed again: tokens and events go on without a person's typing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import responses
from pydantic import SecretStr
from tests.adapters.bitrix24.access import connected

from crmkit import Context, DealCreated, Extension, NoSettings
from crmkit.adapter import Doors, Installable
from crmkit.errors import VendorDown, WebhookRejected
from crmkit.http import LocalLimiter
from crmkit.testing.clock import JumpingClock
from crmkit.tokens import FileTokenStore, Tokens
from crmkit.webhook import Installation
from crmkit_bitrix24 import Bitrix24Adapter, Bitrix24Settings
from crmkit_bitrix24.adapter import Bitrix24Connection
from crmkit_testing.bench import bench
from crmkit_testing.bitrix24 import Bitrix24Side
from crmkit_testing.side import ACCOUNT


def application(side: Bitrix24Side, folder: Path, **more: object) -> Bitrix24Connection:
    """An application that nobody has authorised yet."""
    values: dict[str, object] = {
        "base_url": side.portal.base_url,
        "auth_url": side.portal.base_url,
        "client_id": side.portal.client_id,
        "client_secret": SecretStr(side.portal.client_secret),
        **more,
    }
    settings = Bitrix24Settings.model_validate({"key": ACCOUNT, "vendor": "bitrix24", **values})
    return connected(side, settings, folder)


def installation(side: Bitrix24Side, access: str | None = None) -> Installation:
    """What the portal posts when the application is installed in it."""
    answer = side.portal.issue_tokens()
    return Installation(
        access or answer["access_token"],
        answer["refresh_token"],
        3600.0,
        f"{side.portal.base_url}/rest/",
        "token-of-this-installation",
    )


def test_an_installation_is_all_an_application_needs(side: Bitrix24Side, tmp_path: Path) -> None:
    """Calls are made with its tokens, renewed by its refresh token, and its events are known by its own token."""
    connection = application(side, tmp_path)
    assert isinstance(connection, Installable)
    connection.install(installation(side))
    first = connection.account().user_id
    side.turn(3600)
    connection.call("GET", "profile")
    stored = FileTokenStore(tmp_path).load(ACCOUNT)
    settings = connection.hook_settings(afresh=True)
    assert (first, side.portal.oauth.refreshes) == ("1", 1)
    assert stored is not None
    assert (stored.hook_secret, stored.host) == ("token-of-this-installation", None)
    assert isinstance(settings, Bitrix24Settings)
    assert settings.application_token == SecretStr("token-of-this-installation")


def test_an_installation_that_the_portal_does_not_know_is_refused(side: Bitrix24Side, tmp_path: Path) -> None:
    """Nothing is kept: neither its tokens nor what its events would carry."""
    connection = application(side, tmp_path, application_token=SecretStr("ours"))
    with pytest.raises(WebhookRejected) as refused:
        connection.install(installation(side, access="made-up"))
    settings = connection.hook_settings(afresh=True)
    assert refused.value.account == ACCOUNT
    assert "made-up" not in str(refused.value)
    assert FileTokenStore(tmp_path).load(ACCOUNT) is None
    assert isinstance(settings, Bitrix24Settings)
    assert settings.application_token == SecretStr("ours")


def test_an_account_that_goes_by_a_webhook_installs_nothing(side: Bitrix24Side, tmp_path: Path) -> None:
    """Its secret stands in its settings."""
    connection = application(side, tmp_path, webhook=SecretStr(side.portal.webhook_url))
    with pytest.raises(WebhookRejected):
        connection.install(installation(side))
    assert FileTokenStore(tmp_path).load(ACCOUNT) is None


def test_a_portal_that_is_away_refuses_no_installation(side: Bitrix24Side, tmp_path: Path) -> None:
    """The error says that it may be tried again."""
    connection = application(side, tmp_path)
    found = installation(side)
    side.down(True)
    with pytest.raises(VendorDown):
        connection.install(found)
    side.down(False)
    connection.install(found)
    assert connection.account().user_id == "1"


CLOUD = "https://okna.bitrix24.ru"


@pytest.mark.parametrize(
    ("endpoint", "member_id", "asked"),
    [
        ("https://okna.bitrix24.ru/rest/", None, CLOUD),
        ("https://dveri.bitrix24.ru/rest/", "m1", "https://dveri.bitrix24.ru"),
        ("https://dveri.bitrix24.ru/rest/", None, CLOUD),
        ("https://dveri.example/rest/", "m1", CLOUD),
        ("nonsense", "m1", CLOUD),
    ],
)
@responses.activate
def test_another_address_is_believed_of_a_known_portal_in_the_cloud_only(
    tmp_path: Path, endpoint: str, member_id: str | None, asked: str
) -> None:
    """A token goes nowhere but to the vendor's cloud, and there only where the portal's identity is known."""
    clock = JumpingClock(Bitrix24Side().now, lambda _: None)
    settings = Bitrix24Settings(
        key=ACCOUNT,
        vendor="bitrix24",
        base_url=CLOUD,
        client_id="app.1",
        client_secret=SecretStr("s"),
        member_id=member_id,
    )
    store = FileTokenStore(tmp_path)
    doors = Doors(tokens=store, limiter=LocalLimiter(clock), clock=clock)
    responses.post(f"{asked}/rest/app.info", json={"result": {"CODE": "app.1"}})
    Bitrix24Adapter().open(settings, doors).install(Installation("a", "r", 3600.0, endpoint, "t"))
    stored = store.load(ACCOUNT)
    assert stored is not None
    assert (stored.access, stored.refresh, stored.hook_secret) == ("a", "r", "t")
    assert stored.host == (asked if asked != CLOUD else None)


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://dveri.bitrix24.ru/rest/", "https://dveri.bitrix24.ru"),
        ("https://okna.bitrix24.ru/rest/", None),
        ("https://dveri.example/rest/", None),
        ("http://dveri.bitrix24.ru/rest/", None),
        (None, None),
    ],
)
@responses.activate
def test_the_authorisation_server_tells_where_the_portal_is_now(
    tmp_path: Path, endpoint: str | None, host: str | None
) -> None:
    """A token answer with another address in the vendor's cloud is followed; what events carry is kept."""
    clock = JumpingClock(Bitrix24Side().now, lambda _: None)
    settings = Bitrix24Settings(
        key=ACCOUNT, vendor="bitrix24", base_url=CLOUD, client_id="app.1", client_secret=SecretStr("s")
    )
    store = FileTokenStore(tmp_path)
    store.save(ACCOUNT, Tokens("old", "refresh", hook_secret="t"))
    answer = {"access_token": "new", "refresh_token": "next", "expires_in": 3600, "client_endpoint": endpoint}
    expired = {"error": "expired_token", "error_description": "The access token provided has expired."}
    responses.post(f"{CLOUD}/rest/profile", json=expired, status=401)
    responses.get("https://oauth.bitrix.info/oauth/token/", json=answer)
    responses.post(f"{host or CLOUD}/rest/profile", json={"result": {"ID": "7"}})
    doors = Doors(tokens=store, limiter=LocalLimiter(clock), clock=clock)
    found = Bitrix24Adapter().open(settings, doors).call("GET", "profile")
    stored = store.load(ACCOUNT)
    assert found == {"ID": "7"}
    assert stored is not None
    assert (stored.access, stored.host, stored.hook_secret) == ("new", host, "t")


def test_a_service_goes_on_after_a_new_installation() -> None:
    """The old tokens are dead and events carry another application_token: both come with the installation's event."""
    seen: list[str] = []
    extension = Extension("watcher")

    @extension.on(DealCreated)
    def made(event: DealCreated, ctx: Context[NoSettings]) -> None:
        seen.append(ctx.crm.deals.get(event.ref).title)

    with bench(extension, "bitrix24") as desk:
        desk.person.add_deal("До")
        desk.settle()
        portal = desk.side.portal  # type: ignore[attr-defined]  # the emulator's own acts
        url = desk.service.hook_url(ACCOUNT, "bitrix24")
        portal.uninstall_app(url)
        desk.side.deliver()
        portal.install_app(url)
        desk.side.deliver()
        desk.advance(timedelta(minutes=20))
        desk.person.add_deal("После")
        desk.settle()
        outcomes = [one.outcome for one in desk.deliveries]
    assert seen == ["До", "После"]
    assert [outcome for outcome in outcomes if "deal" not in outcome] == [
        "refused: ONAPPUNINSTALL: the application was removed; authorise it again",
        "the application was installed",
    ]
    assert outcomes[-1] == "deal:2 added"
