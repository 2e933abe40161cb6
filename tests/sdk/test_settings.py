"""Settings: one crmkit.toml, secrets from the environment, and faults that name their key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from crmkit.errors import ConfigError
from crmkit.settings import (
    AccountSettings,
    ExtensionConfig,
    Rollout,
    ServiceConfig,
    Settings,
    account_settings,
    extension_settings,
    load_config,
    read_settings,
    secret_variable,
)


class Hours(Settings):
    """A table in an extension's settings."""

    opens: int = 9
    closes: int = 18


class CallBack(Settings):
    """An extension's settings."""

    due_in: timedelta = timedelta(hours=2)
    hours: Hours | None = None
    lines: tuple[Hours, ...] = ()
    by_city: Mapping[str, Hours] = {}


class Shop(AccountSettings):
    """A vendor's settings, with a secret that must be there."""

    token: SecretStr


def write(folder: Path, text: str) -> Path:
    path = folder / "crmkit.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_a_service(tmp_path: Path) -> None:
    """Every table of the file is read, and an extension's own settings are told from where it runs."""
    path = write(
        tmp_path,
        """
        [service]
        database = "here.sqlite3"
        language = "en"
        [accounts.acme]
        vendor = "amocrm"
        base_url = "https://acme.example"
        [extensions.call-back]
        accounts = ["acme"]
        mode = "plan"
        due_in = "PT1H"
        rollout = { percent = 10 }
        """,
    )

    found = load_config(path, {})

    assert found == ServiceConfig(
        database="here.sqlite3",
        language="en",
        accounts={"acme": {"vendor": "amocrm", "base_url": "https://acme.example"}},
        extensions={
            "call-back": ExtensionConfig(
                accounts=("acme",), mode="plan", rollout=Rollout(percent=10), settings={"due_in": "PT1H"}
            )
        },
    )


def test_an_empty_file_is_a_service_with_defaults(tmp_path: Path) -> None:
    """Nothing in the file has to be there."""
    assert load_config(write(tmp_path, ""), {}) == ServiceConfig()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A container sets the database and the public address without another file."""
    path = write(tmp_path, '[service]\ndatabase = "a.sqlite3"\nmetrics = true\n')

    found = load_config(path, {"CRMKIT_DATABASE": "/data/b.sqlite3", "CRMKIT_PUBLIC_URL": "https://hooks.example"})

    assert found == ServiceConfig(database="/data/b.sqlite3", public_url="https://hooks.example", metrics=True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[service]\ndatabse = "x"', "unknown key service.databse (did you mean database?)"),
        ('database = "x"', "unknown key database (did you mean service.database?)"),
        ("[acounts.acme]", "unknown key acounts (did you mean accounts?)"),
        ("[service]\nzzz = 1", "unknown key service.zzz"),
        (
            "[extensions.call-back.rollout]\npercnt = 5",
            "unknown key extensions.call-back.rollout.percnt (did you mean percent?)",
        ),
        # An extension may be called like a key of its own table.
        ("[extensions.mode.rollout]\nuser = []", "unknown key extensions.mode.rollout.user (did you mean users?)"),
        (
            "[extensions.call-back]\nmode = 'aply'",
            "extensions.call-back.mode: Input should be 'apply' or 'plan'",
        ),
        ("[service]\nmax_body_bytes = 1", "service.max_body_bytes: Input should be greater than or equal to 1024"),
        ("extensions = 3", "extensions must be a table"),
        ("[extensions]\ncall-back = 3", "extensions.call-back must be a table"),
        ("[accounts]\nacme = 3", "accounts.acme must be a table"),
    ],
)
def test_a_wrong_key_is_named_with_its_tables_and_the_nearest_right_one(tmp_path: Path, text: str, fault: str) -> None:
    """Wherever the slip is, the message says where, and what was probably meant."""
    path = write(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        load_config(path, {})

    assert caught.value.message.removeprefix(f"{path}: ").startswith(fault)
    assert caught.value.remedy == "Mend crmkit.toml."


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    """Nobody has to run the command once for each slip."""
    path = write(tmp_path, '[service]\nlanguage = "de"\nport = 1\n')

    with pytest.raises(ConfigError) as caught:
        load_config(path, {})

    assert caught.value.message == (
        f"{path}: service.language: Input should be 'ru' or 'en'; unknown key service.port."
    )


def test_a_file_that_is_not_there_or_no_toml_is_named(tmp_path: Path) -> None:
    """A missing, an unreadable and a broken file are three different messages."""
    missing = tmp_path / "crmkit.toml"
    with pytest.raises(ConfigError) as caught:
        load_config(missing, {})
    assert str(caught.value) == (
        f"there is no {missing}. Run `crmkit new NAME` for a service, or name the file with --config."
    )
    broken = write(tmp_path, "[service")
    with pytest.raises(ConfigError, match="is not valid TOML") as caught:
        load_config(broken, {})
    assert str(broken) in caught.value.message
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {})
    assert caught.value.message == f"{tmp_path} cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"due_inn": "PT1H"}, "unknown key due_inn (did you mean due_in?)"),
        ({"acounts": ["acme"]}, "unknown key acounts (did you mean accounts?)"),
        ({"zzz": {}}, "unknown key zzz"),
        ({"hours": {"open": 8}}, "unknown key hours.open (did you mean opens?)"),
        ({"lines": [{"opens": 8}, {"close": 8}]}, "unknown key lines.1.close (did you mean closes?)"),
        ({"by_city": {"opens": {"clsoes": 8}}}, "unknown key by_city.opens.clsoes (did you mean closes?)"),
        ({"opens": 8}, "unknown key opens"),
    ],
)
def test_a_wrong_key_of_an_extension_is_named(values: Mapping[str, object], fault: str) -> None:
    """The nearest key may be the extension's own or one of those that every extension has."""
    with pytest.raises(ConfigError) as caught:
        extension_settings(CallBack, "call-back", values)

    assert caught.value.message == f"extension call-back: {fault}."


