"""What an edit makes of statements. In: a file's statements and the parameters of one edit. Out: the new statements.

Checked and saved as Wikibase does it (https://www.wikidata.org/w/api.php?action=help&modules=wbeditentity): a statement
that comes with an id that is there takes its place, one with a new id or without one is added.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from harvest.standin.mediawiki import ApiError, Params, values
from harvest.standin.world import Entity, File, Json, snak

RANKS = ("preferred", "normal", "deprecated")

Statements = dict[str, list[Json]]
Change = Callable[[str, Statements, Params, Mapping[str, str]], tuple[Statements, set[str]]]
"""M-id, statements, parameters, types of the properties → the statements after the edit, and the ids it touched."""


def by_id(statements: Mapping[str, list[Json]]) -> dict[str, Json]:
    """Return statements by their id."""
    return {one["id"]: one for group in statements.values() for one in group}


def media_named(params: Params) -> str:
    """Return the M-id that an edit is about. Raises ``ApiError``."""
    guid = params.get("claim", "")
    if guid.startswith("{"):
        guid = str(json.loads(guid).get("id", ""))
    media = (params.get("id") or params.get("entity") or guid.partition("$")[0]).upper()
    if not (media[:1] == "M" and media[1:].isdigit()):
        raise ApiError("param-missing", "An entity must be given.")
    return media


def based_on(file: File, params: Params) -> Entity:
    """Return the entity as the revision had it that the edit says it is based on."""
    wanted = params.get("baserevid", "")
    found = [one for one in file.revisions if str(one.id) == wanted]
    if wanted and not found:
        raise ApiError("cant-load-entity-content", f"Revision {wanted} is none of this entity's.")
    return (found[0] if found else file.revisions[-1]).entity or Entity()


def edit_entity(media: str, statements: Statements, params: Params, types: Mapping[str, str]) -> Any:
    """Do ``wbeditentity``: any number of statements in one edit."""
    given = _json(params.get("data", ""))
    claims: Any = given.get("claims", given.get("statements", []))
    claims = claims if isinstance(claims, list) else [one for group in claims.values() for one in group]
    touched = set()
    for one in claims:
        if "remove" in one:
            statements, gone = _without(statements, [one["id"]]), one["id"]
            touched.add(gone)
            continue
        made = _checked(media, one, types)
        statements = _with(statements, made)
        touched.add(made["id"])
    return statements, touched


def set_claim(media: str, statements: Statements, params: Params, types: Mapping[str, str]) -> Any:
    """Do ``wbsetclaim``: one statement with everything in it."""
    made = _checked(media, _json(params.get("claim", "")), types)
    return _with(statements, made), {made["id"]}


def create_claim(media: str, statements: Statements, params: Params, types: Mapping[str, str]) -> Any:
    """Do ``wbcreateclaim``: one bare statement, which gets an id."""
    kind, name = params.get("snaktype", ""), params.get("property", "")
    value = {"datavalue": _typed_value(json.loads(params["value"]))} if kind == "value" else {}
    main = {"snaktype": kind, "property": name, **value}
    made = _checked(media, {"mainsnak": main, "type": "statement", "rank": "normal"}, types)
    return _with(statements, made), {made["id"]}


def remove_claims(media: str, statements: Statements, params: Params, types: Mapping[str, str]) -> Any:
    """Do ``wbremoveclaims``."""
    named = values(params, "claim")
    if missing := [one for one in named if one not in by_id(statements)]:
        raise ApiError("invalid-guid", f"Could not find the statement {missing[0]}.")
    return _without(statements, named), set(named)


CHANGES: dict[str, Change] = {
    "wbeditentity": edit_entity,
    "wbsetclaim": set_claim,
    "wbcreateclaim": create_claim,
    "wbremoveclaims": remove_claims,
}
"""The actions that save, by name."""


def _json(text: str) -> Json:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiError("invalid-json", "The JSON string is invalid.")
    return found


def _typed_value(value: Any) -> Json:
    return {"value": value, "type": "wikibase-entityid" if isinstance(value, dict) else "string"}


def _checked(media: str, claim: Json, types: Mapping[str, str]) -> Json:
    """Return a statement as Wikibase keeps it, its snaks hashed. Raises ``ApiError`` for what is no statement."""
    try:
        main = _snak(claim["mainsnak"], types)
        made: Json = {"mainsnak": main, "type": "statement"}
        told = {name: [_snak(one, types) for one in group] for name, group in claim.get("qualifiers", {}).items()}
        if told:
            made |= {"qualifiers": told, "qualifiers-order": claim.get("qualifiers-order", list(told))}
        guid = claim.get("id") or f"{media}${str(uuid.uuid4()).upper()}"
        made |= {"id": guid, "rank": claim.get("rank", "normal")}
        if references := [_reference(one, types) for one in claim.get("references", [])]:
            made["references"] = references
        owner, dollar, rest = guid.partition("$")
        uuid.UUID(rest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ApiError("invalid-claim", f"This is no statement: {error}") from None
    if owner.upper() != media or not dollar or made["rank"] not in RANKS:
        raise ApiError("invalid-claim", "The id or the rank is none of this entity.")
    return made


def _reference(reference: Json, types: Mapping[str, str]) -> Json:
    snaks = {name: [_snak(one, types) for one in group] for name, group in reference["snaks"].items()}
    if not snaks:
        raise ValueError("an empty reference")
    said = json.dumps(snaks, sort_keys=True)
    return {"hash": uuid.uuid5(uuid.NAMESPACE_URL, said).hex, "snaks": snaks, "snaks-order": list(snaks)}


def _snak(given: Json, types: Mapping[str, str]) -> Json:
    name, kind = given["property"], given["snaktype"]
    if name not in types:
        raise ValueError(f"no property {name}")
    if kind != "value":
        return snak(name, kind)
    data = given["datavalue"]
    wanted = {"wikibase-item": "wikibase-entityid", "time": "time"}.get(types[name], "string")
    if data["type"] != wanted:
        raise ValueError(f"{name} takes {wanted}, not {data['type']}")
    if wanted == "wikibase-entityid":
        return snak(name, data["value"]["id"])
    return snak(name, data if wanted == "time" else data["value"])


def _with(statements: Statements, made: Json) -> Statements:
    name = made["mainsnak"]["property"]
    group = statements.get(name, [])
    there = any(one["id"] == made["id"] for one in group)
    group = [made if one["id"] == made["id"] else one for one in group] if there else [*group, made]
    return {**statements, name: group}


def _without(statements: Statements, ids: list[str]) -> Statements:
    left = {name: [one for one in group if one["id"] not in ids] for name, group in statements.items()}
    return {name: group for name, group in left.items() if group}
