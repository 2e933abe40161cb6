"""The running `crmkit dev`, as other commands find it: `CRMKIT_DEV=1` means it instead of the real service."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from crmkit.errors import ConfigError
from crmkit.settings import ServiceConfig
from crmkit_cli.language import tr

VARIABLE = "CRMKIT_DEV"

FILE = ".crmkit-dev.json"
"""Stands beside crmkit.toml as long as `crmkit dev` runs; only its owner may read it."""


@contextmanager
def shown(folder: Path, config: ServiceConfig, secrets: Mapping[str, str]) -> Iterator[None]:
    """Let other commands find the service that `config` describes, until the end."""
    path = folder / FILE
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({"config": config.model_dump(mode="json"), "secrets": dict(secrets)}, file)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def is_wanted() -> bool:
    """The caller asks for the service of `crmkit dev`."""
    return os.environ.get(VARIABLE, "") not in ("", "0")


def found(folder: Path) -> ServiceConfig:
    """The running service; its emulators' secrets are in the environment from now on.

    Raises ConfigError when `crmkit dev` does not run here.
    """
    try:
        said = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            tr(
                f"{VARIABLE} задана, а `crmkit dev` здесь не работает",
                f"{VARIABLE} is set, but no `crmkit dev` runs here",
            ),
            remedy=tr("Запустите `crmkit dev` в этой папке.", "Start `crmkit dev` in this folder."),
        ) from None
    os.environ.update(said["secrets"])
    return ServiceConfig.model_validate(said["config"])
