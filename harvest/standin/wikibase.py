"""The Wikibase actions of the API: ``wbgetentities``, ``wbgetclaims``, ``wbsearchentities``.

In: a ``Wiki`` and parameters. Out: the payload as Wikibase words it, with its surprises: ``"statements": []`` when a
file has none, ``{"id": …, "missing": ""}`` for what is not there, one bad id that fails the batch, no data types in
M-entities.
"""

import re
from collections.abc import Mapping
from typing import Any

from harvest.standin.mediawiki import ApiError, Params, Wiki, limit, terms, values
from harvest.standin.world import File, Item, Json

_ENTITY_ID = re.compile(r"[MQPL][1-9]\d*")
_PROPS = "info|sitelinks|aliases|labels|descriptions|claims|datatype"


def get_entities(wiki: Wiki, params: Params) -> Json:
    """Answer ``wbgetentities`` by ids, or by site and titles."""
    props = set(values(params, "props", _PROPS))
    languages = values(params, "languages")
    ids = values(params, "ids")
    titles = values(params, "titles")
    if not ids and not titles:
        raise ApiError(
            "param-missing", 'Either provide the item "ids" or pairs of "sites" and "titles" for corresponding pages'
        )
    entities: Json = {}
    for number, title in enumerate([t for t in titles if t.replace("_", " ") not in wiki.index.titles], 1):
        entities[f"-{number}"] = {"site": params.get("sites", ""), "title": title, "missing": ""}
    for title in titles:
        file = wiki.index.titles.get(title.replace("_", " "))
        if file:
            entities[file.id] = _media(file, props, languages)
    for entity_id in ids:
        if not _ENTITY_ID.fullmatch(entity_id):
            raise _no_such_entity(entity_id)
        entities[entity_id] = _entity(wiki, entity_id, props, languages)
    return {"entities": entities, "success": 1}


def _no_such_entity(entity_id: str) -> ApiError:
    text = f'Could not find an entity with the ID "{entity_id}".'
    message = {"name": "wikibase-api-no-such-entity", "parameters": [entity_id], "html": {"*": text}}
    return ApiError("no-such-entity", text, id=entity_id, messages=[message])


def _entity(wiki: Wiki, entity_id: str, props: set[str], languages: list[str]) -> Json:
    if entity_id[0] == "M":
        file = wiki.index.files.get(int(entity_id[1:]))
        return _media(file, props, languages) if file else {"id": entity_id, "missing": ""}
    item = wiki.index.items.get(entity_id)
    if item and item.redirect:
        target = wiki.index.items[item.redirect]
        return _item(wiki, target, props, languages, redirected_from=entity_id)
    return _item(wiki, item, props, languages) if item else {"id": entity_id, "missing": ""}


def whole(file: File) -> Json:
    """Return all that is said of a file, as an edit answers."""
    return _media(file, set(values({}, "props", _PROPS)), [])


def _media(file: File, props: set[str], languages: list[str]) -> Json:
    if file.entity is None:
        return {"id": file.id, "missing": ""}
    said: Json = {}
    if "info" in props:
        last = file.revisions[-1]
        said |= {"pageid": file.page_id, "ns": 6, "title": file.title, "lastrevid": last.id, "modified": last.moment}
    said |= {"type": "mediainfo", "id": file.id}
    if "labels" in props:
        said["labels"] = terms(_only(file.entity.labels, languages))
    if "descriptions" in props:
        said["descriptions"] = terms(_only(file.entity.descriptions, languages))
    said["statements"] = dict(file.entity.statements) or []  # an empty PHP array; props= does not drop statements
    return said


