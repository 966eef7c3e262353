"""Descriptions against SHACL shapes that somebody hands in. In: shapes and data, both Turtle. Out: findings.

A shape may announce what a later version will demand (``nde:futureChange``): that is applied, so that what is a warning
today and a violation tomorrow is found today. Needs pyshacl: ``pip install 'deboodt[check]'``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from linkeddata.errors import UsageError
from linkeddata.preflight.findings import FAULT, NOTE, Finding

if TYPE_CHECKING:
    from rdflib import Graph

NDE = "https://def.nde.nl#"
SH = "http://www.w3.org/ns/shacl#"


def read_shapes(path: Path) -> "Graph":
    """Return the shapes in a Turtle file, with what they announce applied. Raises ``UsageError``."""
    try:
        import pyshacl  # noqa: F401 - said here, before anything is asked of anybody
        from rdflib import Graph
    except ImportError as error:
        raise UsageError("shapes need pyshacl: pip install 'deboodt[check]'") from error
    try:
        return testable(with_announced(Graph().parse(path, format="turtle")))
    except Exception as error:  # rdflib's parsers raise what they like
        raise UsageError(f"{path}: no shapes in Turtle: {error}") from error


def with_announced(shapes: "Graph") -> "Graph":
    """Return the shapes as they will be once every change that they announce has come."""
    from rdflib import URIRef

    for shape, change in list(shapes.subject_objects(URIRef(f"{NDE}futureChange"))):
        for predicate, value in list(shapes.predicate_objects(change)):
            if predicate != URIRef(f"{NDE}version"):
                shapes.remove((shape, predicate, None))
                shapes.add((shape, predicate, value))
    return shapes


def testable(shapes: "Graph") -> "Graph":
    """Return the shapes as pyshacl takes them.

    Constraints that ask the network have no validator, and a property without a path is a node's shape: NDE's
    validator, another one, knows what is meant.
    """
    from rdflib import RDF, URIRef

    ways = [URIRef(f"{SH}{name}") for name in ("validator", "nodeValidator", "propertyValidator")]
    for component in list(shapes.subjects(RDF.type, URIRef(f"{SH}ConstraintComponent"))):
        if not any((component, way, None) in shapes for way in ways):
            shapes.remove((component, None, None))
    for shape, part in list(shapes.subject_objects(URIRef(f"{SH}property"))):
        if (part, URIRef(f"{SH}path"), None) not in shapes:
            shapes.remove((shape, URIRef(f"{SH}property"), part))
            shapes.add((shape, URIRef(f"{SH}node"), part))
    return shapes


def against(shapes: "Graph", data: bytes) -> Iterator[Finding]:
    """Yield what the shapes say against descriptions in N-Triples. Their recommendations (``sh:Info``) are notes."""
    import pyshacl
    from rdflib import Graph, URIRef

    conforms, results, _ = pyshacl.validate(
        Graph().parse(data=data, format="nt"), shacl_graph=shapes, advanced=False, inference="none"
    )
    if conforms or not isinstance(results, Graph):
        return
    for result in results.subjects(predicate=URIRef(f"{SH}focusNode")):
        told = {str(name).removeprefix(SH): value for name, value in results.predicate_objects(result)}
        messages = sorted(
            results.objects(result, URIRef(f"{SH}resultMessage")), key=lambda one: getattr(one, "language", "") != "en"
        )
        level = NOTE if str(told.get("resultSeverity", "")) == f"{SH}Info" else FAULT
        at = f"{told.get('resultPath', '')} {told.get('value', '')}".strip()
        yield Finding(
            "shapes", str(told["focusNode"]), f"{at}: {next(map(str, messages), 'does not conform')}", level=level
        )
