"""Single characters brought to one plain form: NFKC, look-alikes, stylised alphabets, invisible characters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters of other scripts drawn like Latin ones (Unicode confusables, the lower-case pairs that occur in ads).
_LOOKALIKES = dict(
    zip(
        "аеорсухіјѕһԁԛԝɡкνοαρτυικϲϳАВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aeopcyxijshdqwgkvoaptuikcjabekmhopctyxijsabezhikmnoptyx",
        strict=True,
    )
)
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True))
_PUNCTUATION = {
    "’": "'",
    "‘": "'",
    "`": "'",
    "´": "'",
    "“": '"',
    "”": '"',
    "–": "-",
    "—": "-",
    "−": "-",
    "‐": "-",
    "‑": "-",
    "…": ".",
}
_JOINERS = "\u200b\u200c\u200d\u2060\u00ad\ufeff\u180e\u200e\u200f\u202a\u202b\u202c\u202d\u202e"

PLAIN, INVISIBLE, LOOKALIKE, STYLISED = "plain", "invisible_characters", "lookalike_letters", "stylised_alphabet"

# What a spreadsheet or a wrong decoding leaves of quotes, dashes and accented letters. Folded to a space so that damage
# to a file tells nothing about its ads.
MOJIBAKE = re.compile(
    r"â€[^\sa-z0-9]?|€(?!\s?\d)[^\w\s]?|Ã[\x80-\xbf\u0192\u201a\u2020\u0160]?|Â(?=[\s\x80-\xbf])|¦|¢|ï¿½|\ufffd",
    re.IGNORECASE,
)
MOJIBAKE_BEGINS = frozenset("âÂãÃ€¦¢ïÏ\ufffd")
"""Characters that such a trace begins with."""


@lru_cache(maxsize=65536)
def fold(char: str) -> tuple[str, str]:
    """Plain lower-case form of a character that is not ASCII, and what kind of character it was.

    Examples
    --------
    >>> fold("𝗴"), fold("ᴀ"), fold("а"), fold("é")
    (('g', 'stylised_alphabet'), ('a', 'stylised_alphabet'), ('a', 'lookalike_letters'), ('e', 'plain'))
    """
    if char in _JOINERS:
        return "", INVISIBLE
    if char in _SMALL_CAPITALS:
        return _SMALL_CAPITALS[char], STYLISED
    if char in _LOOKALIKES:
        return _LOOKALIKES[char], LOOKALIKE
    if char in _PUNCTUATION:
        return _PUNCTUATION[char], PLAIN
    code = ord(char)
    if 0x1F130 <= code <= 0x1F189:  # squared and circled capitals, outlined or filled
        return chr(ord("a") + (code - 0x1F130) % 32), STYLISED if (code - 0x1F130) % 32 < 26 else PLAIN
    if 0x1F1E6 <= code <= 0x1F1FF:  # regional indicators spell flags; the tables of places hold them as they are
        return char, PLAIN
    category = unicodedata.category(char)
    if category in ("Cf", "Mn", "Me", "Cc", "Co", "Cn", "Cs"):
        return (" " if char in "\u0085" else ""), PLAIN
    wide = unicodedata.normalize("NFKC", char)
    if category in ("Zs", "Zl", "Zp"):
        return (" " if category == "Zs" else "\n"), PLAIN
    stylised = (
        wide != char and wide.isascii() and wide.isalnum() and (code >= 0x1D400 or 0x2100 <= code <= 0x24FF or code >= 0xFF00)
    )
    base = "".join(c for c in unicodedata.normalize("NFKD", wide) if not unicodedata.combining(c))
    return (base or wide).lower(), STYLISED if stylised else PLAIN
