"""What people read of dedup, in Russian and English: tasks, the queue, reports, the reasons of decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from crmkit.models import Company, Contact, Deal, Record
from crmkit.values import Kind
from crmkit_dedup.findings import Finding
from crmkit_dedup.match import Band, Reason
from crmkit_dedup.reasons import reason_text

SHOWN = 4
"""Reasons that a task or a line of the queue names; the rest is in the details."""


LISTED = 20
"""Cards that a task lists."""

SHORT = 255
"""Signs that every CRM takes as the text of a task."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language.

    Args:
        language: `ru` or `en`; anything else is read as `en`.
        timezone: IANA zone of the people who read.
    """

    language: str
    timezone: str

    def say(self, key: str, **values: str | int) -> str:
        """A sentence of the vocabulary."""
        return _SENTENCES[key][0 if self.language == "ru" else 1].format(**values)

    def kind(self, kind: Kind) -> str:
        """A kind of record, as a noun."""
        return self.say(f"kind_{kind.value}")

    def band(self, band: Band) -> str:
        """How sure it is."""
        return self.say(f"band_{band.value}")

    def step(self, kind: Kind, step: str) -> str:
        """A step of a scan; one that has no word yet is told by its own name."""
        return f"{self.kind(kind)}: {self.say(f'step_{step}') if f'step_{step}' in _SENTENCES else step}"

    def time(self, at: datetime) -> str:
        """A moment as people of the account write it, to the minute."""
        local = at.astimezone(ZoneInfo(self.timezone))
        return local.strftime("%d.%m.%Y %H:%M" if self.language == "ru" else "%Y-%m-%d %H:%M")

    def why(self, reasons: Iterable[Reason]) -> str:
        """What speaks for it, the weightiest first, and then what speaks against it."""
        told = [reason for reason in reasons if reason.code not in _SILENT]
        ranked = sorted(told, key=lambda one: (one.points < 0, -abs(one.points)))
        return "; ".join(self.reason(one) for one in ranked[:SHOWN])

    def reason(self, reason: Reason) -> str:
        """One reason."""
        return reason_text(reason, "ru" if self.language == "ru" else "en")

    def name(self, record: Record) -> str:
        """What a record is called, and its number."""
        match record:
            case Contact() | Company():
                name = record.name
            case Deal():
                name = record.title
            case _:
                name = ""
        return f"{name or self.say('nameless')} ({record.ref.id})"

    def names(self, records: Sequence[Record], most: int) -> str:
        """What several records are called; of more than `most` only the first, and how many more there are."""
        told = " + ".join(self.name(record) for record in records[:most])
        return f"{told} {self.say('and_more', count=len(records) - most)}" if len(records) > most else told

    def task(self, finding: Finding, records: Sequence[Record]) -> str:
        """The text of the task that asks a person: who, where, why, and what to do."""
        lines = [self.say(f"task_{finding.kind.value}")]
        lines += [f"{self.name(record)}{f' {record.url}' if record.url else ''}" for record in records[:LISTED]]
        lines += [self.say("and_more", count=len(records) - LISTED)] if len(records) > LISTED else []
        lines.append(self.say("because", why=self.why(finding.reasons)))
        lines.append(self.say("task_what"))
        return "\n".join(lines)

    def short_task(self, finding: Finding, records: Sequence[Record]) -> str:
        """The same in at most `SHORT` signs: the others' links and names, as many as fit, and why."""
        head = self.say(f"task_{finding.kind.value}")
        why = self.say("because", why=self.why(finding.reasons[:2]))
        names = [_cut(self.name(record), 40) for record in records]
        links = [f" {record.url}" if record.url else "" for record in records]
        for told in ([*map("".join, zip(names, ["", *links[1:]], strict=True))], names, names[:2]):
            text = "\n".join([head, *told, why])
            if len(text) <= SHORT:
                return text
        return _cut(text, SHORT)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


_SILENT = frozenset({"base", "alone"})

