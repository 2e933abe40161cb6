"""Checks of one account: does the CRM let us in, what may we do there, do its hooks come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crmkit.adapter import Level
from crmkit.crm import Crm
from crmkit.errors import AccountBlocked, AuthError, CrmKitError, NotFound, RateLimited, VendorDown
from crmkit.extension import Extension
from crmkit.fields import meant
from crmkit.models import CustomField, FieldDef, FieldType
from crmkit.values import Money
from crmkit_cli.finding import Finding, failure
from crmkit_cli.language import tr
from crmkit_runtime import report
from crmkit_runtime.service import OpenAccount, Service

_TEXT = (FieldType.TEXT, FieldType.LONGTEXT, FieldType.URL, FieldType.EMAIL, FieldType.PHONE, FieldType.FILE)
_FITS: dict[type[Any], tuple[FieldType, ...]] = {
    str: (*_TEXT, FieldType.ENUM, FieldType.JSON),
    int: (FieldType.INT, FieldType.DECIMAL),
    Decimal: (FieldType.DECIMAL, FieldType.INT, FieldType.MONEY),
    bool: (FieldType.BOOL,),
    date: (FieldType.DATE,),
    datetime: (FieldType.DATETIME,),
    Money: (FieldType.MONEY, FieldType.DECIMAL),
    tuple: (FieldType.MULTIENUM,),
}
"""The types that a CRM's field may have for the Python type that an extension declares."""


def check_access(account: OpenAccount) -> Finding:
    """Whether the CRM answers us; one request."""
    try:
        found = account.live.account()
    except CrmKitError as error:
        return _remedied(failure("access", account.key, error), error)
    text = f"{account.adapter.title}: {found.name} ({found.id}), {found.timezone}, {found.currency}"
    return Finding("access", account.key, "ok", text)


def check_rights(account: OpenAccount) -> Iterator[Finding]:
    """Whether the user in whose name we write is an administrator; nothing where the CRM does not tell who it is."""
    try:
        user_id = account.live.account().user_id
        if user_id is None:
            return
        users = {user.ref.id: user for user in Crm(account.live).users.iterate()}
        user = users.get(user_id)
    except CrmKitError as error:
        yield failure("rights", account.key, error)
        return
    if user is None or not user.is_admin:
        name = user.name if user else user_id
        yield Finding(
            "rights",
            account.key,
            "warn",
            tr(f"{name} — не администратор", f"{name} is no administrator"),
            tr(
                "Вебхуки и поля может настроить только администратор: дайте ему права или возьмите другой токен.",
                "Only an administrator may set up hooks and fields: grant the rights, or use another token.",
            ),
        )
    else:
        yield Finding("rights", account.key, "ok", tr(f"{user.name}, администратор", f"{user.name}, administrator"))


def check_hooks(service: Service, account: OpenAccount, *, subscribe: bool) -> Iterator[Finding]:
    """Whether hooks come: subscribed now when asked for, else by what has come so far; nothing without an address."""
    if not service.config.public_url:
        return
    sender = account.settings.vendor
    if subscribe:
        try:
            state = account.live.ensure_hooks(service.hook_url(account.key, sender))
        except CrmKitError as error:
            yield failure("hooks", account.key, error)
            return
        yield Finding("hooks", account.key, "ok", tr(f"подписка: {state.action}", f"subscription: {state.action}"))
        return
    newest = report.deliveries(service.database, account=account.key, sender=sender, limit=1)
    if newest:
        at = newest[0].received_at.isoformat(timespec="seconds")
        yield Finding("hooks", account.key, "ok", tr(f"последний вебхук: {at}", f"the last hook came at {at}"))
        return
    yield Finding(
        "hooks",
        account.key,
        "warn",
        tr("ещё ни одного вебхука не приходило", "no hook has come yet"),
        tr(
            "Работающий сервис подписывается сам; подписать сейчас: crmkit check --subscribe.",
            "A running service subscribes by itself; to do it now: crmkit check --subscribe.",
        ),
    )


def check_extension(account: OpenAccount, extension: Extension[Any]) -> Iterator[Finding]:
    """What the extension asks of this account: capabilities and the custom fields that its modules declare."""
    subject = f"{extension.name} @ {account.key}"
    try:
        levels = {one: account.live.supports(one) for one in sorted(extension.requires)}
        fields = {
            token: meant(token, account.live.fields(token.record.kind), account.settings.vendor)
            for token in _tokens(extension)
        }
    except CrmKitError as error:
        yield failure("capabilities", subject, error)
        return
    absent = [one.value for one, level in levels.items() if level is Level.ABSENT]
    emulated = [one.value for one, level in levels.items() if level is Level.EMULATED]
    if absent:
        yield Finding(
            "capabilities",
            subject,
            "fail",
            tr(f"нет: {', '.join(absent)}", f"missing: {', '.join(absent)}"),
            tr(
                "Смените тариф или не ставьте расширение на этот аккаунт.",
                "Change the plan, or leave this account out.",
            ),
        )
    else:
        by_us = tr("силами crmkit", "emulated by crmkit")
        text = ", ".join(one.value for one in levels) or tr("ничего не требует", "requires nothing")
        yield Finding("capabilities", subject, "ok", f"{text} ({by_us}: {', '.join(emulated)})" if emulated else text)
    for token, field in fields.items():
        yield _field(subject, token, field)


def _field(subject: str, token: CustomField[Any, Any], field: FieldDef | None) -> Finding:
    if field is None:
        return Finding(
            "field",
            subject,
            "fail",
            tr(f"{token!r}: в аккаунте нет такого поля", f"{token!r}: the account has no such field"),
            tr("Создайте поле с этим названием.", "Make a field with that title."),
        )
    if field.type is not FieldType.UNKNOWN and field.type not in _FITS.get(token.type, (field.type,)):
        return Finding(
            "field",
            subject,
            "fail",
            tr(
                f"{token!r}: в аккаунте поле {field.id} имеет тип {field.type.value}",
                f"{token!r}: the account's field {field.id} is of type {field.type.value}",
            ),
            tr("Объявите другой тип или другое поле.", "Declare another type, or another field."),
        )
    return Finding("field", subject, "ok", f"{token.title} = {field.id} ({field.type.value})")


def _tokens(extension: Extension[Any]) -> Sequence[CustomField[Any, Any]]:
    """Custom fields that stand in the modules of the extension's handlers, each once."""
    runs: list[Callable[..., object]] = [one.run for one in extension.subscriptions]
    runs += [one.run for one in extension.schedules]
    runs += [one.run for one in extension.commands]
    packages = {run.__module__.rpartition(".")[0] or run.__module__ for run in runs}
    modules = [
        module
        for name, module in list(sys.modules.items())
        if any(name == package or name.startswith(f"{package}.") for package in packages)
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, CustomField)]
    return list(dict.fromkeys(found))


def _remedied(finding: Finding, error: CrmKitError) -> Finding:
    """The finding with a remedy by the kind of error, where the error brings none."""
    if finding.remedy:
        return finding
    match error:
        case AuthError():
            remedy = tr("Авторизуйте аккаунт заново или замените токен.", "Authorise again, or replace the token.")
        case AccountBlocked():
            remedy = tr("Проверьте оплату и блокировки аккаунта.", "See whether the account is paid and not banned.")
        case VendorDown() | RateLimited():
            remedy = tr("Проверьте base_url и сеть, повторите позже.", "See to base_url and the network; try later.")
        case NotFound():
            remedy = tr("Проверьте base_url аккаунта.", "See to the account's base_url.")
        case _:
            remedy = ""
    return Finding(finding.check, finding.subject, finding.state, finding.message, remedy)
