"""A firm's own place on the web, as a domain."""

from __future__ import annotations

import re

from crmkit.identity.mail_host import FREE


def site_domain(raw: str) -> str | None:
    """Give the registered domain of a firm's own site in ASCII, or None.

    Takes off scheme, `www.`, sub-domains, port and path; an address of e-mail gives its domain. None for free mail,
    social networks, marketplaces, maps and messengers: a page there is not a site. On a builder's domain
    (`firm.tilda.ws`) the firm's own part is kept.
    """
    found = _HOST.search(raw.strip().lower()) if len(raw) <= _LONGEST else None
    if found is None:
        return None
    try:
        host = found[1].encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = host.strip(".").split(".")
    if len(labels) < 2 or not _TOP.fullmatch(labels[-1]) or any(not label for label in labels):
        return None
    size = 3 if ".".join(labels[-2:]) in _SHARED else 2
    domain = ".".join(labels[-size:])
    if len(labels) < size or domain in _NOT_OWN or domain in FREE:
        return None
    return domain if labels[-size] != "www" else None


_LONGEST = 500
_HOST = re.compile(r"(?:https?:/*|//)?(?:[^\s/@,;]*@)?((?:[\w-]+\.)+[\w-]{2,})")
_TOP = re.compile(r"[a-z]{2,}|xn--[a-z0-9-]+")
# Under these a name of three parts is a firm's own. Source: the public suffix list and the builders' pages.
_SHARED_WORDS = """
com.ru net.ru org.ru pp.ru msk.ru spb.ru msk.su spb.su nov.ru ru.com co.uk com.ua kiev.ua in.ua org.ua net.ua com.kz
org.kz com.by com.uz co.il com.tr com.ge com.am com.az com.cn tilda.ws wixsite.com ucoz.ru ucoz.net narod.ru
nethouse.ru insales.ru myinsales.ru blogspot.com github.io wordpress.com business.site turbo.site clients.site
livejournal.com bitrix24.ru bitrix24site.ru bitrix24shop.ru umi.ru jimdo.com jimdosite.com weebly.com webnode.ru
flexbe.com lpmotor.ru tb.ru tiu.ru deal.by prom.ua satu.kz pulscen.ru blizko.ru creatium.site mya5.ru a5.ru setup.ru
vigbo.com mozello.ru craftum.io taplink.ws orgs.biz ltd.ru
"""
_SHARED = frozenset(_SHARED_WORDS.split())
_NOT_OWN_WORDS = """
vk.com vk.ru vk.cc vkontakte.ru ok.ru odnoklassniki.ru t.me telegram.me telegram.org instagram.com facebook.com fb.com
fb.me youtube.com youtu.be rutube.ru twitter.com x.com tiktok.com linkedin.com pinterest.com pinterest.ru dzen.ru
wa.me whatsapp.com viber.com zoom.us skype.com discord.gg avito.ru ozon.ru wildberries.ru aliexpress.ru aliexpress.com
amazon.com ebay.com youla.ru cian.ru domclick.ru drom.ru auto.ru hh.ru superjob.ru profi.ru yclients.com zoon.ru
flamp.ru 2gis.ru 2gis.kz yell.ru spr.ru orgpage.ru rusprofile.ru list-org.com otzovik.com irecommend.ru tripadvisor.ru
booking.com ostrovok.ru google.com google.ru goo.gl yandex.ru yandex.com ya.ru maps.me bing.com taplink.cc linktr.ee
bit.ly clck.ru docs.google.com forms.gle wikipedia.org
"""
_NOT_OWN = frozenset(_NOT_OWN_WORDS.split())
