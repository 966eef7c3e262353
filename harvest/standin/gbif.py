"""GBIF's species API: match v1 and v2, usages by key. In: the World's usages. Out: answers in GBIF's shape.

The matching is far simpler than GBIF's (exact by canonical or full name; one letter wrong; else the genus), its answers
have the recorded fields. v2 without ``checklistKey``, or with COL XR's, answers NONE: the World holds numeric backbone
usages only.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from harvest.standin.exchange import Reply, Request, json_reply
from harvest.standin.index import Index
from harvest.standin.world import Json, Usage
from linkeddata.ids import GBIF_BACKBONE

Params = Mapping[str, str]
RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
_MARKERS = frozenset({"var.", "subsp.", "ssp.", "f.", "cf.", "aff."})
_CONTRADICTION = 50  # GBIF takes about as much off when a higher taxon contradicts
_LEAST = 80


@dataclass(frozen=True, slots=True)
class Match:
    """One answer of the matcher; ``usage`` is ``None`` for NONE."""

    usage: Usage | None
    kind: str  # EXACT, FUZZY, HIGHERRANK, NONE
    confidence: int
    note: str = ""
    alternatives: tuple["Match", ...] = ()


class Names:
    """The usages of a World by name."""

    def __init__(self, index: Index) -> None:
        self.index = index

    @cached_property
    def by_canonical(self) -> dict[str, list[Usage]]:
        """Usages by canonical name in lower case."""
        found: dict[str, list[Usage]] = defaultdict(list)
        for usage in self.index.world.usages:
            found[usage.canonical_name.lower()].append(usage)
        return dict(found)

    @cached_property
    def by_deletion(self) -> dict[str, set[str]]:
        """Canonical names of more than one word by every form with one letter left out."""
        found: dict[str, set[str]] = defaultdict(set)
        for name in self.by_canonical:
            if " " in name:
                for form in _deletions(name):
                    found[form].add(name)
        return dict(found)

    @cached_property
    def by_vernacular(self) -> dict[str, list[Usage]]:
        """Usages by vernacular name in lower case."""
        found: dict[str, list[Usage]] = defaultdict(list)
        for usage in self.index.world.usages:
            for _, name in usage.vernaculars:
                found[name.lower()].append(usage)
        return dict(found)


def answer(names: Names, request: Request) -> Reply:
    """Return GBIF's answer to a request under ``/gbif``."""
    path = request.path.removeprefix("/gbif").rstrip("/")
    if path == "/v1/species/match":
        return json_reply(match_v1(names, request.params))
    if path == "/v2/species/match":
        return json_reply(match_v2(names, request.params))
    if path == "/v1/species/search":
        return json_reply(search(names, request.params))
    found = re.fullmatch(r"/v1/species/(\d+)(/parents|/synonyms|/vernacularNames)?", path)
    usage = names.index.usages.get(int(found[1])) if found else None
    if found is None or usage is None:
        return _not_found(path)
    return json_reply(_about(names, usage, found[2] or "", request.params))


def match(names: Names, name: str, params: Params) -> Match:
    """Find the usage that ``name`` means, within the classification that ``params`` gives."""
    canonical, authorship = parsed(name)
    if not canonical:
        return Match(None, "NONE", 100, "No name given")
    alternatives: tuple[Match, ...] = ()
    for kind, usages in _candidates(names, canonical):
        scored = sorted((_scored(u, kind, authorship, params) for u in usages), key=lambda m: -m.confidence)
        alternatives += tuple(scored)
        best = [m for m in scored if m.confidence == scored[0].confidence]
        if len(best) > 1:
            return Match(None, "NONE", 100, f"Multiple equal matches for {canonical}", alternatives)
        if best and best[0].confidence >= _LEAST:
            rest = tuple(m for m in alternatives if m is not best[0])
            return Match(best[0].usage, kind, best[0].confidence, best[0].note, rest)
        if params.get("strict", "").lower() == "true":
            break
    note = "No match because of too little confidence" if alternatives else ""
    return Match(None, "NONE", 99 if alternatives else 100, note, alternatives)


def _candidates(names: Names, canonical: str) -> Iterable[tuple[str, list[Usage]]]:
    wanted = canonical.lower()
    yield "EXACT", names.by_canonical.get(wanted, [])
    if " " in wanted:
        near = {n for form in _deletions(wanted) for n in names.by_deletion.get(form, ())}
        near |= names.by_deletion.get(wanted, set()) | (_deletions(wanted) & names.by_canonical.keys())
        yield "FUZZY", [u for n in sorted(near - {wanted}) if one_edit(n, wanted) for u in names.by_canonical[n]]
        yield "HIGHERRANK", [u for u in names.by_canonical.get(wanted.split(" ")[0], []) if u.rank == "GENUS"]


