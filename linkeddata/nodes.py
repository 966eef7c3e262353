"""What a node of a document holds. In: what is known and what is not. Out: values that every reader takes alike.

What is not known is left out; text is fit for any encoding, numbers and moments are written as all processors do.
"""

import re
from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]
_DATE_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?Z", re.ASCII
)
_NUMBERS = frozenset({int, float, bool})


def date_time(moment: str) -> str:
    """Return ``moment`` if it is an ``xsd:dateTime`` in UTC, as Web Annotation asks for, else ``""`` (a date alone)."""
    return moment if _DATE_TIME.fullmatch(moment) else ""


def fraction(value: float, *, zero: bool = False) -> float | str:
    """Return ``value`` to six decimals, more than a model knows; ``""`` for what lies outside 0 to 1.

    0 stands for "not known" unless ``zero``. Six decimals are written alike by all JSON-LD processors; 17 are not.

    >>> fraction(1 / 3), fraction(0.0), fraction(0.0, zero=True), fraction(float("nan"))
    (0.333333, '', 0.0, '')
    """
    # + 0.0 makes minus nothing nothing: processors write the one in two ways
    return round(float(value), 6) + 0.0 if 0.0 < value <= 1.0 or (zero and value == 0) else ""


def filled(node: Mapping[str, Any]) -> Document:
    """Return ``node`` without what is not known; text is made fit for Unicode output."""
    return {
        key: value if value.__class__ is not str or value.isascii() else legible(value)
        for key, value in node.items()
        if value or value.__class__ in _NUMBERS  # nothing is known of what is empty, but 0 is known
    }


def legible(value: str) -> str:
    """Return ``value`` with lone surrogates, which no encoding can carry, replaced."""
    if value.isascii():
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
