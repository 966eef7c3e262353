"""The contexts that documents are read by, our vocabulary and shapes. In: the base URL. Out: documents, Turtle.

Documents name ``{base}/context.jsonld``: one file of our own (``context.jsonld`` beside this module) that maps every
key used, with the keys of ``http://www.w3.org/ns/anno.jsonld`` meaning what they mean there, so that nothing else has
to be fetched.
"""

from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

import orjson

from linkeddata import ids
from linkeddata.nodes import Document
from linkeddata.settings import VERSION

ContextForm = Literal["link", "inline", "w3c"]
"""How a document names its context; see ``with_context``."""
ANNO_CONTEXT = "http://www.w3.org/ns/anno.jsonld"
LINKED_ART_CONTEXT = "https://linked.art/ns/v1/linked-art.json"


def context(base_url: str) -> Document:
    """Return our context, complete in itself, for an installation at ``base_url``."""
    return _of_base("context.jsonld", base_url.rstrip("/"))


def profile_context(name: str) -> Document:
    """Return the context of one of ``linkeddata.profiles.CONTEXTS``, complete in itself."""
    loaded: Document = orjson.loads(_file(f"profiles/{name}.jsonld"))
    return loaded


def vocabulary(base_url: str) -> Document:
    """Return our own terms, with their definitions, as JSON-LD with its context inline."""
    return _of_base("vocab.jsonld", base_url.rstrip("/"))


def shapes(base_url: str) -> str:
    """Return the SHACL shapes that our annotations hold to, in Turtle."""
    return _written_for("shapes.ttl", base_url.rstrip("/"))


def with_context(doc: Document, form: ContextForm, base_url: str) -> Document:
    """Return ``doc`` with its context as a link to ours, inline, or as the model's own beside ours.

    The Web Annotation model (3.1) wants ``anno.jsonld`` named, Linked Art wants its own named last; consumers that
    check for it ask for ``w3c``. Ours defines the same keys, so the triples are the same in all three forms. A
    document that came with a context of its own, inline, keeps it.
    """
    named = doc.get("@context")
    if isinstance(named, dict) and ("graph" in doc or "lost" in doc):
        return doc
    if isinstance(named, str) and named.startswith(f"{base_url.rstrip('/')}/contexts/"):
        profile = named.rsplit("/", 1)[1].removesuffix(".jsonld")
        if form == "w3c" and profile == "linked-art":
            return {**doc, "@context": [named, LINKED_ART_CONTEXT]}
        return {**doc, **profile_context(profile)} if form == "inline" else doc
    if form == "inline":
        return {**doc, **context(base_url)}
    ours = f"{base_url.rstrip('/')}/context.jsonld"
    return {**doc, "@context": [ANNO_CONTEXT, ours] if form == "w3c" else ours}


@cache
def _file(name: str) -> str:
    return (files("linkeddata") / name).read_text(encoding="utf-8")


@cache
def terms() -> frozenset[str]:
    """Return all keys that our context knows."""
    return frozenset(orjson.loads(_file("context.jsonld"))["@context"])


def _of_base(name: str, base: str) -> Document:
    loaded: Document = orjson.loads(_written_for(name, base))
    return loaded


@lru_cache(16)
def _written_for(name: str, base: str) -> str:
    return _file(name).replace("{base}", base).replace("{version}", VERSION)


@lru_cache(8)
def _prefixes(base_url: str) -> dict[str, str]:
    known = context(base_url)["@context"]
    expanded = {key: value["@id"] if isinstance(value, dict) else str(value) for key, value in known.items()}
    return {key: value for key, value in expanded.items() if "://" in value} | {"wd": ids.WIKIDATA_ENTITY}


def prefixes_of(doc: Document, base_url: str) -> dict[str, str]:
    """Return the prefixes that a document is written with: those of the context that it names."""
    named = doc.get("@context")
    if not isinstance(named, str) or "/contexts/" not in named:
        return _prefixes(base_url)
    known = profile_context(named.rsplit("/", 1)[1].removesuffix(".jsonld"))["@context"]
    return {key: value for key, value in known.items() if isinstance(value, str) and value.endswith(("/", "#"))}
