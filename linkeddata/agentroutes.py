"""Who said something, over HTTP. In: the parts of all routes. Out: routes of agents."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from linkeddata import iris
from linkeddata.agents import agent_document
from linkeddata.nodes import Document
from linkeddata.parts import Page, Parts, found, with_pictures
from linkeddata.records import Agent, Identification, Review
from linkeddata.responses import Context, described, respond
from linkeddata.selection import Place, Selection, page_of

SHOWN = 24


def router(parts: Parts) -> APIRouter:
    """Return the routes of agents."""
    api = APIRouter(tags=["documents"])

    @api.get(
        "/agents/{key:path}",
        summary="One agent: a person, an organisation, or software",
        response_class=Response,
        responses=described("Who it is; a person is a pseudonym who has not chosen to be named."),
    )
    def agent(request: Request, key: str, context: Context = "link") -> Response:
        """`key` is what documents call the agent, or the whole id, percent-encoded."""
        record, form = found(parts, Agent, key, "agent", lambda one: (one, iris.OWN_URN + one))
        doc = agent_document(record, base_url=parts.base)
        page = Page("agent.html", lambda: _shown(parts, record, doc))
        return respond(request, parts, doc, page=page, form=form, context=context)

    return api


def _shown(parts: Parts, agent: Agent, doc: Document) -> dict[str, Any]:
    mine = Selection(equals={"agent": agent.id})
    return {
        "agent": agent,
        "doc": doc,
        "rows": with_pictures(parts, parts.store.page(Identification, agent=agent.id, limit=SHOWN))
        if agent.kind != "SoftwareAgent"
        else [],
        "reviews": page_of(parts.store, Review, mine, Place(), SHOWN),
    }
