"""Calls told by Ringostat: what its webhook says of one, sent to a service."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import requests

from crmkit.errors import ConfigError, Rejected, VendorDown
from crmkit_cli.language import tr

_numbers = itertools.count(1)


def tell_call(url: str, phone: str, duration: int, *, times: int = 1) -> str:
    """Tell of one call `times` times; its id.

    `duration` is in seconds, 0 for a missed call. Raises ConfigError when nobody listens at `url`, Rejected when the
    service refuses, VendorDown when it does not answer.
    """
    call = _form(phone, duration)
    for _ in range(times):
        try:
            answer = requests.post(url, data=call, timeout=10)
        except requests.ConnectionError as error:
            raise ConfigError(
                tr("по адресу вебхука никто не отвечает", "nobody listens at the hook's address"),
                remedy=tr("Запустите сервис: crmkit dev.", "Start the service: crmkit dev."),
            ) from error
        except requests.RequestException as error:
            raise VendorDown(f"the service gave no answer: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise Rejected(
                tr(f"сервис ответил {answer.status_code}", f"the service answered {answer.status_code}"),
                status=answer.status_code,
                remedy=tr(
                    "Проверьте адрес: crmkit accounts --hooks показывает его, если аккаунту подключён ringostat.",
                    "Check the address: crmkit accounts --hooks shows it where the account has the source ringostat.",
                ),
            )
    return call["uniqueid"]


def _form(phone: str, duration: int) -> Mapping[str, str]:
    return {
        "uniqueid": f"emulated-{int(time.time())}.{next(_numbers)}",
        "call_type": "in",
        "calldate": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "caller": phone,
        "dst": "+74951234567",
        "disposition": "ANSWERED" if duration else "NO ANSWER",
        "billsec": str(duration),
        "duration": str(duration + 24),
        "waittime": "24",
        "utm_source": "yandex",
    }
