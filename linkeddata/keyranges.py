"""Ranges of ids, by which a large question is asked in pieces. In: a range. Out: its halves, its SPARQL FILTER."""

from dataclasses import dataclass

FIRST, LAST = 10**11, 10**12
"""Numbers of ids begin with a digit from 1 to 9: as text of 12 digits they lie between these."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """IRIs of one kind whose numbers, compared as text, lie from ``low`` on and below ``high`` (12 digits each).

    Text can be compared in SPARQL 1.1 and IRIs cannot; and a range of text has no gaps: whatever IRI there is lies in
    one half of a range or in the other, also one of a kind that nobody expected.

    >>> low, high = EVERYTHING.halves()
    >>> low, high.filter("file", "https://x/M")
    (KeyRange(low=0, high=550000000000), 'FILTER(STR(?file) >= "https://x/M55")')
    """

    low: int = 0
    high: int = 0

    def filter(self, variable: str, prefix: str) -> str:
        """Return the FILTER that keeps this range; nothing for the range of everything."""
        text = f"STR(?{variable})"
        bounds = [f'{text} >= "{prefix}{_digits(self.low)}"'] if self.low else []
        bounds += [f'{text} < "{prefix}{_digits(self.high)}"'] if self.high else []
        return f"FILTER({' && '.join(bounds)})" if bounds else ""

    def halves(self) -> "tuple[KeyRange, KeyRange]":
        """Return the two halves. Raises ``ValueError`` where there is no middle."""
        low, high = self.low or FIRST, self.high or LAST
        middle = (low + high) // 2
        if middle in (low, high):
            raise ValueError("a range of one key")
        return KeyRange(self.low, middle), KeyRange(middle, self.high)

    def said(self, prefix: str) -> str:
        """Return the range in words, for people.

        >>> KeyRange(550000000000, 0).said("M")
        'M55… to the last'
        """
        low = f"{prefix}{_digits(self.low)}…" if self.low else "the first"
        return f"{low} to {f'{prefix}{_digits(self.high)}…' if self.high else 'the last'}"


EVERYTHING = KeyRange()


def _digits(bound: int) -> str:
    return str(bound).rstrip("0")
