"""Names of people: whatever is typed, in whichever order, field, script or layout, is one comparable form."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from crmkit.identity import Gender, PersonForm, is_junk_name, person_form, skeleton


class Read(NamedTuple):
    """The parts of a form that most tables look at."""

    surname: str
    given: str
    patronymic: str
    gender: str


def read(last: str = "", first: str = "", middle: str = "", name: str = "") -> Read:
    """Give the parts of the form, the first names joined by a slash."""
    form = person_form(last, first, middle, name)
    return Read(form.surname, "/".join(sorted(form.given)), form.patronymic, form.gender or "")


IVAN = Read("ivanov", "иван", "ivan", "male")


@pytest.mark.parametrize(
    "name",
    [
        *("Иванов Иван Иванович", "Иван Иванович Иванов", "Иван Иванов Иванович", "ИВАНОВ ИВАН ИВАНОВИЧ"),
        *("иванов иван иванович", "  Иванов   Иван Иванович ", "Иванов, Иван Иванович", "Иванов Иван Иваныч"),
        *("Иванов Иван Иванович (Авито)", "Иванов Иван Иванович 89125550123"),
        *("г-н Иванов Иван Иванович", "🌸Иванов Иван Иванович"),
        *("директор Иванов Иван Иванович", "Иванов Иван Иванович - не звонить"),
        *("Иванов_Иван_Иванович", "Иванов2 Иван Иванович"),
        *("Ivanov Ivan Ivanovich", "IVAN IVANOVICH IVANOV", "Ivanoff Ivan Ivanovitch", "Iwanow Iwan Iwanowitsch"),
        *("Bdfyjd Bdfy Bdfyjdbx", "Шмфтщм Шмфт Шмфтщмшср", "Ivanov Ivan Ivanovi4", "Ивaнoв Ивaн Ивaнoвич"),
        *("Іванов Іван Іванович", "Иванов Иван Ивановчи", "Иванов Ванюша Иванович", "уважаемый Иванов Иван Иванович"),
    ],
)  # fmt: skip
def test_one_man(name: str) -> None:
    """Order, case, decoration, script, layout and look-alike letters do not change who is named."""
    assert read(name=name) == IVAN


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (("Иванов", "Иван", "Иванович", ""), IVAN),
        (("Иван", "Иванов", "Иванович", ""), IVAN),
        (("", "Иванов Иван Иванович", "", ""), IVAN),
        (("Иванов", "Иван Иванович", "", ""), IVAN),
        (("Иван", "", "Иванович", "Иванов Иван Иванович"), IVAN),
        (("Иванов", "Иван", "Иванович", "Иван Иванов"), IVAN),
        (("Абрамович", "Роман", "", ""), Read("abramoviq", "роман", "", "male")),
        (("Абрамович", "Роман", "Аркадьевич", ""), Read("abramoviq", "роман", "arkad", "male")),
        (("", "", "", "Роман Аркадьевич Абрамович"), Read("abramoviq", "роман", "arkad", "male")),
        (("", "", "", "Мамедов Эльчин Расим оглы"), Read("mamedov", "эльчин", "rasim", "male")),
        (("", "", "", "Мамедова Севда Расим-кызы"), Read("mamedov", "севда", "rasim", "female")),
        (("Мамедова", "Лейла", "Расимовна", ""), Read("mamedov", "лейла", "rasim", "female")),
        (("", "", "", "Анна-Мария Петрова-Водкина"), Read("petrov-vodkin", "анна/мария", "", "female")),
        (("", "", "", "Ким Анна"), Read("kim", "анна", "", "female")),
        (("Цой", "Виктор", "", ""), Read("coi", "виктор", "", "male")),
        (("", "", "", "Лев Толстой"), Read("tolsti", "лев", "", "male")),
        (("", "", "", "Толстая Татьяна"), Read("tolsti", "татьяна", "", "female")),
        (("", "", "", "Прохор Тлехугов"), Read("tlehugov", "прохор", "", "male")),
        (("", "Севда", "Бабяшкина", ""), Read("babawkin", "севда", "", "female")),
        (("", "", "", "Сергей Николаич"), Read("", "сергей", "nikol", "male")),
        (("", "", "", "Смирнова Дарья Русланна"), Read("smirnov", "дария/дарья", "ruslan", "female")),
        (("", "Елена", "Максимна", ""), Read("", "елена", "maksim", "female")),
        (("", "", "", "Ольга Молчанова Иванна"), Read("molqanov", "ольга", "ivan", "female")),
        (("", "", "", "Иванна Молчанова"), Read("molqanov", "иванна", "", "female")),
        (("", "", "", "Полина Станиславна"), Read("", "полина", "stanislav", "female")),
        (("", "", "", "N.O. Bogatalova"), Read("bogatalov", "", "", "female")),
        (("Ldjhrjdf", "F.D.", "", ""), Read("dvorkov", "", "", "female")),
        (("", "", "", "Каримова Нигора Бахтиёр қизи"), Read("karimov", "нигора", "bahter", "female")),
        (("", "", "", "Ахметов Нұрлан Серікұлы"), Read("ahmetov", "нурлан", "serik", "male")),
        (("", "", "", "Ахметова Сауле Серикқызы"), Read("ahmetov", "сауле", "serik", "female")),
        (("", "", "", "Мирослава Галич"), Read("galiq", "мирослава", "", "female")),
        (("", "", "", "Антон от Марины Ивановны"), Read("", "антон", "", "male")),
        (("", "", "", "Саша сантехник"), Read("", "александр/александра", "", "")),
        (("", "", "", "Марь Иванна"), Read("", "мария", "ivan", "female")),
        (("Щербакова", "Т. жена Олега", "А.", ""), Read("werbakov", "", "", "female")),
        (("", "", "", "Регина жена Олега"), Read("", "регина", "", "female")),
        (("", "", "", "Оля мама Олега"), Read("", "ольга", "", "female")),
        (("", "", "", "Сергей Казань"), Read("", "сергей", "", "male")),
        (("", "Ирина", "Никитична", ""), Read("", "ирина", "nikit", "female")),
        (("", "Кузьма", "Ильич", ""), Read("", "кузьма", "il", "male")),
        (("", "", "", "Оля мама Пети"), Read("", "ольга", "", "female")),
        (("", "", "", "Мама Оля"), Read("", "ольга", "", "female")),
        (("", "", "", "Лена (муж Лены) Авито"), Read("", "алена/елена", "", "female")),
        (("Луговой", "Владислав от Ивана"), Read("lugovi", "владислав", "", "male")),
        (("Иванова", "Мария жена Петра"), Read("ivanov", "мария", "", "female")),
        (("", "мама Оля"), Read("", "ольга", "", "female")),
        (("", "", "", "Антон от Ирины"), Read("", "антон", "", "male")),
        (("", "", "", "Петров мл. Пётр"), Read("petrov", "петр", "", "male")),
        (("", "", "", "John Smith"), Read("smit", "джон/иван", "", "male")),
        (("", "", "", "Вебер Ганс"), Read("veber", "gans", "", "")),
    ],
)
def test_parts(fields: tuple[str, str, str, str], expected: Read) -> None:
    """The parts are found in any field, and what is not the person's own name is left out."""
    assert read(*fields) == expected