_SENTENCES: Mapping[str, tuple[str, str]] = {
    "kind_contact": ("контакты", "contacts"),
    "kind_company": ("компании", "companies"),
    "kind_deal": ("сделки", "deals"),
    "band_auto": ("точно", "sure"),
    "band_review": ("проверить", "to be checked"),
    "band_ignore": ("нет", "no"),
    "and_more": ("и ещё {count}", "and {count} more"),
    "nameless": ("без имени", "no name"),
    "task_contact": ("Похоже, это один и тот же человек:", "These look like one person:"),
    "task_company": ("Похоже, это одна и та же компания:", "These look like one company:"),
    "task_deal": ("Похоже, это одна и та же сделка:", "These look like one deal:"),
    "task_what": (
        "Если это дубль, объедините карточки; если нет, ничего не меняйте и закройте задачу.",
        "Merge the cards if it is a duplicate; if it is not, leave them and close the task.",
    ),
    "because": ("Почему: {why}", "Why: {why}"),
    "off": ("проверка при создании и изменении выключена", "the check on creation and change is switched off"),
    "own": ("это изменили мы сами", "we made this change ourselves"),
    "same": ("то, по чему сравнивают, не изменилось", "nothing that is compared has changed"),
    "junk": ("сравнивать не по чему: {why}", "there is nothing to compare by: {why}"),
    "unique": ("похожих нет; сравнили: {count}", "nothing like it; compared: {count}"),
    "apart": ("похожие уже признаны разными", "what is like it has been called different"),
    "found": ("дубль ({band}): {ids}; {why}", "a duplicate ({band}): {ids}; {why}"),
    "known": ("об этом дубле уже известно", "this duplicate is known already"),
    "put_off": ("дубль отложен до {until}", "the duplicate is put off until {until}"),
    "queued": ("ждёт в очереди", "waits in the queue"),
    "asked": ("поставлена задача, ответственный: {owner}", "a task was made, owner: {owner}"),
    "asked_again": ("задача дополнена", "the task was brought up to date"),
    "marked": ("помечены тегом «{tag}»: {ids}", "marked with the tag “{tag}”: {ids}"),
    "no_tags": (
        "в этой CRM у таких записей нет тегов, дубль ждёт в очереди",
        "such records have no tags in this CRM, the duplicate waits in the queue",
    ),
    "taken_in": (
        "эта карточка уже объединена с другой",
        "this card has been merged into another one",
    ),
    "gone": ("записи уже нет", "the record is gone"),
    "not_merged": ("не объединены: {why}", "not merged: {why}"),
    "enough": (
        "за один проход разбирается не больше {count}, остальные ждут",
        "one run acts on {count} at the most, the rest waits",
    ),
    "excluded": ("больше не предлагаются вместе: {ids}", "not proposed together any more: {ids}"),
    "included": ("снова сравниваются: {ids}", "are compared again: {ids}"),
    "not_excluded": ("не были исключены: {ids}", "were not excluded: {ids}"),
    "later": ("отложены до {until}: {ids}", "put off until {until}: {ids}"),
    "filled": ("в индекс внесено записей: {count}", "records put into the index: {count}"),
    "complete": ("индекс полон", "the index is complete"),
    "step_read": ("чтение", "reading"),
    "step_keys": ("ключи", "keys"),
    "step_compare": ("сравнение", "comparing"),
    "step_index": ("индекс", "index"),
    "step_act": ("разбор найденного", "acting on what was found"),
    "scanned": (
        "{kind}: записей {records}, лишних {extra}; групп {clusters}, точно {auto}, проверить {review}; мусор {junk}",
        "{kind}: {records} records, {extra} too many; {clusters} groups, {auto} sure, {review} to check; {junk} junk",
    ),
    "scan_new": (
        "новых {new}, было известно {known}, закрыто {settled}, исключено {apart}",
        "{new} new, {known} known, {settled} closed, {apart} excluded",
    ),
    "scan_done": ("проверка закончена", "the scan is complete"),
    "empty": ("очередь пуста", "the queue is empty"),
    "records": ("Записи", "Records"),
    "how_sure": ("Уверенность", "How sure"),
    "reasons": ("Почему", "Why"),
    "since": ("Найдено", "Found"),
    "state": ("Что сделано", "What was done"),
    "merge": ("Объединить", "Merge"),
    "merge_sure": ("Объединить точные", "Merge the sure ones"),
    "exclude": ("Не дубль", "Not a duplicate"),
    "postpone": ("Позже", "Later"),
    "undo": ("Отменить", "Undo"),
    "bad_words": ("{name}: непонятно «{words}»", "{name} cannot do “{words}”"),
    "usage_scan": ("Пишется без слов.", "It takes no words."),
    "usage_queue": ("Пишется без слов или с --all.", "It takes --all or nothing."),
    "usage_exclude": (
        "Напишите exclude 12 15, exclude company:7 company:9, exclude 12 15 --undo или exclude --list.",
        "Write exclude 12 15, exclude company:7 company:9, exclude 12 15 --undo or exclude --list.",
    ),
    "no_record": ("«{name}» не называет запись", "“{name}” names no record"),
    "usage_record": (
        "Напишите contact:12, company:7, deal:3 или просто 12 для контакта.",
        "Write contact:12, company:7, deal:3, or 12 for a contact.",
    ),
    "settled": ("дубль {name} уже разобран", "the duplicate {name} is settled"),
    "settled_remedy": (
        "Откройте очередь ещё раз: кто-то или проверка успели раньше.",
        "Look at the queue again: somebody, or a scan, was quicker.",
    ),
    "unseen": ("{ref} сервис никогда не видел, или её уже нет", "{ref} was never seen or is gone"),
    "unseen_remedy": (
        "Кто ждёт, показывает crmkit ext dedup queue.",
        "crmkit ext dedup queue shows those that wait.",
    ),
    "no_action": ("здесь нет действия «{name}»", "there is no action “{name}” here"),
    "actions": ("Есть: {names}.", "There is: {names}."),
    "see_journal": ("Что было, показывает crmkit ext dedup journal.", "crmkit ext dedup journal shows what was done."),
    "force": (
        "Всё равно объединить: crmkit ext dedup merge {names} --apply --force",
        "To merge all the same: crmkit ext dedup merge {names} --apply --force",
    ),
    "queue_more": (
        "показаны первые {shown}; все: crmkit ext dedup queue --all",
        "the first {shown} are shown; all of them: crmkit ext dedup queue --all",
    ),
    "queue_size": ("В очереди: {count}, из них точно: {auto}", "In the queue: {count}, of which sure: {auto}"),
    "kind": ("Что", "What"),
    "when": ("Когда", "When"),
    "merges": ("Объединений: {count}", "Merges: {count}"),
    "state_begun": ("начато", "begun"),
    "state_planned": ("в плане", "planned"),
    "state_done": ("объединено", "merged"),
    "state_refused": ("CRM отказала", "the CRM refused"),
    "state_undoing": ("отменяется", "is being undone"),
    "state_undone": ("отменено", "undone"),
    "waits_task": ("задача {task}", "task {task}"),
}
