"""Names and phones of the small sales bases to play with, the same in every run."""

FIRST_NAMES = ("Пётр", "Ольга", "Сергей", "Елена", "Дмитрий", "Наталья", "Алексей", "Ирина", "Руслан", "Алина")
LAST_NAMES = ("Иваненко", "Соболь", "Черных", "Долгих", "Мороз", "Гончар", "Бондарь", "Ткач", "Белых", "Коваль")
COMPANIES = ("ООО «Вектор»", "ИП Лисин", "АО «Северный дом»", "ООО «Лада-Сервис»", "ООО «Кедр»", "ГК «Меридиан»")


def person_names(count: int) -> list[tuple[str, str]]:
    """First and last names."""
    return [(FIRST_NAMES[i % 10], LAST_NAMES[(i * 7 + i // 10) % 10]) for i in range(count)]


def phone_number(index: int, begin: int) -> str:
    """A phone after the ten digits `begin`, typed in one of the ways people type."""
    tail = f"{begin + index * 37_717 % 900_000_000}"
    ways = (
        f"+7{tail}",
        f"8 ({tail[:3]}) {tail[3:6]}-{tail[6:8]}-{tail[8:]}",
        f"7{tail}",
        f"+7 {tail[:3]} {tail[3:6]} {tail[6:]}",
    )
    return ways[index % 4]
