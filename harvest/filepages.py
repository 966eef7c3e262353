"""Object numbers that stand in the templates of file pages. In: a wiki's API, IRIs of files. Out: numbers by file.

Commons' ``Artwork`` template has ``accession number``; others call it ``object number``, ``inventory number`` or
``objectnummer``. It is asked for files that have no P217, fifty pages at a time.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from harvest.records import batches
from harvest.wiki import ENTITIES, Api

_PARAMETER = re.compile(
    r"\|[ \t]*(?:accession|inventory|object)[ _]?(?:number|nummer)[ \t]*=[ \t]*([^\n|{}]*)", re.IGNORECASE
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"\[(?:https?:)?//\S+[ ]+([^\]]+)\]")


def numbers_in(wikitext: str) -> tuple[str, ...]:
    """Return the object numbers that the templates on a page give, each once; none that are made by other templates.

    >>> numbers_in("{{Artwork\\n |accession number = [https://a.example RP-T-1] <!-- sic -->\\n |title=x}}")
    ('RP-T-1',)
    >>> numbers_in("{{Artwork|accession number={{Number|1}}}} {{Artwork|objectnummer=|object number=RP-T-2}}")
    ('RP-T-2',)
    """
    text = _LINK.sub(r"\1", _COMMENT.sub("", wikitext))
    found = (" ".join(value.split()) for value in _PARAMETER.findall(text))
    return tuple(dict.fromkeys(value for value in found if value))


def template_numbers(api: Api, files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield file and object number for each number in the templates of file pages; files of other sites are not asked.

    Raises what asking raises (``Client.get_json``).
    """
    ids = [int(number) for iri in files if (number := iri.removeprefix(f"{api.site.entity}M")).isdecimal()]
    for batch in batches(ids, ENTITIES):
        asked = {"pageids": "|".join(map(str, batch)), "prop": "revisions", "rvprop": "content", "rvslots": "main"}
        for answer in api.query(asked):
            for page in answer.get("query", {}).get("pages", []):
                for number in numbers_in(_content(page)):
                    yield api.site.iri(page["pageid"]), number


def _content(page: dict[str, Any]) -> str:
    """Return the wikitext of a page as it stands, ``""`` for one that is gone."""
    newest: dict[str, Any] = next(iter(page.get("revisions") or ()), {})
    return str(newest.get("slots", {}).get("main", {}).get("content", ""))
