"""What people read, in Russian and English: tasks, notes, and the reasons of decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from crmkit.models import Call, CallStatus, Direction
from crmkit_call_tasks.conversation import Decision, Plan, Reason

_TRACKING = ("utm_source", "utm_medium", "utm_campaign")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language, with times in one zone.

    Args:
        language: `ru` or `en`; anything else is read as `en`.
        timezone: IANA zone of the people who read.
    """

    language: str
    timezone: str

    def reason(self, decision: Decision) -> str:
        """Why a call led to what it led to."""
        due = self.time(decision.due) if decision.due else ""
        return self._one(_REASONS[decision.reason]).format(count=decision.count, due=due)

    def say(self, key: str, **values: str | int) -> str:
        """A sentence of the vocabulary."""
        return self._one(_SENTENCES[key]).format(**values)

    def time(self, at: datetime) -> str:
        """A moment as people of the account write it, to the minute."""
        local = at.astimezone(ZoneInfo(self.timezone))
        return local.strftime("%d.%m.%Y %H:%M" if self.language == "ru" else "%Y-%m-%d %H:%M")

    def call_back(self, call: Call, plan: Plan) -> str:
        """The text of a call-back task: whom to call first, then what is known of the call."""
        who = self._who(call, plan)
        kind = "short_call" if plan.decision.reason is Reason.SHORT_ALONE or call.talk_s else "missed_call"
        facts = [self.say(kind, at=self.time(plan.began))]
        if call.wait_s and not call.talk_s:
            facts.append(self.say("waited", seconds=call.wait_s))
        return _sentences([self.say("call_back", who=who), ", ".join(facts), *self._details(call)])

    def counter(self, count: int, attempts: int) -> str:
        """How often they called and we tried; empty when there is nothing to count."""
        said = [self.say("counted", count=count)] if count > 1 else []
        return _sentences(said + ([self.say("tried", attempts=attempts)] if attempts else []))

    def next_step(self, call: Call, plan: Plan) -> str:
        """The text of a task after a conversation."""
        who = self._who(call, plan)
        talk = self.say("talk", at=self.time(plan.began), length=length_of(call.talk_s))
        return _sentences([self.say("next_step", who=who), talk, *self._details(call)])

    def log(self, call: Call, at: datetime) -> str:
        """The note that keeps a call where the CRM has no log of calls."""
        way = "way_out" if call.direction is Direction.OUT else "way_in"
        ended = self.say("talk_of", length=length_of(call.talk_s)) if call.talk_s else self._one(_STATUSES[call.status])
        head = self.say(way, who=number_of(call) or self.say("hidden"), at=self.time(at))
        return _sentences([f"{head}, {ended}", *self._details(call)])

    def _who(self, call: Call, plan: Plan) -> str:
        number = number_of(call)
        if number is None:
            return plan.name or self.say("hidden")
        return number if plan.name in ("", number) else f"{number} ({plan.name})"

    def _details(self, call: Call) -> list[str]:
        line = call.tracking.get("line_name") or call.line
        campaign = " / ".join(call.tracking[name] for name in _TRACKING if name in call.tracking)
        spoke = call.employee.name or call.employee.login if call.employee else None
        told = (
            ("line", " ".join(dict.fromkeys(text for text in (line, call.line) if text))),
            ("source", campaign),
            ("employee", spoke),
            ("recording", call.recording.url if call.recording else None),
        )
        return [self.say(key, text=text) for key, text in told if text]

    def _one(self, pair: tuple[str, str]) -> str:
        return pair[0] if self.language == "ru" else pair[1]


def number_of(call: Call) -> str | None:
    """The client's number as people dial it."""
    return (call.phone.e164 or call.phone.raw) if call.phone else None


def length_of(seconds: int) -> str:
    """Minutes and seconds."""
    return f"{seconds // 60}:{seconds % 60:02}"


def _sentences(parts: Sequence[str]) -> str:
    return ". ".join(part.rstrip(".") for part in parts if part)


