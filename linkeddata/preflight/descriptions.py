"""Whether the descriptions are found, are right, and lead to what they promise. In: a visit. Out: findings."""

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from linkeddata.negotiation import HTML, JSON_LD, N_TRIPLES, TURTLE
from linkeddata.preflight import musts
from linkeddata.preflight.findings import FAULT, NOTE, Finding
from linkeddata.preflight.mediatypes import registered
from linkeddata.preflight.musts import DCAT, SCHEMA, Triples
from linkeddata.preflight.visit import Visit

SPARQL_RESULTS = "application/sparql-results+json"


def entrances(visit: Visit) -> Iterator[Finding]:
    """Yield what is wrong where machines look first: ``/``, ``/.well-known/``, robots.txt, sitemap, OpenAPI."""
    base = visit.base
    for accept in (HTML, JSON_LD, TURTLE):
        home = visit.get(f"{base}/", accept)
        if home.trouble or home.media_type != accept:
            trouble = home.trouble or f"answers {home.media_type}"
            yield Finding("entrances", f"{base}/", f"asked for {accept}, {trouble}")
    if 'rel="describedby"' not in visit.get(f"{base}/", HTML).headers.get("link", ""):
        yield Finding("entrances", f"{base}/", "no Link header leads to the catalogue", _PROXY)
    void = visit.followed(f"{base}/.well-known/void", TURTLE)
    if void.trouble or void.media_type != TURTLE:
        yield Finding("entrances", f"{base}/.well-known/void", void.trouble or f"leads to {void.media_type}", _PROXY)
    yield from _interfaces(visit)
    robots = visit.get(f"{base}/robots.txt")
    if robots.trouble:
        yield Finding("entrances", f"{base}/robots.txt", robots.trouble, _PROXY)
    yield from _sitemap(visit)
    openapi = visit.get(f"{base}/openapi.json")
    if openapi.trouble or not isinstance(openapi.json, dict) or "paths" not in openapi.json:
        yield Finding("entrances", f"{base}/openapi.json", openapi.trouble or "is no OpenAPI description")


_PROXY = "let the server in front pass this path on"


def _interfaces(visit: Visit) -> Iterator[Finding]:
    where = f"{visit.base}/.well-known/api-catalog"
    answer = visit.get(where)
    if answer.trouble or answer.media_type != "application/linkset+json" or not isinstance(answer.json, dict):
        yield Finding("entrances", where, answer.trouble or f"answers {answer.media_type}", _PROXY)
        return
    for one in answer.json.get("linkset", []):
        for target in (target for links in one.values() if isinstance(links, list) for target in links):
            if trouble := visit.followed(target["href"]).trouble:
                yield Finding("entrances", where, f"{target['href']} {trouble}")


def _sitemap(visit: Visit) -> Iterator[Finding]:
    where = f"{visit.base}/sitemap.xml"
    answer = visit.get(where)
    try:
        listed = [one.text for one in ElementTree.fromstring(answer.body).iter() if one.tag.endswith("}loc")]  # noqa: S314 - our own
    except ElementTree.ParseError:
        yield Finding("entrances", where, answer.trouble or "is no XML", _PROXY)
        return
    for page in filter(None, listed):
        if trouble := visit.followed(page, HTML).trouble:
            yield Finding("entrances", where, f"{page} {trouble}")


def address(visit: Visit) -> Iterator[Finding]:
    """Yield what is wrong with the base of all URIs, which is for ever."""
    if visit.is_local:
        yield Finding("address", visit.base, "can be reached from this machine alone", musts.HTTPS, NOTE)
    elif not visit.base.startswith("https://"):
        yield Finding("address", visit.base, "begins with http:, readers want https:", musts.HTTPS)


def catalogue(visit: Visit) -> tuple[Triples, list[Finding]]:
    """Return the triples of the catalogue and of all datasets that it leads to, and what cannot be read of them."""
    troubles: list[Finding] = []
    found: dict[str, dict[str, list[Any]]] = {}
    waiting = [f"{visit.base}/catalogue"]
    seen = set(waiting)
    while waiting:
        uri = waiting.pop()
        answer = visit.get(uri, N_TRIPLES)
        try:
            said = musts.triples_of(answer.body) if not answer.trouble else {}
        except SyntaxError as error:
            said = {}
            troubles.append(Finding("descriptions", uri, f"is no N-Triples: {error}"))
        if answer.trouble:
            troubles.append(Finding("descriptions", uri, answer.trouble))
        for subject, values in said.items():
            mine = found.setdefault(subject, {})
            for predicate, objects in values.items():
                known = mine.setdefault(predicate, [])
                known += [one for one in objects if one not in known]
        for onward in sorted(_datasets_in(said) - seen):
            if visit.ours(onward):
                seen.add(onward)
                waiting.append(onward)
    return found, troubles


