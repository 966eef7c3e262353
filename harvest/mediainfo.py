"""Files of Commons as its API describes them. In: decoded answers. Out: ``Page``, ``MediaInfo``, ``MediaFile``.

Pure functions; ``harvest.commons`` asks. They stand what the API really sends: an empty list where an object is due,
entities that are missing, somevalue and novalue, values without a datatype
(https://www.mediawiki.org/wiki/Wikibase/DataModel/JSON, https://www.mediawiki.org/wiki/API:Imageinfo).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, NamedTuple

from harvest.records import licence_iri
from harvest.revisions import Revision, parse_revision
from linkeddata.ids import (
    APPLIES_TO_PART,
    COLLECTION,
    DEPICTS,
    INVENTORY_NUMBER,
    ITEM,
    RELATIVE_POSITION,
    checked_media,
)
from linkeddata.records import MediaFile

CREATOR = "P170"
AUTHOR_NAME = "P2093"
INCEPTION = "P571"
LICENCE = "P275"
COPYRIGHT_STATUS = "P6216"
_WHERE = (APPLIES_TO_PART, RELATIVE_POSITION)
"""Qualifiers that say where in a picture the item is; a tag has one of each."""
PUBLIC_DOMAIN = "Q19652"
PUBLIC_DOMAIN_MARK = "https://creativecommons.org/publicdomain/mark/1.0/"
LICENCES = {
    "Q6938433": "publicdomain/zero/1.0",
    "Q7257026": "publicdomain/mark/1.0",
    "Q30942811": "licenses/by/1.0",
    "Q19125117": "licenses/by/2.0",
    "Q18810333": "licenses/by/2.5",
    "Q14947546": "licenses/by/3.0",
    "Q20007257": "licenses/by/4.0",
    "Q47001652": "licenses/by-sa/1.0",
    "Q19068220": "licenses/by-sa/2.0",
    "Q19113751": "licenses/by-sa/2.5",
    "Q14946043": "licenses/by-sa/3.0",
    "Q18199165": "licenses/by-sa/4.0",
    "Q77143083": "licenses/by-sa/2.0/de",
    "Q18199175": "licenses/by-sa/2.5/nl",
    "Q80837139": "licenses/by-sa/3.0/at",
    "Q42716613": "licenses/by-sa/3.0/de",
    "Q18195572": "licenses/by-sa/3.0/nl",
}
"""Where at creativecommons.org the licence of an item is; of other items the description page tells the address."""
SAMPLE_HOST = "://commons.deboodt.example/"
"""Under this address are the files that De Boodt paints itself; ``.example`` is nobody's (RFC 2606)."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A file page: what ``prop=imageinfo|info|revisions`` says of it."""

    id: int
    title: str
    revision: int
    namespace: int = 6  # a file; a category is 14
    newest: Revision | None = None
    categories: tuple[str, ...] = ()  # with their prefix, of those that were asked for
    image: Json  # imageinfo; empty for a page without a file of its own (a redirect)

    @property
    def uploader(self) -> str:
        """User name of who uploaded the version that is shown; "" where that is hidden."""
        return "" if self.image.get("userhidden") else str(self.image.get("user", ""))


@dataclass(frozen=True, slots=True)
class Statement:
    """One P180 statement."""

    id: str
    item: str  # "" for somevalue and novalue
    rank: str  # preferred, normal, deprecated
    kind: str = "value"  # value, somevalue, novalue
    part: str = ""
    region: str = ""
    reference: str = ""  # P887=Q131569420; P854=https://…
    further: tuple[str, ...] = ()  # P2677=pct:1,2,3,4: parts and regions beside the first

    @property
    def counts(self) -> bool:
        """Whether it says that the file shows an item: it has one, and nobody marked the statement as wrong."""
        return bool(self.item) and self.rank != "deprecated"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """The structured data of one file as it stands."""

    id: str
    revision: int = 0
    missing: bool = False  # no structured data, ever, or no such file
    depicts: tuple[Statement, ...] = ()
    captions: tuple[tuple[str, str], ...] = ()  # (language, text)
    inventory_number: str = ""
    institution: str = ""  # Q-id
    creator: str = ""
    creator_item: str = ""  # Q-id of a creator who has an item and is not named in words
    created: str = ""
    licence: str = ""


NO_STRUCTURED_DATA = MediaInfo(id="", missing=True)


class Site(NamedTuple):
    """Where a wiki's things are: what its concept IRIs begin with."""

    entity: str  # https://commons.wikimedia.org/entity/

    def iri(self, page_id: int) -> str:
        """Return the concept IRI of the file on a page."""
        return f"{self.entity}M{page_id}"

    @property
    def simulated(self) -> bool:
        """Whether this wiki's files are painted by De Boodt."""
        return SAMPLE_HOST in self.entity


def parse_pages(payload: Any) -> list[Page]:
    """Return the file pages in an answer of formatversion 2; pages that are missing are left out."""
    pages = _mapping(_mapping(payload).get("query")).get("pages") or []
    return [_page(page) for page in pages if page.get("pageid") and not page.get("missing")]


