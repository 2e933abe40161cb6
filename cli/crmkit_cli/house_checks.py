"""Checks of the service's own house: database, key, address, port; nothing outside this machine is asked."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from crmkit.errors import ConfigError
from crmkit.settings import ServiceConfig
from crmkit_cli.finding import Finding, failure
from crmkit_cli.language import tr
from crmkit_runtime.database import SQLITE_VERSION, Database
from crmkit_runtime.migrations import SchemaState, schema_state

FAULTY_SINCE, SOUND_SINCE = (3, 7, 0), (3, 51, 3)
"""SQLite versions between these can damage a database in WAL mode when two writers meet at a checkpoint."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_database(config: ServiceConfig) -> tuple[SchemaState | None, Finding]:
    """How far the schema is, None when the database cannot be used; a file that is not there is not made."""
    database = Database(config.database)
    try:
        if database.is_sqlite and not database.path.exists():
            _check_folder(database.path)
            state: SchemaState = "empty"
        else:
            database.ping()
            state = schema_state(database)
        return state, _schema(state, database.name)
    except ConfigError as error:
        return None, failure("database", "", error)
    finally:
        database.close()


def check_sqlite(config: ServiceConfig) -> Iterator[Finding]:
    """Whether the SQLite in use has the WAL-reset fault; nothing for another database."""
    if not config.database.startswith("sqlite") and "://" in config.database:
        return
    version = ".".join(map(str, SQLITE_VERSION))
    if FAULTY_SINCE <= SQLITE_VERSION < SOUND_SINCE:
        yield Finding(
            "sqlite",
            "",
            "warn",
            tr(
                f"в SQLite {version} есть ошибка сброса WAL; crmkit пишет через замок, другие программы — нет",
                f"SQLite {version} has the WAL-reset fault; crmkit writes behind one lock, other programs do not",
            ),
            tr(
                "Установите pysqlite3 (pip install pysqlite3) и не пишите в базу другими программами.",
                "Install pysqlite3 (pip install pysqlite3), and let no other program write to the database.",
            ),
        )
    else:
        yield Finding("sqlite", "", "ok", f"SQLite {version}")


def check_address(config: ServiceConfig) -> Finding:
    """Whether a CRM can be told where to send its hooks."""
    if not config.public_url:
        return Finding(
            "public_url",
            "",
            "warn",
            tr(
                "не задан: вебхуков не будет, изменения находит только опрос (раз в минуту)",
                "not set: no hooks will come, changes are found by the sweep alone (once a minute)",
            ),
            tr(
                "Задайте public_url в [service] или CRMKIT_PUBLIC_URL: https-адрес этого сервиса.",
                "Set public_url under [service], or CRMKIT_PUBLIC_URL, to the https address of this service.",
            ),
        )
    parts = urlsplit(config.public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return Finding(
            "public_url",
            "",
            "fail",
            tr(f"{config.public_url!r} — не адрес", f"{config.public_url!r} is no address"),
            tr("Нужен https://имя.", "Write it as https://name."),
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        return Finding(
            "public_url",
            "",
            "warn",
            tr(
                f"{config.public_url}: без TLS секрет адреса виден по дороге",
                f"{config.public_url}: without TLS the secret in the address can be read on its way",
            ),
            tr("Поставьте сервис за https.", "Put the service behind https."),
        )
    return Finding("public_url", "", "ok", config.public_url)


def check_port(host: str, port: int) -> Finding:
    """Whether the service could listen there, or already does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            return Finding("port", "", "ok", tr(f"{host}:{port} свободен", f"{host}:{port} is free"))
    if _is_service(host, port):
        return Finding("port", "", "ok", tr(f"на {host}:{port} работает сервис", f"the service runs on {host}:{port}"))
    return Finding(
        "port",
        "",
        "fail",
        tr(f"{host}:{port} занят или недоступен: {reason}", f"{host}:{port} cannot be used: {reason}"),
        tr("Укажите другой порт: --port или CRMKIT_PORT.", "Choose another with --port or CRMKIT_PORT."),
    )


def _is_service(host: str, port: int) -> bool:
    """Whoever listens there answers as a crmkit service that stores deliveries."""
    name = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(f"http://{name}:{port}/readyz", timeout=1) as answer:
            return b'"ready"' in answer.read(10_000)
    except urllib.error.HTTPError as error:
        # A service that is up and has a fault of its own says so with 503 and the same body.
        return b'"ready"' in error.read(10_000)
    except OSError:
        return False


def _check_folder(path: Path) -> None:
    if not path.resolve().parent.is_dir():
        raise ConfigError(
            tr(
                f"папки {path.resolve().parent} для базы нет",
                f"the database's folder {path.resolve().parent} is missing",
            ),
            remedy=tr("Создайте её или укажите database в [service].", "Make it, or set database under [service]."),
        )


def _schema(state: SchemaState, name: str) -> Finding:
    match state:
        case "current":
            return Finding("database", "", "ok", name)
        case "empty":
            text = tr(f"{name}: базы ещё нет", f"{name}: there is no database yet")
        case "behind":
            text = tr(f"{name}: база от прежней версии", f"{name}: the database is of an earlier release")
        case "ahead":
            return Finding(
                "database",
                "",
                "fail",
                tr(f"{name}: база обновлена более новым crmkit", f"{name}: a newer crmkit has migrated the database"),
                tr("Установите ту версию crmkit.", "Install that release of crmkit again."),
            )
    return Finding("database", "", "fail", text, tr("Выполните crmkit migrate.", "Run crmkit migrate."))
