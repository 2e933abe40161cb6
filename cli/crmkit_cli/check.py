"""`crmkit check`: will this service work, and if not, what is to be done."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from crmkit.errors import ConfigError
from crmkit.settings import ServiceConfig
from crmkit_cli.account_checks import check_access, check_extension, check_hooks, check_rights
from crmkit_cli.finding import Finding, failure, print_finding, print_summary
from crmkit_cli.house_checks import check_address, check_database, check_port, check_sqlite
from crmkit_cli.language import tr
from crmkit_cli.opening import config_option, read_config
from crmkit_cli.screen import print_json
from crmkit_runtime.database import Database
from crmkit_runtime.migrations import migrate
from crmkit_runtime.service import Service


@click.command(
    help=tr(
        "Проверить сервис до запуска: настройки, секреты, базу, порт, доступ к каждому аккаунту, права, возможности и "
        "поля, которые нужны расширениям. У каждой ошибки — что с ней делать.\n\n"
        "В CRM ничего не меняется, если не указать --subscribe. Код выхода 1, если что-то не работает.",
        "Check a service before it starts: settings, secrets, database, port, access to each account, rights, the "
        "capabilities and fields that extensions need. Every failure says what to do about it.\n\n"
        "Nothing is changed in a CRM, unless --subscribe is given. Exit 1 when something will not work.",
    )
)
@config_option
@click.option("--offline", is_flag=True, help=tr("Не обращаться к CRM", "Make no request to a CRM"))
@click.option("--subscribe", is_flag=True, help=tr("Подписать вебхуки сейчас", "Subscribe the hooks now"))
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    envvar="CRMKIT_HOST",
    help=tr("Адрес, на котором будет сервис", "The address the service will have"),
)
@click.option(
    "--port",
    default=8800,
    show_default=True,
    envvar="CRMKIT_PORT",
    type=click.IntRange(0, 65535),
    help=tr("Порт, на котором будет сервис", "The port the service will have"),
)
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(config_path: Path, offline: bool, subscribe: bool, host: str, port: int, as_json: bool) -> None:
    """Exit 1 on any failure."""
    # What is wrong is said by the findings; the same warning once for each look at the service would hide them.
    logging.getLogger("crmkit_runtime").setLevel(logging.ERROR)
    findings = []
    for finding in _findings(config_path, host, port, offline=offline, subscribe=subscribe):
        findings.append(finding)
        print_json(finding) if as_json else print_finding(finding)
    if not as_json:
        print_summary(findings)
    if any(finding.state == "fail" for finding in findings):
        raise click.exceptions.Exit(1)


def _findings(config_path: Path, host: str, port: int, *, offline: bool, subscribe: bool) -> Iterator[Finding]:
    try:
        config = read_config(config_path)
    except ConfigError as error:
        yield failure("config", "", error)
        return
    yield _described(config, config_path)
    yield check_address(config)
    state, finding = check_database(config)
    yield finding
    yield from check_sqlite(config)
    yield check_port(host, port)
    if state not in ("current", "empty"):
        text = tr("не проверены: сначала нужна база", "not checked: the database comes first")
        yield Finding("accounts", "", "warn", text)
        return
    with _checked_on(config, is_new=state == "empty") as usable:
        if state == "current":
            yield from _tokens(usable)
        good: list[str] = []
        for key in usable.accounts:
            findings = list(_account(usable, key, offline=offline, subscribe=subscribe))
            yield from findings
            if all(one.state != "fail" for one in findings):
                good.append(key)
        for name in usable.extensions:
            yield from _extension(usable, name, good, offline=offline)


@contextmanager
def _checked_on(config: ServiceConfig, *, is_new: bool) -> Iterator[ServiceConfig]:
    """The service on a database that is ready: before the first `crmkit migrate` on one that is thrown away."""
    if not is_new:
        yield config
        return
    with tempfile.TemporaryDirectory() as folder:
        database = Database(str(Path(folder, "check.sqlite3")))
        migrate(database)
        database.close()
        yield config.model_copy(update={"database": str(database.path)})


@contextmanager
def _opened(config: ServiceConfig, accounts: list[str], extensions: list[str]) -> Iterator[Service]:
    """The service with these accounts and extensions alone, so that one fault does not hide the others."""
    part = {
        "accounts": {key: config.accounts[key] for key in accounts},
        "extensions": {name: config.extensions[name] for name in extensions},
    }
    service = Service.open(config.model_copy(update=part))
    try:
        yield service
    finally:
        service.close()


def _described(config: ServiceConfig, path: Path) -> Finding:
    accounts, extensions = ", ".join(config.accounts), ", ".join(config.extensions)
    if not accounts or not extensions:
        return Finding(
            "config",
            "",
            "warn",
            tr(f"{path}: нет аккаунтов или расширений", f"{path}: no accounts, or no extensions"),
            tr("Добавьте [accounts.ИМЯ] и [extensions.ИМЯ].", "Add [accounts.NAME] and [extensions.NAME]."),
        )
    return Finding(
        "config",
        "",
        "ok",
        tr(f"аккаунты: {accounts}; расширения: {extensions}", f"accounts: {accounts}; extensions: {extensions}"),
    )


def _tokens(config: ServiceConfig) -> Iterator[Finding]:
    try:
        with _opened(config, [], []) as service:
            unfinished = service.tokens.unfinished_refreshes()
    except ConfigError as error:
        yield failure("key", "", error)
        return
    yield Finding("key", "", "ok", tr("ключ подходит к базе", "the key fits the database"))
    for one in unfinished:
        since = one.since.isoformat(timespec="seconds")
        yield Finding(
            "tokens",
            one.account,
            "warn",
            tr(f"обновление токена с {since} не завершено", f"a token refresh begun at {since} never ended"),
            tr("Если CRM откажет в доступе, авторизуйте аккаунт заново.", "If the CRM refuses us, authorise again."),
        )


def _account(config: ServiceConfig, key: str, *, offline: bool, subscribe: bool) -> Iterator[Finding]:
    try:
        with _opened(config, [key], []) as service:
            account = service.accounts[key]
            yield Finding("settings", key, "ok", f"{account.adapter.title}, {account.settings.base_url}")
            if offline:
                return
            access = check_access(account)
            yield access
            if access.state != "fail":
                yield from check_rights(account)
                yield from check_hooks(service, account, subscribe=subscribe)
    except ConfigError as error:
        yield failure("settings", key, error)


def _extension(config: ServiceConfig, name: str, good: list[str], *, offline: bool) -> Iterator[Finding]:
    own = config.extensions[name]
    keys = [key for key in own.accounts or config.accounts if key in good or key not in config.accounts]
    if not keys:
        text = tr("не проверено: ни один его аккаунт не работает", "not checked: none of its accounts works")
        yield Finding("extension", name, "warn", text)
        return
    part = config.model_copy(update={"extensions": {name: own.model_copy(update={"accounts": tuple(keys)})}})
    try:
        with _opened(part, good, [name]) as service:
            installed = service.installed[0]
            where = f"{', '.join(installed.accounts)}, mode {installed.mode}"
            yield Finding("extension", name, "ok", f"{installed.extension.name}: {where}")
            if not offline:
                for key in installed.accounts:
                    yield from check_extension(service.accounts[key], installed.extension)
    except ConfigError as error:
        yield failure("extension", name, error)
