"""Who said something, as a document. In: an agent. Out: JSON-LD. A person who is not credited is a pseudonym."""

from linkeddata import iris, nodes
from linkeddata.nodes import Document
from linkeddata.records import Agent

PSEUDONYM = "A person who has not chosen to be named; the same name stands for the same person wherever it is used."
_MODEL = f"{iris.OWN_URN}model:"


def agent_document(agent: Agent, *, base_url: str) -> Document:
    """Return what is known of an agent; the id is the agent's own (an ORCID, a Q-item) where it is an address.

    >>> doc = agent_document(Agent(id="urn:deboodt:person:0a"), base_url="https://deboodt.example")
    >>> doc["id"], doc["type"], "name" in doc
    ('https://deboodt.example/agents/person%3A0a', 'Person', False)
    """
    base = base_url.rstrip("/")
    kind = agent.kind if agent.kind in ("Organization", "SoftwareAgent") else "Person"
    model, at, version = agent.id.removeprefix(_MODEL).rpartition("@")
    is_model = kind == "SoftwareAgent" and agent.id.startswith(_MODEL) and bool(at)
    return nodes.filled(
        {
            "@context": f"{base}/context.jsonld",
            "id": iris.agent_uri(agent.id, base),
            "type": ["Software", "SoftwareAgent"] if kind == "SoftwareAgent" else kind,
            "identifier": agent.id if agent.id.startswith(iris.OWN_URN) else "",
            "name": agent.name,
            "version": agent.version,
            "homepage": iris.iri_of(agent.homepage),
            "model": iris.model_uri(base, model, version) if is_model else "",
            "comment": PSEUDONYM if kind == "Person" and not agent.name else "",
        }
    )
