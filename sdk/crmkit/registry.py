"""What is installed, by entry point: the only room that knows vendors by name."""

from __future__ import annotations

import difflib
import re
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from crmkit.adapter import Adapter, Doors
from crmkit.crm import Crm
from crmkit.errors import ConfigError
from crmkit.extension import Extension
from crmkit.http import LocalLimiter
from crmkit.settings import read_settings
from crmkit.source import Source
from crmkit.tokens import FileTokenStore


def _installed(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}


def _load(group: str, noun: str, name: str) -> Any:
    installed = _installed(group)
    if name not in installed:
        near = difflib.get_close_matches(name.casefold(), installed, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"there is no {noun} {name!r}",
            remedy=f"Installed: {', '.join(sorted(installed)) or 'none'}.{hint}",
        )
    return _opened(installed[name], f"{noun} {name}")


def _opened(entry: EntryPoint, what: str) -> Any:
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{what} cannot be loaded: {error}",
            remedy="Install the package, or start in the folder where the module lies.",
        ) from error


def adapter(vendor: str) -> Adapter:
    """The adapter of a vendor. Raises ConfigError naming what is installed."""
    return cast("Adapter", _load("crmkit.adapters", "CRM adapter", vendor)())


def vendors() -> list[str]:
    """Keys of the installed adapters."""
    return sorted(_installed("crmkit.adapters"))


def source(name: str) -> Source:
    """The source of that name. Raises ConfigError naming what is installed."""
    return cast("Source", _load("crmkit.sources", "source", name)())


def sources() -> list[str]:
    """Names of the installed sources."""
    return sorted(_installed("crmkit.sources"))


def extension(name: str) -> Extension[Any]:
    """The extension of that name, or of the form `module:attribute`. Raises ConfigError naming what is installed."""
    if ":" in name:
        if not re.fullmatch(r"\w+(\.\w+)*:\w+(\.\w+)*", name):
            raise ConfigError(f"extension {name} is not of the form module:attribute", remedy="Mend its name.")
        found = _opened(EntryPoint(name, name, "crmkit.extensions"), f"extension {name}")
    else:
        found = _load("crmkit.extensions", "extension", name)
    if not isinstance(found, Extension):
        raise ConfigError(f"{name} is a {type(found).__name__}, not an Extension")
    return found


def extensions() -> list[str]:
    """Names of the installed extensions."""
    return sorted(_installed("crmkit.extensions"))


def connect(vendor: str, *, base_url: str, key: str = "script", tokens: Path | None = None, **settings: object) -> Crm:
    """An open account for a script: `connect("amocrm", base_url="https://acme.amocrm.ru", token="...")`.

    Nothing is requested until the first call. `tokens` is the folder in which OAuth pairs are kept
    (`~/.crmkit/tokens`); a script and a service must share their store. Text is accepted where the vendor's settings
    want a secret.
    Raises ConfigError for an unknown vendor or a wrong setting.
    """
    found = adapter(vendor)
    fields = found.settings_type.model_fields
    values = {
        name: SecretStr(value)
        if isinstance(value, str) and name in fields and "SecretStr" in str(fields[name].annotation)
        else value
        for name, value in settings.items()
    }
    own = read_settings(
        found.settings_type,
        {"key": key, "vendor": vendor, "base_url": base_url, **values},
        where=f"connect({vendor!r})",
        account=key,
    )
    store = FileTokenStore(tokens or Path.home() / ".crmkit" / "tokens")
    return Crm(found.open(own, Doors(tokens=store, limiter=LocalLimiter())))
