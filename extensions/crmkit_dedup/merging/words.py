"""Words of previews, notes and reports about merges, in Russian and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmkit_dedup.merging.outcome import Change, Fate
from crmkit_dedup.survivor import Rule

_FIELDS: Mapping[str, tuple[str, str]] = {
    "name": ("Имя", "Name"),
    "title": ("Название", "Title"),
    "phones": ("Телефоны", "Phones"),
    "emails": ("E-mail", "E-mails"),
    "tags": ("Теги", "Tags"),
    "company": ("Компания", "Company"),
    "owner_id": ("Ответственный", "Owner"),
    "birthday": ("Дата рождения", "Birthday"),
    "site": ("Сайт", "Site"),
    "inn": ("ИНН", "INN"),
    "kpp": ("КПП", "KPP"),
    "amount": ("Сумма", "Amount"),
    "items": ("Товары", "Items"),
}
_FATES: Mapping[Fate, tuple[str, str]] = {
    Fate.KEPT: ("остаётся", "stays"),
    Fate.FILLED: ("заполнится", "is filled"),
    Fate.JOINED: ("объединится", "is joined"),
    Fate.REPLACED: ("заменится", "is replaced"),
    Fate.LEFT: ("не войдёт, уйдёт в примечание", "finds no place, goes into a note"),
}
_RULES: Mapping[Rule, tuple[str, str]] = {
    Rule.STAGE: ("дальше по воронке", "further along the pipeline"),
    Rule.DEALS: ("больше сделок", "more deals"),
    Rule.EXTERNAL_ID: ("есть внешний код", "has an external id"),
    Rule.COMPLETE: ("заполнена полнее", "more fields filled"),
    Rule.OLDEST: ("создана раньше", "the oldest"),
    Rule.ACTIVE: ("изменялась позже", "changed last"),
    Rule.OWNER: ("ответственный работает", "its owner works here"),
}
_TEXTS: Mapping[str, tuple[str, str]] = {
    "survivor": ("Останется {id} «{name}»: {why}", "{id} “{name}” lives on: {why}"),
    "chosen": ("так выбрано", "it was chosen"),
    "equal": ("записи равны, у этой меньше номер", "the records are equal, this has the lower number"),
    "loser": ("Вольётся {id} «{name}»", "{id} “{name}” goes into it"),
    "owner_gone": (
        "Ответственный оставшейся записи больше не работает: передайте её кому-то",
        "The owner of the record that lives on has left: hand it to somebody",
    ),
    "moves": ("Перейдут: {what}", "These move: {what}"),
    "moves_deals": ("сделок {count}", "deals {count}"),
    "moves_tasks": ("задач {count}", "tasks {count}"),
    "moves_notes": ("примечаний {count}", "notes {count}"),
    "moves_calls": ("звонков {count}", "calls {count}"),
    "moves_people": ("людей {count}", "people {count}"),
    "field": (
        "{title}: «{before}» → «{after}» ({fate}; из {source})",
        "{title}: “{before}” → “{after}” ({fate}; of {source})",
    ),
    "several": ("нескольких записей", "several records"),
    "objection": ("Нельзя: {text}", "Not possible: {text}"),
    "too_many": ("записей {count}, а не больше {most}", "{count} records, {most} at most"),
    "protected_tag": ("{id} защищена тегом «{what}»", "{id} is protected by the tag “{what}”"),
    "protected_owner": ("{id} защищена ответственным {what}", "{id} is protected by its owner {what}"),
    "protected_field": ("{id} защищена полем «{what}»", "{id} is protected by the field “{what}”"),
    "own_company": ("{id}: это ваша собственная компания", "{id} is your own company"),
    "undo_first": (
        "{id} влита дальше: сначала отмените {what}",
        "{id} was merged further: take {what} back first",
    ),
    "rivals": ("открытые сделки разных ответственных: {what}", "open deals of different owners: {what}"),
    "excluded": ("{id} и {what} помечены как разные", "{id} and {what} were said to be different"),
    "busy": ("{id} сейчас участвует в объединении {what}", "{id} takes part in merge {what} just now"),
    "merged": ("{id} уже объединена: {what}", "{id} was merged already: {what}"),
    "note_head": (
        "Объединение {merge}: у дубля {id} были другие значения",
        "Merge {merge}: duplicate {id} had other values",
    ),
    "note_line": ("{title}: {value}", "{title}: {value}"),
    "copied": ("Из дубля {id}, {at}{author}:", "Of duplicate {id}, {at}{author}:"),
    "done": ("Объединение {merge}: {losers} → {survivor}", "Merge {merge}: {losers} → {survivor}"),
    "planned": (
        "Объединение {merge} запланировано: {losers} → {survivor}",
        "Merge {merge} is planned: {losers} → {survivor}",
    ),
    "stays": (
        "{id} осталась с отметкой «дубль»: удалить её может только человек",
        "{id} stays, marked as a duplicate: only a person can delete it",
    ),
    "bereft": (
        "Объединение {merge} не закончено: {survivor} удалена. Если и {losers} уже нет, их вернёт отмена",
        "Merge {merge} is not ended: {survivor} was deleted. If {losers} are gone too, an undo brings them back",
    ),
    "conflict": (
        "CRM отказала: {text}. Записи возвращены как были",
        "The CRM refused: {text}. The records are as they were",
    ),
    "brought": ("После объединения дозаписано: {what}", "Written after the merge: {what}"),
    "unwritable": ("Не записано: {title} «{value}»: {text}", "Not written: {title} “{value}”: {text}"),
    "undo_head": ("Отмена объединения {merge}", "Merge {merge} is taken back"),
    "undo_planned": ("Отмена объединения {merge} запланирована", "Taking back merge {merge} is planned"),
    "undone": ("Объединение {merge} уже отменено", "Merge {merge} was taken back already"),
    "no_merge": ("Объединения {merge} нет", "There is no merge {merge}"),
    "never_done": ("Объединение {merge} не состоялось", "Merge {merge} never took place"),
    "anew": ("{old} создана заново как {new}", "{old} was made anew as {new}"),
    "alive": ("{old} снова сама по себе", "{old} stands for itself again"),
    "back": ("Возвращены: {what}", "Moved back: {what}"),
    "later": ("Осталось у {id}, потому что появилось позже: {what}", "Stays with {id}, for it came later: {what}"),
    "kept_change": (
        "{id}: {title} после объединения изменили люди, их значение «{value}» осталось",
        "{id}: people have changed {title} since, their value “{value}” stays",
    ),
    "cannot": ("Не вернуть: {what}", "Cannot come back: {what}"),
    "cannot_id": ("номер {id}", "the number {id}"),
    "cannot_day": ("дата создания {id}", "the day on which {id} was made"),
    "cannot_history": ("история, письма и встречи {id}", "history, letters and meetings of {id}"),
    "cannot_calls": ("звонки {what} остались у {id}", "calls {what} stay with {id}"),
    "cannot_file": ("файл «{what}» у {id}", "the file “{what}” of {id}"),
    "cannot_note": ("примечание {what} осталось у {id}: {text}", "note {what} stays with {id}: {text}"),
    "with_files": ("примечание {what} с файлами осталось у {id}", "note {what} with its files stays with {id}"),
    "cannot_link": ("связь {id} с {what}: {text}", "the link of {id} with {what}: {text}"),
    "cannot_field": ("поле «{what}» у {id}: {text}", "the field “{what}” of {id}: {text}"),
    "cannot_part": ("«{what}» осталось у {id}", "“{what}” stays with {id}"),
    "copies": ("копии примечаний у {id}: {what}", "copies of notes with {id}: {what}"),
    "note_dates": (
        "дата и автор примечаний, написанных заново: {what}",
        "day and author of notes written anew: {what}",
    ),
    "moved_on": ("{what} с тех пор перенесли люди", "{what} was moved by people since"),
    "journal": (
        "{merge}  {at}  {state}  {losers} → {survivor}{why}",
        "{merge}  {at}  {state}  {losers} → {survivor}{why}",
    ),
    "empty": ("Журнал пуст", "The journal is empty"),
    "begun": ("начато", "begun"),
    "state_done": ("выполнено", "done"),
    "state_planned": ("в плане", "planned"),
    "undoing": ("отменяется", "being taken back"),
    "state_undone": ("отменено", "taken back"),
    "refused": ("отказано", "refused"),
    "usage_merge": (
        "Напишите: merge 12 15 … [--survivor 12] [--apply] [--force]; компании company:7, сделки deal:3",
        "Write: merge 12 15 … [--survivor 12] [--apply] [--force]; companies company:7, deals deal:3",
    ),
    "usage_undo": ("Напишите: undo ОБЪЕДИНЕНИЕ [--force]", "Write: undo MERGE [--force]"),
    "dry": ("Ничего не изменено: добавьте --apply", "Nothing was changed: add --apply"),
}


def say(language: str, key: str, **values: object) -> str:
    """A text in `ru` or `en`, with values in its places."""
    return _TEXTS[key][language == "en"].format(**values)


def title_of(language: str, change: Change) -> str:
    """The name of a field for people: the vendor's own where the field is one of its own."""
    return _FIELDS[change.name][language == "en"] if change.name in _FIELDS else change.title


def field_title(language: str, name: str) -> str:
    """The name of one of crmkit's fields for people; other names are as they are."""
    return _FIELDS[name][language == "en"] if name in _FIELDS else name


def field_line(language: str, change: Change) -> str:
    """A line of the preview."""
    source = change.source.id if change.source is not None else say(language, "several")
    return say(
        language,
        "field",
        title=title_of(language, change),
        before=change.before,
        after=change.after,
        fate=_FATES[change.fate][language == "en"],
        source=source,
    )


def rule_text(language: str, rule: Rule | None, *, is_chosen: bool) -> str:
    """Why the survivor is the survivor."""
    if is_chosen:
        return say(language, "chosen")
    return _RULES[rule][language == "en"] if rule is not None else say(language, "equal")


def listed(items: Sequence[object]) -> str:
    """Several things in one line."""
    return ", ".join(map(str, items))