def _page(page: Json) -> Page:
    image = (page.get("imageinfo") or [{}])[0]
    newest = next(iter(page.get("revisions") or ()), None)
    return Page(
        id=int(page["pageid"]),
        title=str(page.get("title", "")),
        revision=int(page.get("lastrevid") or 0),
        namespace=int(page.get("ns", 6)),
        newest=parse_revision(newest) if newest else None,
        categories=tuple(str(category["title"]) for category in page.get("categories") or ()),
        image={} if image.get("filemissing") else image,
    )


def parse_entities(payload: Any) -> dict[str, MediaInfo]:
    """Return the structured data in an answer of ``wbgetentities`` by the M-id that was asked."""
    entities = _mapping(_mapping(payload).get("entities"))
    return {key: parse_entity(key, entity) for key, entity in entities.items() if not key.startswith("-")}


def parse_entity(key: str, entity: Json) -> MediaInfo:
    """Return the structured data of the file with this M-id. Raises ``ValueError`` for another id."""
    if "missing" in entity:
        return MediaInfo(id=checked_media(key), missing=True)
    statements = _mapping(entity.get("statements"))
    return MediaInfo(
        id=checked_media(key),
        revision=int(entity.get("lastrevid") or 0),
        depicts=tuple(map(parse_statement, statements.get(DEPICTS, ()))),
        captions=parse_captions(entity.get("labels")),
        inventory_number=_first(statements, INVENTORY_NUMBER),
        institution=_first(statements, COLLECTION),
        creator=_creator(statements),
        creator_item=_first(statements, CREATOR),
        created=_day(_best(statements, INCEPTION)),
        licence=_licence(statements),
    )


def parse_captions(labels: Any) -> tuple[tuple[str, str], ...]:
    """Return (language, text) of each caption, by language."""
    return tuple(sorted((str(label["language"]), str(label["value"])) for label in _mapping(labels).values()))


def parse_statement(statement: Json) -> Statement:
    """Return what a statement says whose value is an item."""
    qualifiers = statement.get("qualifiers")
    return Statement(*told_of(statement), further=_further(qualifiers) if qualifiers else ())


def told_of(statement: Json) -> tuple[str, str, str, str, str, str, str]:
    """Return the fields of ``Statement``, in their order: of a dump's many, that is all that is needed."""
    main = _mapping(statement.get("mainsnak"))
    qualifiers = statement.get("qualifiers")
    references = statement.get("references")
    item = _text(main)
    return (
        str(statement.get("id", "")),
        item if ITEM.fullmatch(item) else "",
        str(statement.get("rank", "normal")),
        str(main.get("snaktype", "")),
        _qualifier(qualifiers, APPLIES_TO_PART) if qualifiers else "",
        _qualifier(qualifiers, RELATIVE_POSITION) if qualifiers else "",
        " | ".join(filter(None, map(_reference, references))) if references else "",
    )


def _further(qualifiers: Any) -> tuple[str, ...]:
    given = {key: list(filter(None, map(_text, _mapping(qualifiers).get(key, ())))) for key in _WHERE}
    return tuple(f"{key}={value}" for key, values in given.items() for value in values[1:])


def _qualifier(qualifiers: Any, property_id: str) -> str:
    """Return the first value of a qualifier."""
    return next(filter(None, map(_text, _mapping(qualifiers).get(property_id, ()))), "")


def _reference(reference: Json) -> str:
    """Return what one reference of a statement says, property by property in their order."""
    snaks = _mapping(reference.get("snaks"))
    told = ((key, _text(snak) or _moment(snak)) for key, given in snaks.items() for snak in given)
    return "; ".join(f"{key}={text}" for key, text in told if text)


def _moment(snak: Json) -> str:
    return str(_mapping(_mapping(snak.get("datavalue")).get("value")).get("time", ""))


def is_item(text: str) -> bool:
    """Say whether ``text`` is a Q-id.

    >>> is_item("Q140"), is_item("P180"), is_item("")
    (True, False, False)
    """
    return ITEM.fullmatch(text) is not None


def _creator(statements: Json) -> str:
    """Return the creator's name: an author name string, on its own or as qualifier of an unknown creator."""
    named = _first(statements, AUTHOR_NAME)
    if named:
        return named
    for statement in statements.get(CREATOR, ()):
        for snak in _mapping(statement.get("qualifiers")).get(AUTHOR_NAME, ()):
            if _text(snak):
                return _text(snak)
    return ""


def _licence(statements: Json) -> str:
    """Return the address of the licence: the first one known by its item, else the mark of the public domain.

    https://commons.wikimedia.org/wiki/Commons:Structured_data/Modeling/Copyright
    """
    known = (LICENCES.get(_text(snak), "") for snak in _ranked(statements, LICENCE))
    path = next(filter(None, known), "")
    if path:
        return f"https://creativecommons.org/{path}/"
    stated = {_text(snak) for snak in _ranked(statements, COPYRIGHT_STATUS)}
    return PUBLIC_DOMAIN_MARK if stated == {PUBLIC_DOMAIN} else ""


