"""Keys of usages as numbers. In: a key as a checklist writes it. Out: 64 bits, and the key again.

Decimal keys stand for themselves, short keys of letters and digits are packed, anything else is kept as text and known
by its hash.
"""

import xxhash

from linkeddata.ids import COL_XR, GBIF_BACKBONE
from linkeddata.nameindex.spelling import stemmed_epithets

NO_KEY = 0
_PACKED = 1 << 63
_HASHED = 1 << 62
_ALPHABET = "\x000123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.:"
_DIGIT = {letter: digit for digit, letter in enumerate(_ALPHABET)}
_BASE = len(_ALPHABET)
_LONGEST = 10  # letters that fit into 62 bits


def packed(key: str) -> int:
    """Return the number that stands for a key; 0 for no key.

    >>> packed("2435099"), unpacked(packed("4CGXP")), unpacked(packed("007"))
    (2435099, '4CGXP', '007')
    """
    if key.isascii() and key.isdigit() and key[0] != "0" and len(key) < 18:
        return int(key)
    if not key:
        return NO_KEY
    if len(key) <= _LONGEST and all(letter in _DIGIT for letter in key):
        number = 0
        for letter in key:
            number = number * _BASE + _DIGIT[letter]
        return number | _PACKED
    return (xxhash.xxh3_64_intdigest(key.encode()) >> 2) | _PACKED | _HASHED


def is_hashed(number: int) -> bool:
    """Say whether the text of a key is kept elsewhere."""
    return number & (_PACKED | _HASHED) == _PACKED | _HASHED


def unpacked(number: int) -> str:
    """Return the key that a number stands for, ``""`` for none; of a hashed one the text is kept elsewhere."""
    if not number & _PACKED:
        return str(number) if number else ""
    number &= ~_PACKED
    letters = []
    while number:
        number, digit = divmod(number, _BASE)
        letters.append(_ALPHABET[digit])
    return "".join(reversed(letters))


def hashed(text: str) -> int:
    """Return 64 bits that stand for a text, the same in every process."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "replace"))


def epithet_key(genus: str, epithets: str) -> int:
    """Return 32 bits for what two names share whose genera may differ but for the first letter."""
    return hashed(f"{genus[:1]} {stemmed_epithets(epithets)}") & 0xFFFFFFFF or 1


def namespace_of(checklist_key: str) -> str:
    """Return which of the project's ids the keys of a checklist are: ``gbif``, ``col`` or none."""
    return {GBIF_BACKBONE: "gbif", COL_XR: "col"}.get(checklist_key, "")