@pytest.mark.parametrize(
    ("man", "woman", "code"),
    [
        *(("Иванов", "Иванова", "ivanov"), ("Ильин", "Ильина", "ilin"), ("Троицкий", "Троицкая", "troicki")),
        *(("Трубецкой", "Трубецкая", "trubecki"), ("Белый", "Белая", "beli"), ("Толстой", "Толстая", "tolsti")),
        *(("Шевченко", "Шевченко", "wevqenko"), ("Ким", "Ким", "kim"), ("Шмидт", "Шмидт", "wmidt")),
        *(("Ковальський", "Ковальська", "kovalski"), ("Акопян", "Акопян", "akopan"), ("Седых", "Седых", "sedih")),
        *(("Ivanov", "Ivanova", "ivanov"), ("Troitsky", "Troitskaya", "troicki"), ("Tolstoy", "Tolstaia", "tolsti")),
    ],
)
def test_gender_folds(man: str, woman: str, code: str) -> None:
    """A surname of a man and of a woman is one code, and the ending tells them apart where it can."""
    assert (person_form(last=man, first="Саша").surname, person_form(last=woman, first="Саша").surname) == (code, code)


@pytest.mark.parametrize(
    ("name", "gender"),
    [
        *(("Саша", None), ("Саша Иванова", Gender.FEMALE), ("Саша Иванов", Gender.MALE), ("Иванова", Gender.FEMALE)),
        *(("Женя Ким", None), ("Женя Олеговна", Gender.FEMALE), ("Шевченко", None), ("Валя", None)),
        *(("Мария Шевченко", Gender.FEMALE), ("Илья", Gender.MALE), ("Никита Саввич", Gender.MALE), ("", None)),
    ],
)
def test_gender(name: str, gender: Gender | None) -> None:
    """The gender is read from the patronymic, else the first name, else the surname."""
    assert person_form(name=name).gender is gender


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("Саша", "Александр"), ("Саша", "Александра"), ("Шурик", "Олександр")),
        *(("Ксюша", "Оксана"), ("Ксюша", "Ксения")),
        *(("Женя", "Eugene"), ("Лёша", "Алексей"), ("Лёха", "Alexey"), ("Гоша", "Георгий"), ("Гоша", "Егор")),
        *(("Гоша", "Игорь"), ("Слава", "Вячеслав"), ("Слава", "Ярослав"), ("Валера", "Валерия"), ("Алёна", "Елена")),
        *(("Helen", "Елена"), ("Michael", "Михаил"), ("Майкл", "Миша"), ("Микола", "Николай"), ("Наташа", "Наталия")),
        *(("Наталья", "Наталия"), ("Софья", "София"), ("Данила", "Даниил"), ("Гуля", "Гульнара"), ("Рома", "Roman")),
        *(("Серёженька", "Сергей"), ("Леночка", "Елена"), ("Димка", "Дмитрий")),
        *(("Танюша", "Татьяна"), ("Костик", "Константин")),
        *(("Мухаммед", "Магомед"), ("Аляксандр", "Александр"), ("Sawa", "Саша")),
        *(("Sereja", "Сергей"), ("Xenia", "Ксения")),
        *(("Andrew", "Андрей"), ("Antowa", "Антон"), ("Bepa", "Вера"), ("Алексадр", "Александр"), ("Jenya", "Евгений")),
    ],
)  # fmt: skip
def test_short_forms_meet(one: str, other: str) -> None:
    """Short forms and names of other languages share a full name with what they stand for."""
    assert person_form(first=one).given & person_form(first=other).given


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("Анна", "Яна"), ("Алина", "Арина"), ("Алия", "Алина")),
        *(("Мария", "Марина"), ("Иван", "Игорь"), ("Лев", "Леон")),
        *(("Даниил", "Денис"), ("Милана", "Людмила"), ("Ирина", "Арина"), ("Егор", "Игорь"), ("Андрей", "Андреев")),
        *(("Юлия", "Юлиана"), ("Рита", "Рената"), ("Артур", "Артём"), ("Карина", "Ирина"), ("Илья", "Ильяс")),
    ],
)  # fmt: skip
def test_different_names_do_not_meet(one: str, other: str) -> None:
    """Names of different people share no full name, however alike they sound."""
    assert not person_form(first=one).given & person_form(first=other).given


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Иванов И.П.", ("ivanov", "i", "p", "i")),
        ("Иванов И. П.", ("ivanov", "i", "p", "i")),
        ("И.П. Иванов", ("ivanov", "i", "p", "i")),
        ("И. Иванов", ("ivanov", "i", "", "i")),
        ("иванов и п", ("ivanov", "i", "p", "i")),
        ("Ivanov Yu. P.", ("ivanov", "u", "p", "i")),
        ("Анна К.", ("", "a", "", "k")),
        ("Саша Иванов", ("ivanov", "as", "", "i")),
        ("Иванов Иван Петрович", ("ivanov", "i", "p", "i")),
        ("Алиева О. А.", ("alev", "o", "a", "a")),
    ],
)
def test_initials(name: str, initials: tuple[str, str, str, str]) -> None:
    """Initials are kept as codes of letters: of the first name, the father's, the surname."""
    form = person_form(name=name)
    assert (form.surname, form.given_initials, form.patronymic_initial, form.surname_initial) == initials


