"""Mail providers and what is known of their boxes, as data."""

_FREE_WORDS = """
gmail.com googlemail.com yandex.ru ya.ru yandex.com yandex.by yandex.kz yandex.ua narod.ru mail.ru bk.ru list.ru
inbox.ru internet.ru xmail.ru mail.ua vk.com rambler.ru lenta.ru autorambler.ru myrambler.ru ro.ru r0.ru outlook.com
hotmail.com hotmail.ru live.com live.ru msn.com outlook.ru yahoo.com yahoo.ru ymail.com icloud.com me.com mac.com
aol.com proton.me protonmail.com pm.me gmx.com gmx.de gmx.net web.de ukr.net i.ua meta.ua bigmir.net email.ua tut.by
mail.by open.by inbox.lv mail.kz umail.uz mail.uz inbox.uz fastmail.com fastmail.fm zoho.com mail.com tutanota.com
qip.ru pochta.ru hotbox.ru front.ru land.ru nextmail.ru ngs.ru e1.ru nm.ru
"""
FREE = frozenset(_FREE_WORDS.split())
"""Providers that give a box to anybody: the domain says nothing of a firm. Source: the providers' own pages."""

CORRECTED = (
    "gmail.com", "googlemail.com", "yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "mail.ru",
    "inbox.ru", "list.ru", "rambler.ru", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "ukr.net", "ya.ru",
    "bk.ru", "tut.by", "internet.ru",
)  # fmt: skip
"""Providers that a slip in a domain is corrected to, the commonest first."""

SLIPS = {
    "gmail.ru": "gmail.com", "gmail.com.ru": "gmail.com", "gmail": "gmail.com", "gmai.com": "gmail.com",
    "gmal.com": "gmail.com", "gmil.com": "gmail.com", "gmaill.com": "gmail.com", "gmailcom": "gmail.com",
    "gmail.co": "gmail.com", "gmail.cm": "gmail.com", "gmail.om": "gmail.com", "g.mail.com": "gmail.com",
    "gmaii.com": "gmail.com", "jmail.com": "gmail.com", "gmali.com": "gmail.com", "gmail.comm": "gmail.com",
    "mail": "mail.ru", "mailru": "mail.ru", "mail.rru": "mail.ru", "mail.r": "mail.ru", "maul.ru": "mail.ru",
    "mfil.ru": "mail.ru", "mail.rv": "mail.ru", "meil.ru": "mail.ru", "mai.ru": "mail.ru", "email.ru": "mail.ru",
    "yandex": "yandex.ru", "yandexru": "yandex.ru", "yandx.ru": "yandex.ru", "yndex.ru": "yandex.ru",
    "iandex.ru": "yandex.ru", "jandex.ru": "yandex.ru", "uandex.ru": "yandex.ru", "yadex.ru": "yandex.ru",
    "yandeks.ru": "yandex.ru", "yandex.ry": "yandex.ru", "yandex.rus": "yandex.ru", "yaru": "ya.ru", "ya": "ya.ru",
    "bkru": "bk.ru", "bk.ry": "bk.ru", "listru": "list.ru", "inboxru": "inbox.ru", "ramler.ru": "rambler.ru",
    "rambleru": "rambler.ru", "icloud": "icloud.com", "iclod.com": "icloud.com", "icoud.com": "icloud.com",
    "icloud.ru": "icloud.com", "outlook": "outlook.com", "hotmail": "hotmail.com", "rambler": "rambler.ru",
    "ya.ry": "ya.ru", "list.ry": "list.ru", "inbox.ry": "inbox.ru", "bk.ri": "bk.ru", "yandex.r": "yandex.ru",
}  # fmt: skip
"""Slips that are more than one edit away, too short to be counted, or have no dot left."""

_REAL_NEIGHBOURS_WORDS = """
mail.com email.com gmx.com ymail.com mail.ua mail.by mail.kz mail.uz yandex.net yandex.eu list.com inbox.lv inbox.com
inbox.uz yahoo.co vmail.ru xmail.ru live.ru line.ru last.ru gist.ru fmail.ru kmail.ru lmail.ru smail.ru amail.ru
emailed.ru me.com mac.com fastmail.com mailer.ru maily.ru mail.de mail.ee main.ru sail.ru hail.ru ukr.com tut.ru
"""
REAL_NEIGHBOURS = frozenset(_REAL_NEIGHBOURS_WORDS.split())
"""Domains one edit away from a provider that exist by themselves."""

_ROLES_WORDS = """
info office sales sale zakaz zakazy order orders mail post pochta admin administrator buh buhgalter buhg accounting
account glavbuh manager managers support help helpdesk hello hi shop store magazin hr job jobs kadry rabota personal
contact contacts kontakt reception resepshn secretary sekretar priemnaya priem director direktor dir boss ceo general
marketing reklama market pr press smm client clients klient service servis serv opt optom snab snabzhenie zakup
zakupki tender tenders torgi logist logistic logistics dostavka delivery sklad warehouse it dev tech webmaster web
site postmaster hostmaster abuse noreply no-reply donotreply robot bot notify notification news newsletter subscribe
billing pay payment finance fin legal jurist urist lawyer inbox company firma firm corp team all common public
feedback otdel prodazhi prodaji commerce commercial invoice dogovor docs document booking bron hotel reservation spb
msk moscow region partner partners client-service callcenter call-center dispatcher disp ok op vip welcome
"""
ROLES = frozenset(_ROLES_WORDS.split())
"""Local parts of boxes that a firm's people share."""

_STUBS_WORDS = """
test tests testing tester no none net nomail noemail no-mail no-email nope null na n-a nan empty example sample demo
user email e-mail name mymail mailmail asd asdf qwe qwer qwerty qwerty123 zxc zxcv abc abcd abc123 xxx xyz aaa aa fake
temp tmp spam trash anon anonim anonymous unknown neizvestno otsutstvuet netu nety dummy client guest 123 1234 12345
123456 1234567 111 000 11 00 netpochty bezpochty neukazan ne-ukazan
"""
STUBS = frozenset(_STUBS_WORDS.split())
"""Local parts that are typed where an address is asked for and there is none."""

_STUB_HOSTS_WORDS = """
example.com example.org example.net example.ru test.ru test.com test.test mail.test a.ru aa.ru aaa.ru 1.ru 11.ru
111.ru 123.ru 1.com a.a a.com no.ru no.com net.net none.com none.ru nomail.ru nomail.com noemail.com noemail.ru
email.email localhost.ru temp.ru fake.ru xxx.ru qwe.ru asd.ru asdf.ru domain.com domain.ru site.ru site.com
mailinator.com
"""
STUB_HOSTS = frozenset(_STUB_HOSTS_WORDS.split())
"""Domains of such addresses; example.* by RFC 2606."""