_REASONS: Mapping[Reason, tuple[str, str]] = {
    Reason.REPEATED: ("этот звонок уже обработан", "this call has been dealt with"),
    Reason.OTHER_SOURCE: (
        "об этом же звонке уже сообщил другой источник",
        "another source has already told of this call",
    ),
    Reason.INTERNAL: ("внутренний звонок", "internal call"),
    Reason.OWN_NUMBER: ("звонок с собственного номера компании", "a call from one of the company's own numbers"),
    Reason.BLACKLISTED: ("номер в чёрном списке настроек", "the number is on the blacklist of the settings"),
    Reason.BLOCKED: ("номер заблокирован", "the number is blocked"),
    Reason.ANONYMOUS: ("номер скрыт: перезвонить некому", "the number is hidden: there is nobody to call back"),
    Reason.ANONYMOUS_MISSED: (
        "пропущенный звонок со скрытого номера: задача до {due}, как велят настройки",
        "a missed call from a hidden number: a task until {due}, as the settings say",
    ),
    Reason.ROBOT: (
        "похоже на робота: коротких звонков за час {count}; номер в списке на проверку, записи не создаются",
        "looks like a robot: {count} short calls within an hour; the number waits for review, no records are made",
    ),
    Reason.ACCIDENTAL: ("случайный звонок, {count} с", "accidental call of {count} s"),
    Reason.SHORT: ("короткий звонок, {count} с", "short call of {count} s"),
    Reason.SHORT_WAITS: (
        "разговор всего {count} с: ждём повторного звонка до {due}",
        "only {count} s of talk: waiting until {due} for the client to call again",
    ),
    Reason.SHORT_ALONE: (
        "после короткого звонка клиент не перезвонил: задача перезвонить до {due}",
        "the client did not call again after a short call: a task to call back until {due}",
    ),
    Reason.CALLED_AGAIN: ("после короткого звонка клиент связался снова", "the client got in touch after a short call"),
    Reason.ANSWERED: ("звонок принят", "the call was answered"),
    Reason.ANSWERED_PLANNED: (
        "звонок принят, следующая задача уже стоит",
        "the call was answered, and the next task is planned already",
    ),
    Reason.ANSWERED_NO_DEAL: (
        "звонок принят, открытой сделки нет",
        "the call was answered, and there is no open deal",
    ),
    Reason.NEXT_STEP: (
        "разговор состоялся, а дальше ничего не запланировано: задача на следующий шаг до {due}",
        "they talked and nothing is planned: a task for the next step until {due}",
    ),
    Reason.NOT_REACHED: ("клиент не взял трубку", "the client did not answer"),
    Reason.NOT_REACHED_AGAIN: (
        "до клиента не дозвонились: попытка {count} записана в открытую задачу",
        "the client was not reached: attempt {count} is noted in the open task",
    ),
    Reason.FAILED: ("звонок не состоялся технически", "the call failed technically"),
    Reason.STALE: ("о звонке узнали слишком поздно", "we heard of the call too late"),
    Reason.TALKED_SINCE: ("после этого звонка с клиентом уже поговорили", "somebody has talked to the client since"),
    Reason.MISSED: ("пропущенный звонок: задача перезвонить до {due}", "missed call: a task to call back until {due}"),
    Reason.MISSED_AT_NIGHT: (
        "пропущенный звонок в нерабочее время: задача к открытию, {due}",
        "missed call out of hours: a task for the opening, {due}",
    ),
    Reason.MISSED_AGAIN: (
        "пропущенный звонок от того же номера: в открытой задаче теперь звонков {count}, срок {due}",
        "missed call of the same number: the open task now stands for {count} calls, due {due}",
    ),
}

_STATUSES: Mapping[CallStatus, tuple[str, str]] = {
    CallStatus.ANSWERED: ("принят", "answered"),
    CallStatus.MISSED: ("без ответа", "not answered"),
    CallStatus.BUSY: ("занято", "busy"),
    CallStatus.FAILED: ("не состоялся", "failed"),
    CallStatus.CANCELLED: ("отменён", "cancelled"),
    CallStatus.VOICEMAIL: ("голосовая почта", "voicemail"),
    CallStatus.BLOCKED: ("заблокирован", "blocked"),
    CallStatus.UNKNOWN: ("исход неизвестен", "outcome unknown"),
}

