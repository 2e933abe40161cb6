"""Settings of extensions, accounts and the service: one crmkit.toml, secrets from the environment only."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from crmkit.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


class Settings(BaseModel):
    """What an operator may set of an extension; subclass it with typed fields and defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoSettings(Settings):
    """For an extension with nothing to set."""


class AccountSettings(BaseModel):
    """What every account needs. Adapters subclass it.

    Fields of type SecretStr are read from the environment only, as `CRMKIT_<ACCOUNT>_<FIELD>`.

    Args:
        key: the account's name in crmkit.toml.
        vendor: vendor key.
        base_url: address of the account, with scheme.
        country: ISO code, the default country of phones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    secret_hint: ClassVar[str] = ""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    vendor: str
    base_url: str
    country: str = "RU"
    hook_secret: SecretStr | None = None
    sources: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)


class Rollout(Settings):
    """Whose records an extension works on; empty lists mean everybody's. `percent` picks records by their address."""

    users: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()
    percent: int = Field(default=100, ge=0, le=100)


class ExtensionConfig(Settings):
    """One extension as installed in a service; `settings` are its own."""

    accounts: tuple[str, ...] = ()
    mode: Literal["apply", "plan"] | None = None
    rollout: Rollout = Rollout()
    settings: Mapping[str, Any] = Field(default_factory=dict)


class ServiceConfig(Settings):
    """A whole service. `database` is a URL or a path of an SQLite file; `mode` holds where an extension sets none."""

    database: str = "crmkit.sqlite3"
    public_url: str | None = None
    mode: Literal["apply", "plan"] = "apply"
    language: Literal["ru", "en"] = "ru"
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    accounts: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    extensions: Mapping[str, ExtensionConfig] = Field(default_factory=dict)


def load_config(path: Path, environment: Mapping[str, str] = os.environ) -> ServiceConfig:
    """The service that `path` describes; `CRMKIT_DATABASE` and `CRMKIT_PUBLIC_URL` win over the file.

    Raises ConfigError naming the file, the key at fault and the nearest right one.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {path}",
            remedy="Run `crmkit new NAME` for a service, or name the file with --config.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", remedy="Mend that line.") from error
    data = _split_extensions(data)
    service = data.pop("service", {})
    for name in ("database", "public_url"):
        if value := environment.get(f"CRMKIT_{name.upper()}"):
            service[name] = value
    return read_settings(ServiceConfig, {**service, **data}, where=str(path))


def _split_extensions(data: dict[str, Any]) -> dict[str, Any]:
    """An extension's own settings stand beside `accounts`, `mode` and `rollout` in the file."""
    ours = ExtensionConfig.model_fields.keys() - {"settings"}
    extensions = {
        name: {
            **{key: value for key, value in table.items() if key in ours},
            "settings": {key: value for key, value in table.items() if key not in ours},
        }
        for name, table in data.get("extensions", {}).items()
    }
    return {**data, "extensions": extensions} if extensions else data


def account_settings(
    settings_type: type[AccountSettings],
    key: str,
    table: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> AccountSettings:
    """The settings of account `key`: the file's table, with the secrets of the environment.

    Raises ConfigError for a secret in the file, a missing one, or a key the vendor does not know.
    """
    values: dict[str, Any] = {**table, "key": key}
    for name, field in settings_type.model_fields.items():
        if "SecretStr" not in str(field.annotation):
            continue
        variable = secret_variable(key, name)
        if name in table:
            raise ConfigError(
                f"account {key}: the secret {name} stands in the file",
                account=key,
                remedy=f"Take it out and set the environment variable {variable}.",
            )
        if variable in environment:
            values[name] = SecretStr(environment[variable])
    return read_settings(settings_type, values, where=f"account {key}", account=key)


def secret_variable(account: str, name: str) -> str:
    """The environment variable that holds a secret of an account."""
    return f"CRMKIT_{re.sub(r'[^A-Z0-9]', '_', account.upper())}_{name.upper()}"


def read_settings(model: type[M], values: Mapping[str, Any], *, where: str, account: str | None = None) -> M:
    """`values` as `model`. Raises ConfigError with every fault: where, which key, what is wrong, the right key."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(_explain(model, fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())
        raise ConfigError(f"{where}: {faults}.", account=account, remedy="Mend crmkit.toml.") from None


def _explain(model: type[BaseModel], loc: tuple[int | str, ...], code: str, message: str) -> str:
    name = ".".join(str(part) for part in loc)
    if code == "extra_forbidden":
        known = list(model.model_fields) if len(loc) == 1 else []
        near = difflib.get_close_matches(str(loc[-1]), known, n=1)
        return f"unknown key {name}" + (f" (did you mean {near[0]}?)" if near else "")
    if code == "missing":
        field = model.model_fields.get(str(loc[-1])) if len(loc) == 1 else None
        if field is not None and "SecretStr" in str(field.annotation):
            return f"the secret {name} is missing from the environment"
        return f"{name} is missing"
    return f"{name}: {message}"