def _scored(usage: Usage, kind: str, authorship: str, params: Params) -> Match:
    score = {"EXACT": 98, "FUZZY": 93, "HIGHERRANK": 94}[kind]
    status = {"ACCEPTED": 1, "SYNONYM": 0}.get(usage.status, -5)
    author = _author_score(usage.authorship, authorship) if kind != "HIGHERRANK" else 0
    agreed = _classification_score(usage, params)
    rank = params.get("rank", params.get("taxonRank", "")).upper()
    ranked = 0 if not rank or kind == "HIGHERRANK" or rank == usage.rank else -5
    note = f"Similarity: name={score}; authorship={author}; classification={agreed}; rank={ranked}; status={status}"
    return Match(usage, kind, max(0, min(100, score + status + author + agreed + ranked)), note)


def _author_score(known: str, given: str) -> int:
    if not given or not known:
        return 0
    letters = [re.sub(r"[^a-z0-9]", "", text.lower()) for text in (known, given)]
    years = [re.findall(r"\d{4}", text) for text in (known, given)]
    if letters[0] == letters[1]:
        return 3
    return -10 if letters[0][:3] != letters[1][:3] or (all(years) and years[0] != years[1]) else 1


def _classification_score(usage: Usage, params: Params) -> int:
    higher = {rank.lower(): name.lower() for rank, name, _ in usage.higher}
    given = {r: params[r].lower() for r in RANKS[:-1] if params.get(r)}
    if any(r in higher and higher[r] != name for r, name in given.items()):
        return -_CONTRADICTION
    return 2 if any(higher.get(r) == name for r, name in given.items()) else 0


def parsed(name: str) -> tuple[str, str]:
    """Split a scientific name into canonical name and authorship.

    >>> parsed("papilio  cardui Linnaeus, 1758")
    ('Papilio cardui', 'Linnaeus, 1758')
    >>> parsed("Vanessa")
    ('Vanessa', '')
    """
    words = name.replace("_", " ").split()
    kept: list[str] = []
    for place, word in enumerate(words):
        if word in _MARKERS:
            continue
        if kept and not re.fullmatch(r"[a-zà-ÿ-]+", word):
            return " ".join(kept), " ".join(words[place:])
        kept.append(word.lower() if kept else word[:1].upper() + word[1:].lower())
    return " ".join(kept), ""


def _deletions(name: str) -> set[str]:
    return {name[:i] + name[i + 1 :] for i in range(len(name))}


