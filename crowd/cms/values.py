"""Values as a museum's system keeps them. In: text. Out: the same as it will be stored, and what it is compared by."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def plain(value: str) -> str:
    """Return text on one line, composed (NFC), with one space where there was white space, without control characters.

    >>> plain(" a\\u0308 \\n b\\x00")
    'ä b\ufffd'
    """
    return " ".join(_UNPRINTABLE.sub("\ufffd", unicodedata.normalize("NFC", value)).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How the system keeps text. White space is one space everywhere, and none at the ends."""

    repeat: str = ""
    """The sign between the values of a repeated field; empty where each value has a line of its own."""
    repeat_in_text: str = "＄"
    """What that sign inside a value becomes; inside a URL it is percent-encoded."""
    form: Literal["NFC", "NFKC"] = "NFC"
    """Unicode form in which values are compared."""
    ignore_case: bool = True
    """Whether values that differ in case alone are one, as in Adlib's indexes."""

    def stored(self, value: str) -> str:
        """Return ``value`` as it goes into the system and comes out of it again.

        >>> Keeping(repeat="$").stored(" 5 $\\n a "), Keeping(repeat="$").stored("https://a.example/$")
        ('5 ＄ a', 'https://a.example/%24')
        """
        text = plain(value)
        if not self.repeat or self.repeat not in text:
            return text
        link = text.startswith(("http://", "https://"))
        return text.replace(self.repeat, quote(self.repeat, safe="") if link else self.repeat_in_text)

    def alike(self, value: str) -> str:
        """Return what all values share that the system takes for the same.

        >>> Keeping().alike("Vanessa  Cardui") == Keeping().alike("vanessa cardui ")
        True
        """
        text = unicodedata.normalize(self.form, self.stored(value))
        return unicodedata.normalize(self.form, text.casefold()) if self.ignore_case else text