def test_an_extension_gets_its_settings() -> None:
    """Text of the file becomes the type that the extension declares."""
    found = extension_settings(CallBack, "call-back", {"due_in": "PT1H", "hours": {"opens": 10}})

    assert found == CallBack(due_in=timedelta(hours=1), hours=Hours(opens=10))


def test_a_secret_comes_from_the_environment() -> None:
    """The file has the address, the environment the token."""
    table = {"vendor": "shop", "base_url": "https://acme.example"}

    found = account_settings(Shop, "acme-2", table, {"CRMKIT_ACME_2_TOKEN": "s3cret"})

    assert found == Shop(key="acme-2", vendor="shop", base_url="https://acme.example", token=SecretStr("s3cret"))
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("environment", [{}, {"CRMKIT_ACME_TOKEN": ""}], ids=["unset", "empty"])
def test_a_missing_secret_is_named_with_its_variable(environment: Mapping[str, str]) -> None:
    """An empty variable, as a copied .env leaves it, is no secret."""
    with pytest.raises(ConfigError) as caught:
        account_settings(Shop, "acme", {"vendor": "shop", "base_url": "https://acme.example"}, environment)

    assert str(caught.value) == (
        "account acme: the secret token is missing from the environment [account acme]. "
        "Set CRMKIT_ACME_TOKEN, in the environment or in the file .env beside crmkit.toml."
    )


def test_a_secret_in_the_file_is_refused_and_not_repeated() -> None:
    """Files are copied and committed, so no secret may stand there; the message does not show it."""
    with pytest.raises(ConfigError) as caught:
        account_settings(Shop, "acme", {"vendor": "shop", "base_url": "https://a.example", "token": "s3cret"}, {})

    assert str(caught.value) == (
        "account acme: the secret token stands in the file [account acme]. "
        "Take it out and set the environment variable CRMKIT_ACME_TOKEN."
    )


@pytest.mark.parametrize("country", ["XX", "ru", "Россия"])
def test_a_country_that_is_none_is_refused(country: str) -> None:
    """Under it not one phone without a plus would be read, and nothing would say so."""
    table = {"vendor": "shop", "base_url": "https://a.example", "country": country}

    with pytest.raises(ConfigError) as caught:
        account_settings(Shop, "acme", table, {"CRMKIT_ACME_TOKEN": "t"})

    assert f"{country!r} is no country: two capital letters, as RU, KZ" in caught.value.message


def test_a_wrong_key_of_an_account_is_named() -> None:
    """The vendor's own keys are known as well."""
    table = {"vendor": "shop", "base_ulr": "https://acme.example"}

    with pytest.raises(ConfigError) as caught:
        account_settings(Shop, "acme", table, {"CRMKIT_ACME_TOKEN": "s3cret"})

    assert caught.value.message == ("account acme: base_url is missing; unknown key base_ulr (did you mean base_url?).")


def test_a_variable_is_made_of_account_and_name() -> None:
    """What no variable can hold becomes an underscore."""
    assert secret_variable("my-shop", "hook_secret") == "CRMKIT_MY_SHOP_HOOK_SECRET"


def test_values_that_are_right_are_given_back_as_the_model() -> None:
    """`read_settings` serves any model."""
    assert read_settings(Hours, {"opens": 8}, where="here") == Hours(opens=8)
