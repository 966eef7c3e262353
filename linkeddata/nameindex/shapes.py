"""What a stored name looks like, in one byte. In: a name with its canonical form. Out: bits.

They are worked out once, when the index is built, so that names which need no weighing are told from the others without
reading them.
"""

PLAIN = 1
"""The canonical form has no signs but ASCII letters and blanks."""
APART = 2
"""The canonical form is not the beginning of the name, or the name is somebody's misapplication: for the parser."""
BLANKS = 2
"""Where the blanks of the canonical form are counted: two bits, 3 for more."""
AUTHORS = 4
"""Where the form of the authorship stands: two bits, its place in ``AUTHORSHIPS``."""
AUTHORSHIPS = ("", "A", "(A)", "(A) B")

_TWO_BITS = 3


def shape_of(name: str, canonical: str) -> int:
    """Return the bits of a name.

    >>> bits = shape_of("Cyanistes caeruleus (Linnaeus, 1758)", "Cyanistes caeruleus")
    >>> bool(bits & PLAIN), bool(bits & APART), blanks_in(bits), authorship_in(bits)
    (True, False, 1, '(A)')
    >>> bool(shape_of("Python molurus subsp. bivittatus Kuhl", "Python molurus bivittatus") & APART)
    True
    """
    bits = PLAIN if canonical.isascii() and canonical.replace(" ", "").isalpha() else 0
    bits |= min(canonical.count(" "), _TWO_BITS) << BLANKS
    if not name.startswith(canonical):
        return bits | APART
    authors = name[len(canonical) :].strip()
    if "auct" in authors.lower():
        bits |= APART
    if not authors.startswith("("):
        return bits | bool(authors) << AUTHORS
    return bits | (2 if authors.endswith(")") else 3) << AUTHORS


def blanks_in(bits: int) -> int:
    return bits >> BLANKS & _TWO_BITS


def authorship_in(bits: int) -> str:
    return AUTHORSHIPS[bits >> AUTHORS & _TWO_BITS]