_SENTENCES: Mapping[str, tuple[str, str]] = {
    "hidden": ("скрытый номер", "hidden number"),
    "call_back": ("Перезвонить: {who}", "Call back: {who}"),
    "missed_call": ("Пропущенный звонок {at}", "Missed call {at}"),
    "short_call": ("Звонок оборвался {at}", "The call broke off {at}"),
    "waited": ("ждали {seconds} с", "waited {seconds} s"),
    "counted": ("Пропущенных звонков: {count}", "Missed calls: {count}"),
    "tried": ("Попыток дозвониться: {attempts}", "Attempts to reach them: {attempts}"),
    "next_step": ("Следующий шаг: {who}", "Next step: {who}"),
    "talk": ("Разговор {at}, {length}", "Talk {at}, {length}"),
    "talk_of": ("разговор {length}", "talk {length}"),
    "way_in": ("Входящий звонок {who} {at}", "Incoming call {who} {at}"),
    "way_out": ("Исходящий звонок {who} {at}", "Outgoing call {who} {at}"),
    "line": ("Линия: {text}", "Line: {text}"),
    "source": ("Источник: {text}", "Source: {text}"),
    "employee": ("Сотрудник: {text}", "Employee: {text}"),
    "recording": ("Запись: {text}", "Recording: {text}"),
    "caller": ("Звонок {number}", "Call {number}"),
    "closed": (
        "открытая задача закрыта: с клиентом поговорили",
        "the open task is closed: somebody has talked to the client",
    ),
    "closed_result": ("Поговорили {at}, {length}", "Talked {at}, {length}"),
    "nothing_to_close": ("открытую задачу уже закрыли", "the open task had been closed"),
    "shared": ("номер записан у {count} контактов, выбран {name}", "{count} contacts have the number, took {name}"),
    "new_contact": ("создан контакт", "a contact was made"),
    "new_deal": ("создана сделка", "a deal was made"),
    "logged": ("звонок записан в CRM", "the call was entered into the CRM"),
    "not_logged": ("CRM не приняла звонок в журнал", "the CRM did not take the call into its log"),
    "owner_keeps": ("ответственный: {owner}, ведёт клиента", "owner: {owner}, who looks after the client"),
    "owner_left": (
        "ответственный: {owner}, по очереди, потому что {left} больше не работает",
        "owner: {owner}, whose turn it is, because {left} is no longer active",
    ),
    "owner_fixed": ("ответственный: {owner}, назначен в настройках", "owner: {owner}, named in the settings"),
    "owner_least": ("ответственный: {owner}, меньше всех открытых задач", "owner: {owner}, with the fewest open tasks"),
    "owner_turn": ("ответственный: {owner}, по очереди", "owner: {owner}, whose turn it is"),
    "owner_nobody": (
        "ответственного нет: никто из выбранных не активен",
        "no owner: nobody of the candidates is active",
    ),
    "called_again": ("после этого звонка клиент уже звонил снова", "the client has called again since"),
    "forgotten": ("забыто номеров: {count}", "numbers forgotten: {count}"),
    "number": ("Номер", "Number"),
    "short_calls": ("Коротких звонков за час", "Short calls within an hour"),
    "last_call": ("Последний звонок", "Last call"),
    "block": ("Это робот", "It is a robot"),
    "trust": ("Это клиент", "It is a client"),
    "reviewed": ("На проверке номеров: {count}", "Numbers for review: {count}"),
    "junk_closed": ("сделка закрыта", "the deal is closed"),
    "junk_talked": ("с клиентом уже поговорили", "somebody has talked to the client since"),
    "junk_double": ("на карточке есть задача новее", "there is a newer one on the card"),
    "junk_old": ("давно просрочена", "long overdue"),
    "swept": ("Закрыто задач: {count}", "Tasks completed: {count}"),
    "swept_dry": (
        "Можно закрыть задач: {count}. Ничего не изменено, для закрытия добавьте --apply",
        "Tasks that can go: {count}. Nothing was changed; add --apply to complete them",
    ),
}
