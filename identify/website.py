"""Pages for people. In: a page's name and what it shows. Out: HTML, and the few files a page needs.

No host but ours: templates, one style sheet and two scripts in ``identify/pages``. Everything works without scripts;
they only add dropping an image, and answering in place. The editor for queries (CodeMirror) is not ours: ``make
editor`` brings it to ``identify/pages/vendor``; without it the page has a plain field.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from identify.decide import RUNGS
from linkeddata import ids, iris
from linkeddata.percents import percent
from linkeddata.records import Agent, Identification, Label, ModelClass, Review
from linkeddata.settings import VERSION, Settings
from linkeddata.uris import uri_of
from linkeddata.why import why

CSS, SCRIPT = "text/css; charset=utf-8", "text/javascript; charset=utf-8"
VENDORED = {"editor.js": SCRIPT, "editor.css": CSS, "editor-licence.txt": "text/plain; charset=utf-8"}
"""The editor for queries, where it has been built in."""
STATIC = {"style.css": CSS, "drop.js": SCRIPT, "review.js": SCRIPT, "sparql.js": SCRIPT, **VENDORED}
KINDS = {"agent": Agent, "review": Review, "label": Label, "identification": Identification}
"""What pages call the records that they link to."""
VERDICTS = {"accept": "accepted", "reject": "rejected", "correct": "corrected"}
"""Verdicts as pages say them: a heading "correct" would say that something is right."""
ITALIC_RANKS = frozenset({"genus", "species", "subspecies", "variety", "form", "subgenus", "section"})
"""Names of these ranks are written in italics (the nomenclatural codes)."""


@dataclass(frozen=True, slots=True)
class Website:
    """Makes pages; ``root`` is the path under which the whole site lies behind a proxy, usually empty."""

    environment: Environment

    def page(self, name: str, data: Mapping[str, Any]) -> str:
        """Return the page as HTML; everything in ``data`` is escaped."""
        return self.environment.get_template(name).render(**data)


def website(settings: Settings) -> Website:
    """Return the pages of an installation."""
    root = urlsplit(settings.base_url).path.rstrip("/")
    environment = Environment(
        loader=PackageLoader("identify", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "percent": percent,
        "why": lambda label: why(label).get("en", ""),
        "taxon_name": taxon_name,
        "verdict": lambda word: VERDICTS.get(word, word),
        "thousands": lambda number: f"{number:,}".replace(",", "\u202f"),
        "day": lambda moment: moment[:10],
        "outward": outward,
        "prose": prose,
        "inline": inline,
    }
    environment.filters |= filters
    environment.globals |= {
        "root": root,
        "base": settings.base_url.rstrip("/"),
        "rungs": RUNGS,
        "version": VERSION,
        "stamp": {name: stamp(name) for name in STATIC if there(name)},
        "media_uri": lambda iri: iris.media_uri(root, iri),
        "identification_uri": lambda key: iris.uri(root, "identifications", key),
        "label_uri": lambda key: iris.uri(root, "labels", key),
        "uri_of": lambda kind, key: uri_of(KINDS[kind], key, root),
        "taxon_uri": lambda key: iris.uri(root, "taxa", key),
        "class_uri": lambda key: uri_of(ModelClass, key, root),
        "model_uri": lambda model, version: iris.model_uri(root, model, version),
        "wikidata": lambda item: f"https://www.wikidata.org/wiki/{quote(item)}",
        "gbif": lambda key: f"{ids.GBIF_SPECIES}{quote(key)}",
    }
    return Website(environment)


def static(name: str) -> bytes:
    """Return one of the files in ``STATIC``."""
    return _file(name).read_bytes()


def there(name: str) -> bool:
    """Say whether one of the files in ``STATIC`` is there; the editor may not be."""
    return _file(name).is_file()


def _file(name: str) -> Traversable:
    pages = files("identify") / "pages"
    return pages / "vendor" / name if name in VENDORED else pages / name


def stamp(name: str) -> str:
    """Return a mark of a file's content, for addresses that may be kept for ever."""
    return hashlib.sha256(static(name)).hexdigest()[:12]


def taxon_name(name: str, rank: str = "") -> Markup:
    """Return a name as it is printed: in italics from genus down.

    >>> str(taxon_name("Vanessa <b>", "species")), str(taxon_name("Nymphalidae", "family"))
    ('<i>Vanessa &lt;b&gt;</i>', 'Nymphalidae')
    """
    return Markup("<i>{}</i>").format(name) if rank.lower() in ITALIC_RANKS else Markup("{}").format(name)


def outward(address: str) -> str:
    """Return an address if a browser may be sent there, else ``""``: ``javascript:`` is an address, too.

    >>> outward("https://www.gbif.org/species/1"), outward("javascript:alert(1)")
    ('https://www.gbif.org/species/1', '')
    """
    return address if address.startswith(("https://", "http://")) else ""


def prose(text: str) -> Markup:
    """Return our own documentation's Markdown as HTML: paragraphs, `code` and *stress*, no more.

    >>> str(prose("One `two` <b>\\n\\n*three*"))
    '<p>One <code>two</code> &lt;b&gt;</p>\\n<p><em>three</em></p>'
    """
    paragraphs = [inline(part.strip()) for part in text.split("\n\n") if part.strip()]
    return Markup("\n").join(Markup("<p>{}</p>").format(paragraph) for paragraph in paragraphs)


def inline(text: str) -> Markup:
    """Return one line of ``prose`` without its paragraph."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", marked))  # noqa: S704
