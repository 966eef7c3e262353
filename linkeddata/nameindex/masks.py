"""Which words can be alike. In: words. Out: bits that stand for their letters and for their pairs of letters.

One edit changes at most three neighbouring pairs of letters, so two words whose 64 bits differ in more than six places
are more than one edit apart; and it changes two letters at most. A whole letter of the alphabet is sieved by few
operations on arrays.
"""

from itertools import pairwise

BITS_PER_EDIT = 6
"""Bits that one edit can change: three pairs vanish and three appear when two neighbours are swapped."""


def mask(word: str) -> int:
    """Return the bits of a word.

    >>> (mask("oenanthe") ^ mask("oenante")).bit_count() <= BITS_PER_EDIT
    True
    """
    bits = 0
    for first, second in pairwise(word):
        bits |= 1 << ((ord(first) * 31 + ord(second) * 7) & 63)
    return bits


LETTERS_PER_EDIT = 2
"""Letters that one edit can change: one goes and another comes."""


def letters(word: str) -> int:
    """Return 32 bits for the letters that a word has.

    >>> (letters("oenanthe") ^ letters("oenante")).bit_count() <= LETTERS_PER_EDIT
    True
    """
    bits = 0
    for letter in set(word):
        bits |= 1 << (ord(letter) & 31)
    return bits
