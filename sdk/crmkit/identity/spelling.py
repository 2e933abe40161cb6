"""One coarse code for a word, however it is written: Cyrillic, six romanisations, chat style, look-alike letters.

A code is ASCII. Consonants: `j` ж, `h` х, `c` ц, `q` ч, `w` ш and щ, the rest as they sound; vowels: `a e i o u`,
where и, й, ы are one, е, ё, э are one. `J` in a fine code marks the iotation that tells Яна from Анна; a coarse code
drops it, because few romanisations keep it apart. Sources: ICAO 9303, GOST 7.79-2000 A and B, BGN/PCGN, order 310 of
the Russian interior ministry, Yandex maps, the telegraph code, the Ukrainian, Belarusian, Kazakh and Uzbek alphabets.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CYRILLIC_SOUNDS = {
    "a": "аәӑ", "b": "б", "v": "вў", "g": "гѓґғ", "d": "д", "e": "еэєёөѐ", "j": "жҗӂ", "z": "з", "i": "ийыіїӣѝ",
    "k": "кќқҡ", "l": "л", "m": "м", "n": "нңӊ", "o": "о", "p": "п", "r": "р", "s": "сҫ", "t": "т", "u": "уұүӯ",
    "f": "ф", "h": "хҳһ", "c": "ц", "q": "чҷӌ", "w": "шщ", "iu": "ю", "ia": "я", "": "ъь",
}  # fmt: skip
_TO_CODE = str.maketrans({sign: code for code, signs in _CYRILLIC_SOUNDS.items() for sign in signs})
# Latin letters with a meaning of their own in one of the standards or alphabets; all other marks are taken off.
_LATIN_SOUNDS = {
    "ya": "â", "yu": "û", "sh": "ŝšşș", "ch": "čçć", "zh": "žż", "a": "ə", "s": "ß", "l": "ł", "i": "ı", "d": "đð",
    "o": "ø",
}  # fmt: skip
_LATIN_MARKS = str.maketrans({sign: code for code, signs in _LATIN_SOUNDS.items() for sign in signs})
_LATIN_CODES = {
    "shch": "w", "szcz": "w", "tsch": "q", "sch": "w", "shh": "w", "tch": "q", "dzh": "dj", "sh": "w", "sz": "w",
    "ch": "q", "cz": "c", "tz": "c", "ts": "c", "tc": "c", "zh": "j", "kh": "h", "ph": "f", "th": "t",
    "gh": "g", "x": "h", "j": "i", "y": "i", "q": "k", "4": "q", "6": "w", "3": "z", "0": "o",
}  # fmt: skip
_LATIN_CODE = re.compile("|".join(sorted(_LATIN_CODES, key=len, reverse=True)))
# Without one of these the codes alone are found in a word.
_RARE_LATIN = re.compile(r"[jx]|ie|sc|yo|ff|ck")
_LATIN_SOUND = re.compile(
    # No sound begins otherwise: most letters are passed by at once.
    r"(?=[cdgjkpqstxyz0346]|[aeio][efx])(?:"
    r"(?P<hard>ie(?=i[aeu]))|(?P<ks>(?<=al)ex|(?<=fel)ix|(?<=m)axi|(?<=r)oxan|^oxan|^xen)|(?P<dj>^dj(?=a[bfhlmnprsv]|u[mnr]|[eio]))|(?P<sc>sc(?=[eiyaous]))"
    r"|(?P<yo>(?<![aeiou])[yj]o)|(?P<ov>(?:off|eff)$)|(?P<ck>ck(?![aiy]))"
    # ж by the telegraph's code and in chats, where й cannot stand.
    r"|(?P<zh>(?<=y)j(?=[aou]\w)|(?<=i)j(?=u\w)|(?<=[iy])j(?=e(?!nk)\w)|(?<=[aou])j(?=e\w)|^j(?=uko[vw]|uravl|aro[vw]|arko|elez|elt|olud)|^j(?=[bcdfgklmnpqrstvz])|j(?=[iy]))|(?P<code>"
    + _LATIN_CODE.pattern
    + "))"
)
# In the Polish and German manner `w` is в, in chats it is ш: the ending tells.
_WESTERN_W = re.compile(r"\w{3}[oe]w(?:a|na|i[ct].*)?$|wsk[aiy]+$|^[wv]l?adi|^wikt|^wassil")
_LATIN_RUN = re.compile(r"[a-z0-9]+")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_RUSSIAN = re.compile(r"[а-яё]+")
_LATIN = re.compile(r"[a-z]")
_LATIN_SIGN = re.compile(r"[A-z]")
_IO = re.compile(r"(?<![аеёиоуыэюя])йо")
_NOT_A_SOUND = re.compile(r"[^a-z]+")
_IOTA = re.compile(r"i(?=[aou])")
_SOFT = re.compile(r"i+e")
_SIBILANT = re.compile(r"[sw]q|w+")
_DOUBLE = re.compile(r"(.)\1+")
LOOK_ALIKE = str.maketrans("aceopxykmthbAKCEHBOPTXMYi0346", "асеорхукмтнвАКСЕНВОРТХМУі0346")
_CYRILLIC_LOOKS = str.maketrans("асеорхукмтАКСЕНВОРТХМУіІёЁьЬ", "aceopxykmtAKCEHBOPTXMYiIëËʹʹ")
# Letters that have no twin in the other script.
_ONLY_LATIN = re.compile(r"[A-Za-z](?<![aceopxykmthbiAKCEHBOPTXMY])")
_CYRILLIC_LETTER = re.compile(r"[\u0400-\u0481\u048a-\u04ff]")
_ONLY_CYRILLIC = re.compile(r"[\u0400-\u0481\u048a-\u04ff](?<![асеорхукмтАКСЕНВОРТХМУіІёЁьЬ])")
_DIGITS_AS_CYRILLIC = str.maketrans("0346", "озчб")


@lru_cache(maxsize=1 << 10)
def fine_code(word: str) -> str:
    """The code that keeps iotation: equal for the romanisations of a name, different for Яна and Анна.

    Empty when the word has no letter of either script. Digits stand for letters only inside a word (`4ernov`).
    """
    text = one_script(word).lower()
    # Most words by far are of one script's letters: what is done to the others would change nothing in them.
    if text.isascii() and text.isalpha():
        return _smooth(_latin(text))
    if _RUSSIAN.fullmatch(text):
        return russian_code(text)
    if _CYRILLIC.search(text):
        text = _cyrillic(text.translate(_DIGITS_AS_CYRILLIC))
        text = _LATIN_RUN.sub(_from_latin, text if _LATIN.search(text) is None else _plain(text)).translate(_TO_CODE)
    else:
        text = _LATIN_RUN.sub(_from_latin, _plain(text))
    return _smooth(_NOT_A_SOUND.sub("", text))


def russian_code(text: str) -> str:
    """The fine code of a word of nothing but Russian letters in lower case."""
    return _smooth(_cyrillic(text).translate(_TO_CODE))


def skeleton(word: str) -> str:
    """The coarse code of a word or of several joined ones: what names are compared by, letter against letter."""
    return _skeleton(word)


def coarse(code: str) -> str:
    """The coarse code of a fine one."""
    return single(code.replace("aJa", "a").replace("J", "")) if "J" in code else code


def single(code: str) -> str:
    """The code with each letter once where it stands several times in a row."""
    return _DOUBLE.sub(_first, code) if _DOUBLE.search(code) else code


def one_script(word: str) -> str:
    """The word with look-alike letters of the other script turned into its own (Latin `o` in `Иванoв`)."""
    if word.isascii() or _LATIN_SIGN.search(word) is None or _CYRILLIC_LETTER.search(word) is None:
        return word
    is_latin = len(_ONLY_LATIN.findall(word)) > len(_ONLY_CYRILLIC.findall(word))
    return word.translate(_CYRILLIC_LOOKS if is_latin else LOOK_ALIKE)


@lru_cache(maxsize=1 << 16)
def _skeleton(word: str) -> str:
    return coarse(fine_code(word))


def _cyrillic(text: str) -> str:
    text = text.replace("ьов", "ёв")
    return _IO.sub("ё", text) if "йо" in text else text


def _plain(text: str) -> str:
    if text.isascii():
        return text.replace("'", "").replace("`", "")
    marked = unicodedata.normalize("NFC", text).translate(_LATIN_MARKS)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", marked) if not unicodedata.combining(sign))
    return re.sub(r"['`’‘ʼʹʺʻ´\"]+", "", bare)


def _from_latin(match: re.Match[str]) -> str:
    return _latin(match[0]) if _LATIN.search(match[0]) else ""


def _latin(run: str) -> str:
    if "w" in run:
        run = run.replace("w", "v" if _WESTERN_W.search(run) else "sh")
    return _LATIN_SOUND.sub(_sound, run) if _RARE_LATIN.search(run) else _LATIN_CODE.sub(_code, run)


def _code(match: re.Match[str]) -> str:
    return _LATIN_CODES[match[0]]


def _sound(match: re.Match[str]) -> str:
    text = match[0]
    kind = match.lastgroup
    if kind == "code":
        return _LATIN_CODES[text]
    if kind == "ks":
        return text.replace("x", "ks")
    if kind == "ov":
        return f"{text[0]}v"
    return {"dj": "dj", "hard": "", "sc": "w", "yo": "e", "ck": "k", "zh": "j"}[kind or ""]


def _smooth(text: str) -> str:
    if "ie" in text:
        text = _SOFT.sub("e", text)
    if "t" in text:
        text = text.replace("ts", "c").replace("tc", "c").replace("tz", "c").replace("tq", "q")
    if "sq" in text or "wq" in text:
        text = _SIBILANT.sub("w", text)
    # The commonest pair, of Russian adjectives, costs less so.
    text = single(text.replace("ii", "i"))
    return _IOTA.sub("J", text) if "ia" in text or "iu" in text or "io" in text else text


def _first(match: re.Match[str]) -> str:
    # A function, for a template with a group in it is taken apart anew at every call.
    return match[1]
