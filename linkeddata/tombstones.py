"""Tombstones over HTTP: what a URI answers whose record no longer stands. In: ``Gone``. Out: a document, status 410.

A tombstone comes in every form that documents have, with a page for people; a reader who takes none of them gets a
problem document.
"""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from linkeddata.contexts import ContextForm
from linkeddata.parts import Gone, Page, Parts
from linkeddata.problem import Problem, problem_response
from linkeddata.responses import respond
from linkeddata.uris import uri_of
from linkeddata.withdrawals import tombstone_document


def add_tombstones(app: FastAPI, parts: Parts) -> None:
    """Let ``app`` answer ``Gone`` with its tombstone."""

    @app.exception_handler(Gone)
    async def gone(request: Request, error: Gone) -> Response:
        return tombstone_response(request, parts, error)


def tombstone_response(request: Request, parts: Parts, error: Gone) -> Response:
    """Return the tombstone in the form that was asked for."""
    tombstone = error.tombstone
    uri = uri_of(tombstone.kind, tombstone.key, parts.base)
    successor = uri_of(tombstone.kind, tombstone.successor, parts.base)
    doc = tombstone_document(tombstone, uri, successor, parts.base)
    context: ContextForm = "inline" if request.query_params.get("context") == "inline" else "link"
    page = Page("tombstone.html", lambda: {"doc": doc, "uri": uri})
    try:
        answer = respond(request, parts, doc, page=page, form=error.form, context=context)
    except Problem as problem:
        if problem.status_code != 406:
            raise
        return problem_response(410, "Gone", doc["comment"], instance=request.url.path)
    if answer.status_code == 200:
        answer.status_code = 410
    if successor:
        links = [answer.headers.get("link", ""), f'<{successor}>; rel="successor-version"']
        answer.headers["Link"] = ", ".join(filter(None, links))
    return answer