def test_an_initial_is_no_name() -> None:
    """An initial alone leaves the first name empty."""
    assert person_form(name="Иванов И.").given == frozenset()


def test_whole_form() -> None:
    """All parts of a form are filled from one name, codes for comparing, Cyrillic for first names."""
    assert person_form("Щербакова", "Шура", "Ильинична") == PersonForm(
        surname="werbakov",
        given=frozenset({"александра"}),
        patronymic="il",
        gender=Gender.FEMALE,
        is_short=True,
        is_known=True,
        given_code="wura",
        given_initials="aw",
        patronymic_initial="i",
        surname_initial="w",
        words=(),
        is_junk=False,
    )


@pytest.mark.parametrize(
    "name",
    [
        "Иванов Александр Петрович",
        "Иванов А. П.",
        "Мельник Ольга",
        "Ольга Сергеевна",
        "Анна-Мария Петрова",
        "Саша",
        "К.",
    ],
)
def test_decorations_change_nothing(name: str) -> None:
    """A remark, a channel, a title or a number beside a name leaves every part of its form as it is."""
    form = person_form(name=name)
    for text in (f"{name} (не звонить)", f"авито {name}", f"г-н {name}", f"{name} 89125550123", f"{name} и"):
        assert person_form(name=text) == form
        assert person_form(first=text) == form


