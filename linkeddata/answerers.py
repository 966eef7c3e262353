"""Who or what answered. In: an identification and its agent. Out: nodes of software, persons, organisations."""

import re
from functools import lru_cache

from linkeddata.iris import agent_uri, iri_of, model_uri
from linkeddata.nodes import Document, filled
from linkeddata.records import Agent, Identification
from linkeddata.settings import VERSION

_DIGEST = re.compile(r"[0-9a-f]{64}")


def creator_of(identification: Identification, agent: Agent | None, base: str) -> Document:
    """Return the node of who or what answered, which is the caller's to change."""
    said = (identification.model, identification.version, identification.weights)
    return dict(_answering(said, identification.agent, agent, base))


@lru_cache(1024)
def _answering(said: tuple[str, str, str], agent_id: str, agent: Agent | None, base: str) -> Document:
    """Return who or what answered: the agent, or the model, version and weights that are said."""
    name, version, weights = said
    model = model_uri(base, name, version) if name else ""
    if agent is not None and agent.kind != "SoftwareAgent":
        return filled({"id": agent_uri(agent.id, base), "type": _agent_type(agent), "name": agent.name})
    own = agent_uri(agent.id if agent else agent_id, base) or model
    if not own:
        return {}
    return filled(
        {
            "id": own,
            "type": ["Software", "SoftwareAgent"] if agent or model else "",
            "name": (agent.name if agent else "") or name,
            "version": (agent.version if agent else "") or version,
            "homepage": iri_of(agent.homepage) if agent else "",
            "model": model if model != own else "",
            "weights": weights_of(weights),
        }
    )


def _agent_type(agent: Agent) -> str:
    return agent.kind if agent.kind in ("Person", "Organization") else ""


def identified_by(identification: Identification, agent: Agent | None) -> str:
    """Return who or what answered as a text, ``""`` where nobody is named."""
    if agent is not None and agent.kind != "SoftwareAgent":
        return agent.name
    name = (agent.name if agent else "") or identification.model
    version = (agent.version if agent else "") or identification.version
    return f"{name} {version}".strip() if name else ""


def generator(base: str) -> Document:
    """Return the node of the software that writes the documents."""
    return {"id": f"{base}/#software", "type": "Software", "name": "De Boodt", "version": VERSION}


def weights_of(digest: str) -> str:
    """Return what a model's weights are known by: their SHA-256 where that is what is given."""
    return f"sha256:{digest}" if _DIGEST.fullmatch(digest) else digest
