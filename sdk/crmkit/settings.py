"""Settings of extensions, accounts and the service: one crmkit.toml, secrets from the environment only."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from crmkit.errors import ConfigError
from crmkit.identity import is_country


def _country(code: str) -> str:
    if not is_country(code):
        raise ValueError(f"{code!r} is no country: two capital letters, as RU, KZ")
    return code


Country = Annotated[str, AfterValidator(_country)]
"""The default country of phones, as two capital letters."""

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

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    vendor: str
    base_url: str
    country: Country = "RU"
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


class ServiceTable(Settings):
    """The table [service] of crmkit.toml.

    Args:
        database: a URL, or the path of an SQLite file.
        public_url: where the CRM reaches this service; without it no hooks are subscribed.
        mode: holds where an extension sets none.
        metrics: opens `/metrics`.
        sweep_every_s: how often each CRM's own feed is read, whatever its webhooks say, in seconds.
    """

    database: str = "crmkit.sqlite3"
    public_url: str | None = None
    mode: Literal["apply", "plan"] = "apply"
    language: Literal["ru", "en"] = "ru"
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    sweep_every_s: float = Field(default=60.0, ge=0.1)
    metrics: bool = False


class ServiceConfig(ServiceTable):
    """A whole service: its own table, its accounts by key, its extensions by name."""

    accounts: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    extensions: Mapping[str, ExtensionConfig] = Field(default_factory=dict)


class _File(Settings):
    """crmkit.toml as it is written."""

    service: ServiceTable = ServiceTable()
    accounts: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    extensions: Mapping[str, ExtensionConfig] = Field(default_factory=dict)


def load_config(path: Path, environment: Mapping[str, str] = os.environ) -> ServiceConfig:
    """The service that `path` describes; `CRMKIT_DATABASE` and `CRMKIT_PUBLIC_URL` win over the file.

    Raises ConfigError naming the file, each key at fault with its tables, and the nearest right one.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {path}",
            remedy="Run `crmkit new NAME` for a service, or name the file with --config.",
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="Mend its rights.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", remedy="Mend that line.") from error
    file = read_settings(_File, _split_extensions(data), where=str(path))
    given = {name: value for name in ("database", "public_url") if (value := environment.get(f"CRMKIT_{name.upper()}"))}
    return ServiceConfig(
        **{name: getattr(file.service, name) for name in ServiceTable.model_fields} | given,
        accounts=file.accounts,
        extensions=file.extensions,
    )


_INSTALLED = ExtensionConfig.model_fields.keys() - {"settings"}


def _split_extensions(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """An extension's own settings stand beside `accounts`, `mode` and `rollout` in the file."""
    tables = data.get("extensions")
    if not isinstance(tables, dict):
        return data
    extensions = {
        name: {
            **{key: value for key, value in table.items() if key in _INSTALLED},
            "settings": {key: value for key, value in table.items() if key not in _INSTALLED},
        }
        if isinstance(table, dict)
        else table
        for name, table in tables.items()
    }
    return {**data, "extensions": extensions}


def extension_settings(settings_type: type[M], name: str, values: Mapping[str, Any]) -> M:
    """The settings of the extension `name`, from what its table in crmkit.toml holds beside `accounts` and the like.

    Raises ConfigError naming each key at fault and the nearest right one, of the extension's own or of those.
    """
    return read_settings(settings_type, values, where=f"extension {name}", also=tuple(_INSTALLED))


def account_settings(
    settings_type: type[AccountSettings],
    key: str,
    table: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> AccountSettings:
    """The settings of account `key`: the file's table, with the secrets of the environment; an empty one is none.

    Raises ConfigError for a secret in the file, a missing one, or a key the vendor does not know.
    """
    values: dict[str, Any] = {**table, "key": key}
    for name, field in settings_type.model_fields.items():
        if not is_secret(field):
            continue
        variable = secret_variable(key, name)
        if name in table:
            raise ConfigError(
                f"account {key}: the secret {name} stands in the file",
                account=key,
                remedy=f"Take it out and set the environment variable {variable}.",
            )
        if value := environment.get(variable):
            values[name] = SecretStr(value)
        elif field.is_required():
            raise ConfigError(
                f"account {key}: the secret {name} is missing from the environment",
                account=key,
                remedy=f"Set {variable}, in the environment or in the file .env beside crmkit.toml.",
            )
    return read_settings(settings_type, values, where=f"account {key}", account=key)


def secret_variable(account: str, name: str) -> str:
    """The environment variable that holds a secret of an account."""
    return f"CRMKIT_{re.sub(r'[^A-Z0-9]', '_', account.upper())}_{name.upper()}"


def is_secret(field: FieldInfo) -> bool:
    """The field holds a secret, which is read from the environment only."""
    return "SecretStr" in str(field.annotation)


def read_settings(
    model: type[M], values: Mapping[str, Any], *, where: str, account: str | None = None, also: Sequence[str] = ()
) -> M:
    """`values` as `model`. Raises ConfigError with every fault: where, which key, what is wrong, the right key.

    `also` are names that stand beside the model's own, for the nearest right key.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(_explain(model, fault, also) for fault in error.errors())
        raise ConfigError(f"{where}: {faults}.", account=account, remedy="Mend crmkit.toml.") from None


def _explain(model: type[BaseModel], fault: ErrorDetails, also: Sequence[str]) -> str:
    loc = fault["loc"]
    name = ".".join(str(part) for part in loc)
    if fault["type"] == "extra_forbidden":
        known = _known_keys(_model_at(model, loc[:-1])) | {one: one for one in also if len(loc) == 1}
        near = difflib.get_close_matches(str(loc[-1]), known, n=1)
        return f"unknown key {name}" + (f" (did you mean {known[near[0]]}?)" if near else "")
    if fault["type"] == "missing":
        return f"{name} is missing"
    if fault["type"] in ("model_type", "dict_type", "mapping_type"):
        return f"{name} must be a table"
    return f"{name}: {fault['msg']}"


def _known_keys(model: type[BaseModel] | None) -> dict[str, str]:
    """The keys of a table, and those of the tables in it, since a forgotten heading is the commonest slip."""
    fields = model.model_fields if model else {}
    inner = {
        key: f"{name}.{key}"
        for name, field in fields.items()
        if isinstance(field.annotation, type) and (own := _model_in(field.annotation))
        for key in own.model_fields
    }
    return inner | {name: name for name in fields}


def _model_at(model: type[BaseModel], loc: Sequence[int | str]) -> type[BaseModel] | None:
    """The model of the table at `loc`; None where a table has no model of its own."""
    found: type[BaseModel] | None = model
    parts = iter(loc)
    for part in parts:
        field = found.model_fields.get(str(part)) if found else None
        found = _model_in(field.annotation) if field else None
        if field and get_origin(field.annotation) not in (None, Union, UnionType):
            next(parts, None)  # the key in a mapping, or the place in a list
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The settings class in an annotation such as `Mapping[str, X]`, `tuple[X, ...]` or `X | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
