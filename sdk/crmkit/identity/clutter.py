"""What people write into a name field beside the name: titles, posts, channels, kin, and names that are nobody's."""

from __future__ import annotations

import re

_TITLE_WORDS = """
г-н г-жа гн гжа уважаемый уважаемая уваж др д-р дорогой дорогая проф профессор кмн дмн господин госпожа гр гражданин
гражданка тов товарищ пан пани mr mrs ms miss mister dr доктор ип ooo ооо зао оао пао ао чп фоп кфх самозанятый
физлицо физ лицо частник юрлицо юр директор гендиректор ген зам замдиректора заместитель гендир финдиректор
коммерческий генеральный исполнительный бухгалтер бух главбух главный глав гл менеджер администратор админ секретарь
руководитель начальник рук собственник владелец учредитель хозяин хозяйка снабженец снабжение закупки закупщик отдел
инженер прораб мастер водитель курьер юрист адвокат агент риелтор риэлтор дизайнер маркетолог логист кладовщик
продавец врач учитель тренер специалист заведующий зав заведующая кадры секретарша ассистент помощник представитель
ceo cto cfo manager director sales owner
"""
_CHANNEL_WORDS = """
авито avito юла циан cian дром drom авто.ру auto.ru инста инстаграм инстаграмм instagram insta телеграм телеграмм
телега telegram тг tg ватсап вацап вотсап вотсапп whatsapp wa вайбер viber вк вконтакте vk ok одноклассники фейсбук
facebook fb сайт site website яндекс yandex гугл google директ реклама рекомендация рекомендации сарафан 2gis 2гис
дубльгис ozon озон wildberries вб wb маркет звонок звонил звонила перезвонить входящий исходящий заявка лид lead
почта email mail квиз лендинг landing чат chat jivo jivosite callback форма онлайн
"""
_REMARK_WORDS = """
новый новая старый старая постоянный постоянная vip вип клиент клиентка покупатель покупательница заказчик заказчица
контакт абонент поставщик партнер партнёр дилер сотрудник подрядчик не звонить незвонить дубль дубликат копия тест
важно срочно опт оптовик розница дозвон недозвон отказ спам список чс повтор повторный повторно архив
удалить личный рабочий мобильный моб тел телефон раб дом домашний номер тот та этот друг подруга знакомый знакомая
сосед соседка родственник коллега шеф босс и или уточнить имя фамилия фио отчество спросить только писать
после до по на для утром вечером днем мл младший младшая ст старший старшая jr sr junior senior
"""
_TRADE_WORDS = """
гип пто главврач оператор диспетчер технолог механик энергетик мерчендайзер супервайзер эйчар hr смм smm сео seo it
сантехник электрик шиномонтаж кафе ресторан ремонт маникюр мебель потолки натяжные такси доставка квартира квартиры окна
двери сварщик плиточник маляр строитель грузчик грузчики массаж массажист косметолог парикмахер барбер стоматолог врач
фотограф видеограф няня репетитор тамада автосервис сервис эвакуатор дача стройка кухня шкаф диван кровать ламинат
аренда продажа покупка обмен гараж земля участок новостройка ипотека страховка кредит юрист нотариус офис склад магазин
id ru com www
"""
TITLES = frozenset((_TITLE_WORDS + _CHANNEL_WORDS + _REMARK_WORDS + _TRADE_WORDS).split())
"""Words that tell nothing of who it is; lower case, ё folded."""

_KIN_WORDS = """
муж жена мама папа мать отец сын дочь дочка брат сестра бабушка дедушка тетя дядя теща тесть свекровь зять невестка
внук внучка супруг супруга от
"""
KIN = frozenset(_KIN_WORDS.split())
"""Words whose next one, in the genitive, names another person: `муж Лены`, `от Иванова`."""

_KEY_RUN_WORDS = """
тест test testing tester тестовый тестовая asdf asdfg asdfgh asd qwe qwer qwert qwerty qwertyuiop zxc zxcv zxcvb zxcvbn
qaz wsx qazwsx abc abcd йцу йцук йцуке йцукен йцукенг фыв фыва фывап фывапр фывапролдж ячс ячсм ячсмить ясм абв абвг
абвгд ываыва хз ххх xxx ааа ыыы zzz aaa ббб
"""
KEY_RUNS = frozenset(_KEY_RUN_WORDS.split())
"""Runs over the keyboard and words of whoever tries a form out."""

_NOBODY_WORDS = """
тестов тестова тестович тестовна проба пробный testov testova testoviy demo demoviy демо
аноним анонимный anonymous anonim anon неизвестно неизвестный неизвестная неизвестен unknown none null nan undefined
нет пусто пустой empty безымянный безымянная noname no name без имени фамилии названия данных не указано указан указана
определен определено определился скрыт скрытый номер клиент клиентка client customer покупатель гость guest user
пользователь пользователя контакт contact абонент лид lead имя фамилия фио отчество никто некто какой-то кто-то
привет hello hi ало алло да нету безфамилии безимени новый новая
"""
NOBODY = frozenset(_NOBODY_WORDS.split())
"""Words that stand where a name should: a field of nothing but these names nobody."""

_REPEATED = re.compile(r"(.{1,5}?)\1+")


def is_nonsense(word: str) -> bool:
    """The word stands where a name should and is none; `word` is in lower case."""
    return word in NOBODY or is_key_run(word)


def is_key_run(word: str) -> bool:
    """The word is a run over the keyboard, one piece repeated, or a test; `word` is in lower case."""
    if word in KEY_RUNS:
        return True
    if word[:1] not in word[1:6]:
        return False
    found = _REPEATED.fullmatch(word)
    return found is not None and (len(word) > 2 * len(found[1]) or found[1] in KEY_RUNS)
