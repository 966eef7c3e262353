"""The URI of every kind of record that has one. In: a kind, a key, the base. Out: the address of its document.

Where a thing has a name of its own in the world (a file on Commons, a taxon on Wikidata, a person's ORCID), documents
name it by that; these addresses are where this installation says what it knows of it.
"""

from linkeddata import iris
from linkeddata.records import Agent, Identification, Label, MediaFile, ModelClass, Record, Review, Taxon

PATHS: dict[type[Record], str] = {
    Identification: "identifications",
    Label: "labels",
    Review: "reviews",
    MediaFile: "media",
    Taxon: "taxa",
    Agent: "agents",
}
"""Where the documents of a kind of record are; a model's class is below its model, whose key is ``NAME@VERSION``."""


def uri_of(kind: type[Record], key: str, base: str) -> str:
    """Return the URI of a record's document, ``""`` for an empty key.

    >>> uri_of(ModelClass, "papillotten@1/0", ""), uri_of(Agent, "urn:deboodt:person:0a", "")
    ('/models/papillotten@1/classes/0', '/agents/person%3A0a')
    """
    if not key:
        return ""
    if kind is ModelClass:
        scheme, slash, index = key.rpartition("/") if "/" in key else (key, "", "")
        model, _, version = scheme.rpartition("@")
        return iris.model_uri(base, model, version) + (f"/classes/{index}" if slash else "")
    return iris.uri(base, PATHS[kind], key.removeprefix(iris.OWN_URN) if kind is Agent else key)