def one_edit(left: str, right: str) -> bool:
    """Say whether two names differ by one letter changed, left out, put in, or by two neighbours swapped.

    >>> one_edit("vanesa cardui", "vanessa cardui"), one_edit("vanessa cadrui", "vanessa cardui")
    (True, True)
    """
    if len(left) == len(right):
        wrong = [i for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
        swapped = len(wrong) == 2 and left[wrong[0]] == right[wrong[1]] and left[wrong[1]] == right[wrong[0]]
        return len(wrong) == 1 or (swapped and wrong[1] == wrong[0] + 1)
    longer, shorter = sorted((left, right), key=len, reverse=True)
    return len(longer) == len(shorter) + 1 and shorter in _deletions(longer)


def match_v1(names: Names, params: Params) -> Json:
    """Answer ``/v1/species/match``."""
    found = match(names, params.get("name", params.get("scientificName", "")), params)
    verbose = params.get("verbose", "").lower() == "true"
    said = _v1(names, found, verbose)
    if verbose and found.alternatives:
        said["alternatives"] = [_v1(names, m, verbose) for m in found.alternatives]
    return said


def _v1(names: Names, found: Match, verbose: bool) -> Json:
    note = {"note": found.note} if found.note and (verbose or found.usage is None) else {}
    usage = found.usage
    if usage is None:
        return {"confidence": found.confidence, **note, "matchType": "NONE", "synonym": False}
    said: Json = {"usageKey": usage.key}
    if usage.accepted:
        said["acceptedUsageKey"] = usage.accepted
    said |= {"scientificName": usage.scientific_name, "canonicalName": usage.canonical_name, "rank": usage.rank}
    said |= {"status": usage.status, "confidence": found.confidence, **note, "matchType": found.kind}
    return said | _higher(usage) | {"synonym": usage.status == "SYNONYM"}


def _higher(usage: Usage) -> Json:
    steps = [(rank.lower(), name, key) for rank, name, key in usage.higher if rank.lower() in RANKS]
    said: Json = {rank: name for rank, name, _ in steps if name}
    return said | {f"{rank}Key": key for rank, _, key in steps if key}


def match_v2(names: Names, params: Params) -> Json:
    """Answer ``/v2/species/match``."""
    if params.get("checklistKey", "") != GBIF_BACKBONE:
        return _v2(names, Match(None, "NONE", 100), params)
    key = params.get("usageKey", params.get("taxonID", "")).removeprefix("gbif:")
    if not key and params.get("scientificNameID", "").startswith("gbif:"):
        key = params["scientificNameID"].removeprefix("gbif:")
    if key:
        usage = names.index.usages.get(int(key)) if key.isdigit() else None
        note = "All provided names were ignored since the usageKey was provided"
        return _v2(names, Match(usage, "EXACT", 100, note) if usage else Match(None, "NONE", 100), params)
    return _v2(names, match(names, params.get("scientificName", params.get("name", "")), params), params)


def _v2(names: Names, found: Match, params: Params) -> Json:
    diagnostics: Json = {"matchType": found.kind, "confidence": found.confidence}
    if found.note and (found.usage is None or params.get("verbose", "").lower() == "true"):
        diagnostics["note"] = found.note
    diagnostics |= {"timeTaken": 0, "timings": {"sciNameMatch": 0}}
    usage = found.usage
    if usage is None:
        return {"diagnostics": diagnostics | {"issues": []}, "synonym": False}
    said: Json = {"usage": _v2_usage(usage) | {"status": usage.status}}
    accepted = names.index.usages.get(usage.accepted)
    if accepted:
        said["acceptedUsage"] = _v2_usage(accepted)
    said["classification"] = [{"key": str(k), "name": n, "rank": r.upper()} for r, n, k in usage.higher if n]
    return said | {"diagnostics": diagnostics, "synonym": usage.status == "SYNONYM"}


def _v2_usage(usage: Usage) -> Json:
    words = usage.canonical_name.split(" ")
    said: Json = {"key": str(usage.key), "name": usage.scientific_name, "canonicalName": usage.canonical_name}
    if usage.authorship:
        said["authorship"] = usage.authorship
    said["rank"] = usage.rank
    if len(words) > 1:
        said |= {"genericName": words[0], "specificEpithet": words[1]}
    if len(words) > 2:
        said["infraspecificEpithet"] = words[2]
    italic = " ".join(f"<i>{w}</i>" for w in words) if usage.rank in ("GENUS", "SPECIES") else usage.canonical_name
    return said | {"type": "SCIENTIFIC", "formattedName": f"{italic} {usage.authorship}".strip()}


def _about(names: Names, usage: Usage, what: str, params: Params) -> Json | list[Json]:
    if what == "/parents":
        keys = [key for _, _, key in usage.higher if key not in (usage.key, usage.accepted)]
        return [species(names, names.index.usages[k]) for k in keys if k in names.index.usages]
    if what == "/synonyms":
        hits = [species(names, u) for u in names.index.world.usages if u.accepted == usage.key]
        return _page(hits, params)
    if what == "/vernacularNames":
        rows = [{"taxonKey": usage.key, "vernacularName": n, "language": lang} for lang, n in usage.vernaculars]
        return _page(rows, params)
    return species(names, usage)


def species(names: Names, usage: Usage) -> Json:
    """Return a usage as ``/v1/species/{key}`` shows it."""
    parents = [(name, key) for _, name, key in usage.higher if key not in (usage.key, usage.accepted)]
    said: Json = {"key": usage.key, "nubKey": usage.key, "taxonID": f"gbif:{usage.key}", **_higher(usage)}
    said |= {"datasetKey": GBIF_BACKBONE}
    if parents:
        said |= {"parentKey": parents[-1][1], "parent": parents[-1][0]}
    accepted = names.index.usages.get(usage.accepted)
    if usage.accepted:
        said |= {"acceptedKey": usage.accepted} | ({"accepted": accepted.scientific_name} if accepted else {})
    said |= {"scientificName": usage.scientific_name, "canonicalName": usage.canonical_name}
    if usage.vernaculars:
        said["vernacularName"] = usage.vernaculars[0][1]
    said |= {"authorship": usage.authorship, "nameType": "SCIENTIFIC", "rank": usage.rank, "origin": "SOURCE"}
    said |= {"taxonomicStatus": usage.status, "nomenclaturalStatus": [], "remarks": "", "numDescendants": 0}
    return said | {"issues": [], "synonym": usage.status == "SYNONYM"}


def search(names: Names, params: Params) -> Json:
    """Answer ``/v1/species/search``: whole scientific or vernacular names (``qField=VERNACULAR``)."""
    words = params.get("q", "").strip().lower()
    by_name = names.by_canonical.get(words, []) if params.get("qField", "SCIENTIFIC") == "SCIENTIFIC" else []
    by_vernacular = names.by_vernacular.get(words, []) if params.get("qField", "VERNACULAR") == "VERNACULAR" else []
    rank = params.get("rank", "").upper()
    hits = [u for u in (*by_name, *by_vernacular) if not rank or u.rank == rank]
    rows = [
        species(names, u) | {"vernacularNames": [{"vernacularName": n, "language": lang} for lang, n in u.vernaculars]}
        for u in hits
    ]
    page = _page(rows, params)
    return page | {"count": len(rows), "facets": []}


def _page(rows: list[Json], params: Params) -> Json:
    offset, most = int(params.get("offset", "0")), int(params.get("limit", "20"))
    shown = rows[offset : offset + most]
    return {"offset": offset, "limit": most, "endOfRecords": offset + most >= len(rows), "results": shown}


def _not_found(path: str) -> Reply:
    message = f"Entity not found for uri: {path.removeprefix('/v1')}"
    said = {"timestamp": "2026-10-01T00:00:00.000+00:00", "status": 404, "error": "", "message": message}
    return json_reply(said, 404)
