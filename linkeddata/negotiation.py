"""Which form of a document a reader wants. In: an ``Accept`` header, or a suffix. Out: one of our media types, or none.

RFC 9110, section 12.5.1: the most specific range that matches a type decides its weight; the heaviest type wins, and of
equals the one we offer first.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

_PROFILE = re.compile(r'application/ld\+json[^,"]*;\s*profile=(?:"([^"]*)"|([^\s,;"]+))', re.IGNORECASE)

JSON_LD = "application/ld+json"
JSON = "application/json"
TURTLE = "text/turtle"
N_TRIPLES = "application/n-triples"
N_QUADS = "application/n-quads"
RDF_XML = "application/rdf+xml"
HTML = "text/html"

LONGEST_KEPT = 300
"""Headers up to so many characters are what browsers and libraries say; what they come to is kept."""

SUFFIXES: dict[str, str] = {
    "jsonld": JSON_LD,
    "json": JSON,
    "ttl": TURTLE,
    "nt": N_TRIPLES,
    "nq": N_QUADS,
    "rdf": RDF_XML,
    "html": HTML,
}
"""A URI of ours with one of these behind it (``….ttl``) is the same document in that form."""


def preferred(accept: str, offered: Sequence[str]) -> str:
    """Return which of ``offered`` the header asks for most, the first without a header, ``""`` if none will do.

    >>> preferred("text/html;q=0.5, text/turtle", [JSON_LD, TURTLE, HTML])
    'text/turtle'
    >>> preferred("image/png", [JSON_LD]), preferred("*/*", [JSON_LD, HTML])
    ('', 'application/ld+json')
    """
    usual = len(accept) <= LONGEST_KEPT
    return (_preferred if usual else _preferred.__wrapped__)(accept, tuple(offered))


@lru_cache(1024)
def _preferred(accept: str, offered: tuple[str, ...]) -> str:
    ranges = [_range(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    weights = {media_type: _weight(media_type, ranges) for media_type in offered}
    best = max(offered, key=lambda media_type: weights[media_type], default="")
    return best if best and weights[best] > 0 else ""


def asked_profile(accept: str) -> str:
    """Return the profile that an ``Accept`` header names for JSON-LD, ``""`` for none (RFC 6906).

    JSON-LD's own profiles (compacted, expanded …) say how a document is written, not what it says: they are no answer.

    >>> asked_profile('text/html;q=0.1, application/ld+json;profile="https://linked.art/ns/v1/linked-art.json"')
    'https://linked.art/ns/v1/linked-art.json'
    """
    for found in _PROFILE.finditer(accept):
        for one in (found[1] or found[2]).split():
            if not one.startswith("http://www.w3.org/ns/json-ld#"):
                return str(one)
    return ""


def without_suffix(key: str) -> tuple[str, str]:
    """Return a key and the media type its suffix names; the whole key and ``""`` where it has none of ours.

    >>> without_suffix("0af3.ttl"), without_suffix("model@1.0")
    (('0af3', 'text/turtle'), ('model@1.0', ''))
    """
    stem, dot, suffix = key.rpartition(".")
    return (stem, SUFFIXES[suffix]) if dot and stem and suffix in SUFFIXES else (key, "")


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    return name, next((_quality(value[2:]) for value in parameters if value.startswith("q=")), 1.0)


def _quality(text: str) -> float:
    """Return a weight; nonsense counts as 0, so that it is never taken for a wish."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0


def _weight(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    for wanted in (media_type, f"{media_type.split('/')[0]}/*", "*/*"):
        found = [weight for name, weight in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0