def _item(wiki: Wiki, item: Item, props: set[str], languages: list[str], redirected_from: str = "") -> Json:
    entity = item.entity
    said: Json = {}
    if "info" in props:
        said |= {"pageid": item.page_id, "ns": 0, "title": item.id, "lastrevid": item.revision}
        said["modified"] = item.modified
        if redirected_from:
            said["redirects"] = {"from": redirected_from, "to": item.id}
    said |= {"type": "property" if item.id[0] == "P" else "item", "id": item.id}
    if "labels" in props:
        said["labels"] = terms(_only(entity.labels, languages))
    if "descriptions" in props:
        said["descriptions"] = terms(_only(entity.descriptions, languages))
    if "aliases" in props:
        kept = {k: v for k, v in entity.aliases.items() if not languages or k in languages}
        said["aliases"] = {k: [{"language": k, "value": text} for text in v] for k, v in kept.items()}
    if "claims" in props:
        said["claims"] = typed(entity.statements, wiki.index.world.property_types)
    if item.id[0] == "P":
        return said | (
            {"datatype": wiki.index.world.property_types.get(item.id, "string")} if "datatype" in props else {}
        )
    if "sitelinks" in props:
        said["sitelinks"] = {s: {"site": s, "title": t, "badges": []} for s, t in item.sitelinks.items()}
    return said


def _only(texts: Mapping[str, str], languages: list[str]) -> dict[str, str]:
    return {k: v for k, v in texts.items() if not languages or k in languages}


def typed(node: Any, types: Mapping[str, str]) -> Any:
    """Return statements with ``datatype`` added to every snak, as ``wbgetclaims`` and items have them."""
    if isinstance(node, Mapping):
        copy = {k: typed(v, types) for k, v in node.items()}
        return copy | {"datatype": types.get(node["property"], "string")} if "snaktype" in node else copy
    return [typed(v, types) for v in node] if isinstance(node, list) else node


def get_claims(wiki: Wiki, params: Params) -> Json:
    """Answer ``wbgetclaims`` of one entity, one property or all."""
    entity_id = params.get("entity", "")
    if not _ENTITY_ID.fullmatch(entity_id):
        raise _no_such_entity(entity_id)
    found = wiki.index.files.get(int(entity_id[1:])) if entity_id[0] == "M" else wiki.index.items.get(entity_id)
    if found is None or found.entity is None:
        text = "⧼no-such-entity⧽"
        message = {"name": "no-such-entity", "parameters": [entity_id], "html": {"*": text}}
        raise ApiError("no-such-entity", text, messages=[message])
    wanted = params.get("property", "")
    kept = {k: v for k, v in found.entity.statements.items() if not wanted or k == wanted}
    return {"claims": typed(kept, wiki.index.world.property_types)}


def search_entities(wiki: Wiki, params: Params) -> Json:
    """Answer ``wbsearchentities``: labels and aliases in one language that begin with the words."""
    words = params.get("search", "").strip()
    language = params.get("language", "en")
    wanted = words.casefold()
    hits = [h for i in wiki.index.world.items if not i.redirect and (h := _search_hit(wiki, i, wanted, language))]
    most = limit(params, "limit", 7)
    exact_first = sorted(hits, key=lambda h: h["match"]["text"].casefold() != wanted)
    return {"searchinfo": {"search": words}, "search": exact_first[:most], "success": 1}


def _search_hit(wiki: Wiki, item: Item, wanted: str, language: str) -> Json | None:
    tongues = (language, "mul")  # a label that holds in all languages stands in for one that is not there
    names = [("label", t, item.entity.labels.get(t, "")) for t in tongues]
    names += [("alias", t, alias) for t in tongues for alias in item.entity.aliases.get(t, ())]
    match = next((hit for hit in names if hit[2] and hit[2].casefold().startswith(wanted)), None)
    if match is None:
        return None
    tongue, label = next(((t, text) for kind, t, text in names if kind == "label" and text), (language, ""))
    said: Json = {
        "id": item.id,
        "title": item.id,
        "pageid": item.page_id,
        "concepturi": f"http://www.wikidata.org/entity/{item.id}",
        "repository": "wikidata",
        "url": f"{wiki.base}/wiki/{item.id}",
        "display": {"label": {"value": label, "language": tongue}},
        "label": label,
    }
    if language in item.entity.descriptions:
        text = item.entity.descriptions[language]
        said["display"]["description"] = {"value": text, "language": language}
        said["description"] = text
    said["match"] = {"type": match[0], "language": match[1], "text": match[2]}
    return said | ({"aliases": [match[2]]} if match[0] == "alias" else {})
