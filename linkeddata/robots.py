"""What a host says to machines about its files. In: the text of robots.txt, headers of an answer. Out: yes, or why not.

robots.txt is read as RFC 9309 has it (https://www.rfc-editor.org/rfc/rfc9309): the group of our name or else of ``*``,
the longest matching rule, ``Allow`` before ``Disallow`` of the same length. ``X-Robots-Tag: noai`` and ``noimageai``
ask not to be learned from; ``tdm-reservation: 1`` reserves the right to text and data mining
(https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/), which the European copyright directive, article
4, makes binding where a picture is used for learning.
"""

import re
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

PRODUCT = "deboodt"
"""Our name in a robots.txt, in small letters."""
MOST_BYTES = 500 * 1024
"""How much of a robots.txt is read at least (RFC 9309, section 2.5), and here at most."""
RESERVED = "reserved"
"""Code of the ``ServiceError`` for a file whose headers ask not to be learned from."""

_NO = frozenset({"noai", "noimageai"})
_PARAMETERS = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})


class Rule(NamedTuple):
    """One line of a group: whether what ``pattern`` matches may be fetched."""

    allow: bool
    pattern: str


def parse_robots(text: str, product: str = PRODUCT) -> tuple[Rule, ...]:
    """Return the rules that hold for ``product``: those of all groups that name it, else those of ``*``.

    >>> parse_robots("User-agent: *\\nDisallow: /private # not yours\\n\\nUser-agent: DeBoodt\\nDisallow:")
    ()
    """
    named: list[Rule] = []
    others: list[Rule] = []
    ours = theirs = found = opening = False
    for line in text.removeprefix("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            if not opening:
                ours = theirs = False
            opening = True
            ours = ours or re.split(r"[^a-z_-]", value.lower())[0] == product
            theirs = theirs or value == "*"
            found = found or ours
        elif key in ("allow", "disallow"):
            opening = False
            if value:
                rule = Rule(key == "allow", value)
                named += [rule] if ours else []
                others += [rule] if theirs else []
    return tuple(named if found else others)


def is_allowed(rules: tuple[Rule, ...], url: str) -> bool:
    """Say whether ``rules`` let the path of ``url`` be fetched.

    >>> rules = (Rule(False, "/thumb/"), Rule(True, "/thumb/*.jpg$"))
    >>> is_allowed(rules, "https://x.example/thumb/a.png"), is_allowed(rules, "https://x.example/thumb/a.jpg")
    (False, True)
    """
    parts = urlsplit(url)
    path = _plain((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    matching = [rule for rule in rules if _pattern(rule.pattern).match(path)]
    return max(((len(rule.pattern), rule.allow) for rule in matching), default=(0, True))[1]


def _plain(path: str) -> str:
    """Return a path in one spelling of its percent signs."""
    return quote(unquote(path, errors="surrogateescape"), safe="/?=&*$%:@!,;+~().'-_", errors="surrogateescape")


@lru_cache(4096)
def _pattern(text: str) -> re.Pattern[str]:
    ends = text.endswith("$")
    pieces = re.split(r"\*+", _plain(text.removesuffix("$")))
    return re.compile(".*?".join(map(re.escape, pieces)) + (r"\Z" if ends else ""), re.DOTALL)


def reservation(headers: Mapping[str, str], product: str = PRODUCT) -> str:
    """Return the header by which a publisher asks that a file is not learned from, ``""`` without one.

    >>> reservation({"X-Robots-Tag": "noindex, noimageai"}), reservation({"X-Robots-Tag": "otherbot: noai"})
    ('X-Robots-Tag: noindex, noimageai', '')
    """
    if headers.get("tdm-reservation", "").split(";")[0].strip() == "1":
        return "tdm-reservation: 1"
    tag = headers.get("X-Robots-Tag", "")
    meant = True  # until a robot is named, everybody is
    for part in tag.lower().split(","):
        name, colon, rest = part.strip().partition(":")
        if colon and name.strip() not in _PARAMETERS:
            meant, name = name.strip() in (product, "*"), rest
        if meant and name.strip() in _NO:
            return f"X-Robots-Tag: {tag}"
    return ""


class Robots:
    """The rules of hosts, each host's fetched once by ``fetch`` (URL of a robots.txt → its text). Threads share it."""

    def __init__(self, fetch: Callable[[str], str]) -> None:
        self._fetch = fetch
        self._rules: dict[str, tuple[Rule, ...]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def allow(self, url: str) -> bool:
        """Say whether ``url`` may be fetched. Raises what ``fetch`` raises, and asks again the next time."""
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            lock = self._locks.setdefault(host, threading.Lock())
        with lock:
            if host not in self._rules:
                self._rules[host] = parse_robots(self._fetch(f"{host}/robots.txt"))
        rules = self._rules[host]
        return not rules or is_allowed(rules, url)