def test_unknown_first_name_keeps_its_code() -> None:
    """A first name that no table knows is compared by its code, and says so."""
    form = person_form("Тлехугов", "Бзоу")
    assert (form.given, form.is_known) == (frozenset({"bzou"}), False)


def test_a_slip_in_the_ending_of_a_patronymic_tells_no_gender() -> None:
    """Канатовия is no woman's: the first name and the surname are a man's."""
    form = person_form(name="Карпеев Константин Канатовия")

    assert (form.patronymic, form.gender) == ("kanat", Gender.MALE)


def test_a_short_name_with_a_slip_is_that_name_where_it_stands_alone() -> None:
    """A word of five signs that no table knows, and one slip away from one name alone."""
    assert person_form(name="Дмирий").given == {"дмитрий"}
    assert person_form(name="Викор Хомяшкин").given == {"vikor"}


def test_an_initial_that_the_whole_name_repeats_counts_once() -> None:
    """CRMs export the parts beside the whole: the second letter is the patronymic's, not the first one again."""
    form = person_form("Никушкин", "Е.", "", "Никушкин Е. А.")

    assert (form.given_initials, form.patronymic_initial) == ("e", "a")
    assert person_form("Аксенов", "А.", "", "Аксенов А. А.").patronymic_initial == "a"


def test_a_pet_name_is_short_for_the_mans_name_and_for_the_womans() -> None:
    """Дамирчик is no woman because there is a Дамира."""
    assert person_form(name="Дамирчик").given == {"дамир", "дамира"}


def test_left_over_words_are_kept() -> None:
    """What is no part of the name and no known remark stays as codes."""
    assert person_form(name="Иванов Иван Ромашка").words == ("romawka",)


