"""Which words can be alike. In: words. Out: 64 bits that stand for their pairs of letters.

One edit changes at most three neighbouring pairs of letters, so two words whose bits differ in more than six places are
more than one edit apart. A whole letter of the alphabet is sieved by one operation on an array.
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