def _first(statements: Json, property_id: str) -> str:
    return _text(_best(statements, property_id))


def _best(statements: Json, property_id: str) -> Json:
    """Return the main snak of the property's first statement of best rank."""
    return next(iter(_ranked(statements, property_id)), {})


def _ranked(statements: Json, property_id: str) -> list[Json]:
    """Return the main snaks of a property that have a value, preferred ones first, deprecated ones not at all."""
    given = [s for s in statements.get(property_id, ()) if s.get("rank") != "deprecated"]
    given.sort(key=lambda s: s.get("rank") != "preferred")
    return [main for s in given if (main := _mapping(s.get("mainsnak"))).get("datavalue")]


def _text(snak: Json) -> str:
    """Return a snak's value if it is an item (its id) or a text."""
    value = _mapping(snak.get("datavalue")).get("value", "")
    if isinstance(value, (dict, Mapping)):
        return str(value.get("id") or (f"Q{value['numeric-id']}" if "numeric-id" in value else ""))
    return str(value)


def _day(snak: Json) -> str:
    """Return a point in time as precisely as it is known, down to the day; ``""`` for less than a year."""
    value = _mapping(_mapping(snak.get("datavalue")).get("value"))
    match = re.match(r"\+0*(\d{4})-(\d\d)-(\d\d)T", str(value.get("time", "")))
    length = {9: 1, 10: 2, 11: 3}.get(value.get("precision", 0), 0)
    return "-".join(match.groups()[:length]) if match else ""


def _mapping(value: Any) -> Json:
    """Return ``value`` if it is an object; PHP writes an empty one as ``[]``."""
    return value if isinstance(value, (dict, Mapping)) else {}  # a dict is what it nearly always is, and quicker asked


def media_file(site: Site, page: Page, info: MediaInfo) -> MediaFile:
    """Return what is known of a file: from structured data first, then from its description page.

    ``revision`` and ``group`` are left for the caller to decide.
    """
    about = {key: _plain(entry) for key, entry in _mapping(page.image.get("extmetadata")).items()}
    return MediaFile(
        iri=site.iri(page.id),
        title=page.title,
        page=str(page.image.get("descriptionurl", "")),
        original=str(page.image.get("url", "")),
        sha1=str(page.image.get("sha1", "")),
        mime=str(page.image.get("mime", "")),
        width_px=int(page.image.get("width") or 0),
        height_px=int(page.image.get("height") or 0),
        size_bytes=int(page.image.get("size") or 0),
        licence=info.licence or licence_iri(about.get("LicenseUrl", "")) or licence_of_code(about.get("License", "")),
        credit=about.get("Attribution") or about.get("Credit", ""),
        creator=info.creator or about.get("Artist", "") or info.creator_item,
        created=info.created or about.get("DateTimeOriginal", ""),
        description=about.get("ImageDescription", ""),
        inventory_number=info.inventory_number,
        institution=info.institution,
        simulated=site.simulated,
    )


def _plain(entry: Any) -> str:
    return plain_text(str(_mapping(entry).get("value", "")))


def licence_of_code(code: str) -> str:
    """Return the address of a Creative Commons licence from Commons' short name for it.

    >>> licence_of_code("cc-by-sa-3.0-nl"), licence_of_code("cc0"), licence_of_code("pd")
    ('https://creativecommons.org/licenses/by-sa/3.0/nl/', 'https://creativecommons.org/publicdomain/zero/1.0/', '')
    """
    if code in ("cc0", "cc-zero"):
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    match = re.fullmatch(r"cc-(by(?:-nc)?(?:-nd|-sa)?)-(\d\.\d)(?:-([a-z]{2}))?", code)
    if not match:
        return ""
    return "https://creativecommons.org/licenses/" + "".join(f"{part}/" for part in match.groups() if part)


class _Text(HTMLParser):
    """Collects the words of a piece of HTML and leaves out what is not shown."""

    _BREAKS = frozenset({"br", "p", "div", "li", "tr", "td", "th", "dd", "dt", "h1", "h2", "h3"})
    _SILENT = frozenset({"script", "style", "template"})
    _VOID = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        hidden = "display:none" in (dict(attrs).get("style") or "").replace(" ", "")
        nested = bool(self._silent) and tag == self._silent[-1]
        if tag not in self._VOID and (tag in self._SILENT or hidden or nested):
            self._silent.append(tag)
        if tag in self._BREAKS:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()
        if tag in self._BREAKS:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)


def plain_text(html: str) -> str:
    """Return the words of a piece of HTML on one line, as a reader sees them.

    >>> plain_text('<a href="//x">Jane  Doe</a>&nbsp;&amp; <span style="display: none">hidden</span>al.<br>Delft')
    'Jane Doe & al. Delft'
    """
    if not re.search(r"[<&]", html):
        return " ".join(html.split())
    reader = _Text()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.pieces).split())