@pytest.mark.parametrize(
    "text",
    [
        *("Тест Тестов", "test testov", "asdf", "йцукен", "qwerty"),
        *("фыва", "клиент", "Новый клиент", "Без имени", "аноним"),
        *("неизвестно", "Авито", "WhatsApp", "сайт", "-", "..."),
        *("123", "ааа", "asdasd", "noname", "Имя не указано", "директор"),
        *("Входящий звонок", "Звонок 89125550123", "?", "гость", "xxx"),
        *("Заявка с сайта", "заявка с сайта", "Заказ обратного звонка", "Пропущенный звонок", "Чат с сайта"),
        *("CRM-форма «Обратный звонок»", "Звонок с номера 89125550123", "Проверка связи", "Частное лицо"),
    ],
)  # fmt: skip
def test_junk(text: str) -> None:
    """Tests, placeholders, channels and runs over the keyboard name nobody."""
    assert is_junk_name(text)


@pytest.mark.parametrize("name", ["Лида", "Лида Белова", "Света с сайта", "Клим", "Роман", "Вера", "Любовь"])
def test_a_name_that_is_also_a_word_names_somebody(name: str) -> None:
    """No word of forms and remarks, in any case, is taken for one when it is a first name: Лида is no лид."""
    form = person_form(name=name)
    assert (form.is_known, form.is_junk) == (True, False)


@pytest.mark.parametrize(
    "text", ["", "Иван", "Ли", "Иванов", "Клиентова Анна", "Тестова Мария", "Мир Али", "Ян", "с", "иванов с"]
)
def test_no_junk(text: str) -> None:
    """People with names, however short, and records without one are no junk."""
    assert not is_junk_name(text)


@pytest.mark.parametrize(
    "words",
    [
        *(["Щербакова", "Shcherbakova", "Scherbakova", "Sherbakova", "Shherbakova", "Ŝerbakova", "Scerbakova"],),
        *(["Юлия", "Yuliya", "Iuliia", "Yulia", "Julia", "Ûliâ", "Juliya"],),
        *(["Ёлкин", "Elkin", "Yolkin", "Yëlkin", "Ëlkin"],),
        *(["Цой", "Tsoi", "Tsoy", "Coj", "Czoj", "Tcoi"], ["Чернов", "Chernov", "Černov", "4ernov"]),
        *(["Хабибуллин", "Khabibullin", "Habibullin", "Xabibullin"], ["Алексеев", "Alekseev", "Alexeev", "Alekseyev"]),
        *(["Соловьёв", "Solovyov", "Solovev", "Solov'ev", "Solovʹëv"], ["Толстая", "Tolstaya", "Tolstaia", "Tolstaja"]),
        *(["Куницкая", "Kunitskaya", "Kunickaja", "Kunitckaia", "Kuniczkaya"], ["Максимова", "Maximova", "Maksimova"]),
        *(["Майоров", "Mayorov", "Maiorov", "Majorov"], ["Иванов", "Ivanoff", "Iwanow"], ["Захаров", "3аxap0в"]),
        *(["Счастливцев", "Schastlivtsev"], ["Джафаров", "Dzhafarov", "Djafarov"], ["Дятлов", "Djatlov", "Dyatlov"]),
    ],
)  # fmt: skip
def test_skeletons_meet(words: list[str]) -> None:
    """All romanisations of a word, chat style and look-alikes are one code."""
    assert {skeleton(word) for word in words} == {skeleton(words[0])}


def test_skeletons_of_others_differ() -> None:
    """Different surnames keep different codes."""
    words = ["Иванов", "Ивашов", "Сидоров", "Щукин", "Чукин", "Жуков", "Зуков", "Царёв", "Сарёв", "Хомяк", "Комяк"]
    assert len({skeleton(word) for word in words}) == len(words)


@pytest.mark.parametrize("text", ["Smith John", "Schmidt Hans", "Weber Anna", "Kraft Peter", "Brandt Eva"])
def test_foreign_names_are_not_relaid(text: str) -> None:
    """A name that can be pronounced in Latin letters is not taken for one in the wrong layout."""
    assert person_form(name=text).surname == skeleton(text.split()[0])