def _datasets_in(said: Triples) -> set[str]:
    leads = (f"{DCAT}dataset", f"{SCHEMA}dataset", f"{DCAT}hasVersion", f"{DCAT}seriesMember")
    return {one.value for values in said.values() for lead in leads for one in values.get(lead, ())}


def descriptions(visit: Visit) -> Iterator[Finding]:
    """Yield what readers' demands say against the catalogue and every dataset, its versions and days."""
    triples, troubles = catalogue(visit)
    yield from troubles
    yield from musts.against(as_published(visit, triples))


def as_published(visit: Visit, triples: Triples) -> Triples:
    """Return triples as they will read where others can reach them: what is local only begins with https then.

    Who tries things out on his own machine is told once, by ``address``, that it is his own machine.
    """
    if not visit.is_local or not visit.base.startswith("http:"):
        return triples
    import pyoxigraph

    secure = "https" + visit.base.removeprefix("http")

    def moved(value: Any) -> Any:
        if isinstance(value, str):
            return secure + value.removeprefix(visit.base) if visit.ours(value) else value
        return pyoxigraph.NamedNode(moved(value.value)) if isinstance(value, pyoxigraph.NamedNode) else value

    return {
        moved(subject): {predicate: [moved(one) for one in objects] for predicate, objects in said.items()}
        for subject, said in triples.items()
    }


def n_triples(triples: Triples) -> bytes:
    """Return triples as N-Triples, for those who read them from there."""
    lines = [
        f"<{subject}> <{predicate}> {one} .\n"
        for subject, said in triples.items()
        for predicate, objects in said.items()
        for one in objects
    ]
    return "".join(lines).encode()


def distributions(visit: Visit) -> Iterator[Finding]:
    """Yield where a distribution is not what its description says: reachable, type, length, checksum."""
    triples, _ = catalogue(visit)
    for node in musts.nodes(triples)["distribution"]:
        said = triples.get(node, {})
        for address_ in (one.value for one in said.get(f"{SCHEMA}contentUrl", ())):
            if visit.ours(address_):
                yield from _distribution(visit, node, address_, said)


def _distribution(visit: Visit, node: str, where: str, said: Any) -> Iterator[Finding]:
    if any("sparql" in one.value for one in said.get(f"{DCAT}accessService", ())):
        query = f"{where}?query=ASK%7B%3Fs%20%3Fp%20%3Fo%7D"
        answer = visit.get(query, SPARQL_RESULTS)
        if answer.trouble or answer.media_type != SPARQL_RESULTS:
            fresh = answer.status == 503
            mend = "`deboodt serve` fills its graph after it starts; ask again in a minute" if fresh else ""
            trouble = answer.trouble or f"answers {answer.media_type}"
            yield Finding("distributions", node, f"{query} {trouble}", mend, NOTE if fresh else FAULT)
        return
    answer = visit.weighed(where)
    if answer.trouble:
        yield Finding("distributions", node, f"{where} {answer.trouble}", _DUMPS)
        return
    packed = [one.value for path in ("compressFormat", "packageFormat") for one in said.get(f"{DCAT}{path}", ())]
    expected = {one.value.rpartition("media-types/")[2] for one in said.get(f"{DCAT}mediaType", ())}
    expected = {one.rpartition("media-types/")[2] for one in packed} or expected
    if expected and answer.media_type not in expected:
        promised = " or ".join(sorted(expected))
        yield Finding("distributions", node, f"{where} answers {answer.media_type}, promised is {promised}", _PROXY)
    sizes = {one.value for one in said.get(f"{DCAT}byteSize", ())}
    if sizes and str(answer.size) not in sizes:
        yield Finding("distributions", node, f"{where} has {answer.size} bytes, promised are {sizes.pop()}", _DUMPS)
    sums = {one.value for one in said.get(f"{SCHEMA}sha256", ())}
    if sums and answer.sha256 not in sums:
        yield Finding("distributions", node, f"{where} is not what its checksum is of", _DUMPS)


_DUMPS = "write it again: deboodt publish dumps, or deboodt dataset for a training dataset"


def media_types(visit: Visit) -> Iterator[Finding]:
    """Yield which of the media types that were answered so far IANA does not know."""
    for answer in visit.answers():
        if answer.status == 200 and not registered(answer.media_type):
            said = (
                f"answers {answer.media_type}, which is not registered" if answer.media_type else "names no media type"
            )
            yield Finding("media types", answer.uri, said, _PROXY)
