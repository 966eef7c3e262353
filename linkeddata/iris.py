"""IRIs and URIs as they are written. In: keys, and IRIs as others wrote them. Out: IRIs that every reader takes."""

import re
from urllib.parse import quote

from linkeddata import ids
from linkeddata.contexts import terms
from linkeddata.nodes import legible

OWN_URN = "urn:deboodt:"
"""What the ids of agents of ours begin with; their documents are at addresses without it."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?=.)", re.DOTALL)
_AUTHORITY = re.compile(r"([\w.~!$&'()*+,;=:%-]*@)?(\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(:[0-9]*)?")
_PLAIN = re.compile(r"[A-Za-z0-9._~:/?#@!$&'()*+,;=-]*")
# what most IRIs look like: nothing in them has to be encoded, and http is no prefix of the context
_USUAL_IRI = re.compile(
    r"https?://[A-Za-z0-9.-]+(/[A-Za-z0-9._~:/?@!$&'()*+,;=-]*)?(#[A-Za-z0-9._~:/?@!$&'()*+,;=-]*)?"
)
_USUAL_SEGMENT = re.compile(r"[A-Za-z0-9_~-]+")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ITEM = re.compile(r"Q[1-9][0-9]*")
_IRI_ASCII = frozenset("-._~:/?#@!$&'()*+,;=%")


def uri(base: str, kind: str, key: str) -> str:
    """Return the URI of a record of ours, or ``""`` for an empty key.

    >>> uri("https://deboodt.example", "labels", "a b/c")
    'https://deboodt.example/labels/a%20b%2Fc'
    """
    return f"{base}/{kind}/{_segment(key)}" if key else ""


def media_uri(base: str, iri: str) -> str:
    """Return the URI under which we describe a media file: its whole IRI, percent-encoded, after ``/media/``."""
    return uri(base, "media", iri)


def model_uri(base: str, model: str, version: str) -> str:
    """Return the URI of one version of a model: ``{base}/models/NAME@VERSION``."""
    return f"{base}/models/{_segment(model)}@{_segment(version)}" if version else uri(base, "models", model)


def iri_of(value: str) -> str:
    """Return ``value`` as a valid absolute IRI, odd characters percent-encoded, or ``""`` if it is none.

    A value that a JSON-LD processor would take for one of the context's prefixes (``dc:x``) is none either.

    >>> iri_of("https://example.org/a plate.jpg"), iri_of("not an IRI"), iri_of("dwc:taxonID")
    ('https://example.org/a%20plate.jpg', '', '')
    >>> iri_of("https://example.org/\ufffc")
    'https://example.org/%EF%BF%BC'
    """
    if _USUAL_IRI.fullmatch(value):
        return value
    scheme = _SCHEME.match(value)
    if not scheme or scheme[1] in terms():
        return ""
    spelled = _encoded(value)
    if spelled.startswith(f"{scheme[1]}://"):
        host = re.split(r"[/?#]", spelled[len(scheme[1]) + 3 :], maxsplit=1)[0]
        if not _AUTHORITY.fullmatch(host):
            return ""
    elif scheme[1].lower() in ("http", "https"):
        return ""
    head, hash_sign, fragment = spelled.partition("#")
    return head + hash_sign + fragment.replace("#", "%23")


def agent_uri(agent_id: str, base: str) -> str:
    """Return the IRI of an agent: its own where the world knows it (an ORCID), else the address of its document.

    >>> agent_uri("urn:deboodt:person:0a", "https://deboodt.example")
    'https://deboodt.example/agents/person%3A0a'
    """
    own = "" if agent_id.startswith(OWN_URN) else iri_of(agent_id)
    return own or uri(base, "agents", agent_id.removeprefix(OWN_URN))


def is_item(value: str) -> bool:
    """Return whether ``value`` is a Wikidata item id."""
    return _ITEM.fullmatch(value) is not None


def entity(value: str) -> str:
    """Return the IRI of a Wikidata item by its id; what is none stays as it is."""
    return ids.WIKIDATA_ENTITY + value if is_item(value) else value


def urn(kind: str, key: str) -> str:
    """Return a name for what has no address here."""
    return f"urn:deboodt:{kind}:{_segment(key)}"


def _segment(key: str) -> str:
    """Return ``key`` as one path segment; ``.`` and ``..`` would be taken for directories."""
    if _USUAL_SEGMENT.fullmatch(key):
        return key
    return quote(legible(key), safe="") if key.strip(".") else key.replace(".", "%2E")


def _encoded(value: str) -> str:
    """Return ``value`` with every character that an IRI may not hold percent-encoded (RFC 3987, 2.2)."""
    if _PLAIN.fullmatch(value):
        return value
    text = legible(value)
    host_end = text.find("/", text.find("//") + 2) if "//" in text else -1
    pieces = [one if _in_iri(one, at < host_end) else quote(one, safe="") for at, one in enumerate(text)]
    return _STRAY_PERCENT.sub("%25", "".join(pieces))


def _in_iri(char: str, in_host: bool) -> bool:
    if char.isascii():
        return char.isalnum() or char in _IRI_ASCII or (in_host and char in "[]")
    return char.isprintable() and not "\ufff0" <= char <= "\uffff"  # specials (RFC 3987, 2.2: ucschar)
