"""Follows a feed into a file, as an aggregator does: ``python follower.py BASE FILE [FORM]``; a process of its own.

After each page the state (what is said of each record, and how far it got) takes the old file's place in one step, so
that a killed follower goes on where it was. FORM is JSON-LD, where documents are held, or another media type of RDF,
where triples are. Nothing of De Boodt is imported.
"""

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

JSON_LD = "application/ld+json"
TREE = "https://w3id.org/tree#"
IS_VERSION_OF = "http://purl.org/dc/terms/isVersionOf"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
TOPIC = "http://xmlns.com/foaf/0.1/primaryTopic"
ACTIVITIES = "http://www.w3.org/ns/activitystreams#"


def fetched(url: str, form: str) -> bytes:
    asked = urllib.request.Request(url, headers={"Accept": form})  # noqa: S310
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        return answer.read()


def read(page: bytes, form: str) -> tuple[str, str, list[tuple[int, str, str, Any]]]:
    """The page that a stream or page is viewed by, the next one, and sequence, activity, record, what is said."""
    if form != JSON_LD:
        return read_triples(page, form)
    doc = json.loads(page)
    members = [(one["sequence"], one["type"], one["isVersionOf"], one.get("@graph")) for one in doc.get("member", [])]
    return doc["view"]["id"], doc["view"].get("relation", {}).get("node", ""), members


def read_triples(page: bytes, form: str) -> tuple[str, str, list[tuple[int, str, str, Any]]]:
    import pyoxigraph

    quads = list(pyoxigraph.parse(page, format=pyoxigraph.RdfFormat.from_media_type(form)))
    by_subject: dict[Any, list[Any]] = {}
    graphs: dict[Any, list[Any]] = {}
    for quad in quads:
        named = isinstance(quad.graph_name, pyoxigraph.NamedNode)
        (graphs.setdefault(quad.graph_name, []) if named else by_subject.setdefault(quad.subject, [])).append(quad)
    pointed = {quad.predicate.value: quad.object for quad in quads if quad.predicate.value.startswith(TREE)}
    members = []
    for quad in quads:
        if quad.predicate.value == f"{TREE}member":
            own = by_subject[quad.object]
            said = {one.predicate.value.rpartition("#")[2]: one.object.value for one in own}
            activities = [one.object.value for one in own if one.object.value.startswith(ACTIVITIES)]
            uri = next(one.object for one in own if one.predicate.value == IS_VERSION_OF)
            graph = graphs.get(quad.object) or inside(quad.object, uri, by_subject)
            lines = sorted({f"{one.subject} {one.predicate} {one.object}" for one in graph})
            members.append((int(said["sequence"]), activities[0].rpartition("#")[2], uri.value, lines))
    node = pointed.get(f"{TREE}node")
    return pointed[f"{TREE}view"].value, node.value if node else "", sorted(members)


def inside(version: Any, uri: Any, by_subject: dict[Any, list[Any]]) -> Iterator[Any]:
    """What a version says, where pages have no graphs: its own triples and those of the nameless nodes inside it."""
    import pyoxigraph

    waiting, members = [version], []
    while waiting:
        members.append(waiting.pop())
        inner = [one.object for one in by_subject[members[-1]] if isinstance(one.object, pyoxigraph.BlankNode)]
        waiting += inner
    names = {
        one.subject: one.object for node in members for one in by_subject[node] if one.predicate.value == IS_VERSION_OF
    }
    about = any(one.predicate.value == TOPIC for one in by_subject[version])
    for node in members[1:] if about else members:
        for one in by_subject[node]:
            of_feed = node == version and (
                one.predicate.value.endswith(("#sequence", "#generatedAtTime"))
                or (one.predicate.value == TYPE and one.object.value.startswith(ACTIVITIES))
            )
            if one.predicate.value != IS_VERSION_OF and not of_feed:
                yield pyoxigraph.Quad(names[node], one.predicate, names.get(one.object, one.object))


def main(base: str, path: Path, form: str) -> None:
    state = {"next": "", "position": 0, "records": {}}
    if path.exists():
        state = json.loads(path.read_text())
    url = state["next"] or read(fetched(f"{base}/feed", form), form)[0]
    while True:
        _, onward, members = read(fetched(url, form), form)
        for sequence, activity, record, said in members:
            if sequence <= state["position"]:
                continue
            if activity == "Delete":
                state["records"].pop(record, None)
            else:
                state["records"][record] = said
            state["position"] = sequence
        state["next"] = onward or url
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(state))
        beside.replace(path)
        if not onward:
            return
        url = onward


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else JSON_LD)
