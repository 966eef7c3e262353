"""Review over HTTP: the queue, verdicts, undoing them, taxa to choose from, what is accepted. Out: a router."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Path, Query, Request, Response

from crowd import reviewing, reviewqueue
from crowd.guard import PRIVATE, Guard
from crowd.plate import plate
from crowd.reviewing import Said
from crowd.reviewmodels import (
    AcceptedOut,
    CandidateOut,
    EntryOut,
    Filter,
    HandedOut,
    Listed,
    QueueOut,
    ReasonOut,
    ReviewOut,
    SuggestionOut,
    VerdictIn,
)
from crowd.reviewqueue import Asked, Entry
from crowd.rights import Person
from crowd.taxonsearch import TaxonSearch
from linkeddata.collections import names_of
from linkeddata.problem import Problem
from linkeddata.records import Review
from linkeddata.responses import problems
from linkeddata.store import Store


def router(guard: Guard, search: TaxonSearch) -> APIRouter:
    """Return the routes of the calls; pages are in ``reviewpages``."""
    api = APIRouter(tags=["review"])
    _add_queue(api, guard)
    _add_verdicts(api, guard, search)

    @api.get("/review/taxa", summary="Taxa whose names begin so", responses=problems(401, 403))
    def taxa(
        request: Request,
        response: Response,
        q: Annotated[str, Query(description="What was typed: Latin, Dutch or English.", max_length=100)],
        limit: Annotated[int, Query(ge=1, le=50)] = 10,
    ) -> list[SuggestionOut]:
        """To choose from while typing."""
        guard.person(request, "see")
        response.headers.update(PRIVATE)
        return [SuggestionOut.model_validate(one, from_attributes=True) for one in search.suggestions(q, limit)]

    @api.get("/review/accepted", summary="What people accept of a file now", responses=problems(422))
    def accepted(file: Annotated[str, Query(description="The file's IRI.")]) -> list[AcceptedOut]:
        """By whom, since when, by which reviews. Open to everybody, as the reviews are."""
        found = reviewing.accepted_of(guard.store, [file]).get(file, [])
        return [AcceptedOut.model_validate(one, from_attributes=True) for one in found]

    return api


def _add_queue(api: APIRouter, guard: Guard) -> None:
    store = guard.store

    @api.get("/review/queue", summary="What is open, the weightiest first", responses=problems(401, 403, 422))
    def queue(request: Request, response: Response, asked: Annotated[Listed, Query()]) -> QueueOut:
        """What this account may judge and has not judged. Each entry says why it is where it is."""
        person = guard.person(request, "see")
        response.headers.update(PRIVATE)
        found = reviewqueue.page(store, person, asked_of(store, asked), asked.limit + 1)
        more = len(found) > asked.limit
        shown = found[: asked.limit]
        return QueueOut(items=[_entry(one) for one in shown], next=cursor_of(shown[-1]) if more else "")

    @api.post(
        "/review/next",
        summary="Take the weightiest that nobody else has open",
        responses={204: {"description": "There is nothing open for this account."}, **problems(401, 403, 422)},
        response_model=HandedOut,
    )
    def handed_out(request: Request, response: Response, asked: Filter | None = None) -> Any:
        """It is kept from others for ten minutes, unless two reviewers are asked for."""
        person = guard.changing(request, "review")
        response.headers.update(PRIVATE)
        found = reviewqueue.hand_out(store, person, asked_of(store, asked or Filter.model_validate({})), guard.now)
        if found is None:
            return Response(status_code=204, headers=PRIVATE)
        shown = plate(store, found.target)
        candidates = [
            CandidateOut(
                concept=one.concept,
                name=one.name,
                rank=one.rank,
                said=[said.words for said in one.said],
                references=[media.iri for media in one.references],
            )
            for one in shown.candidates
        ]
        return HandedOut(**_entry(found).model_dump(), seen=shown.seen, candidates=candidates)


def _add_verdicts(api: APIRouter, guard: Guard, search: TaxonSearch) -> None:
    @api.post(
        "/review/verdicts",
        summary="Give a verdict",
        status_code=201,
        responses={200: {"description": "This key's verdict was written before."}, **problems(401, 403, 404, 409, 422)},
    )
    def given(
        request: Request,
        response: Response,
        verdict: VerdictIn,
        if_match: Annotated[str, Header(description="The same as `seen`; then a change is answered with 412.")] = "",
    ) -> ReviewOut:
        """All that follows from it is written with it: label, identification, training example, exports.

        A `key` that was sent before is answered with the verdict that it stands for (200). Where the target is no
        longer what was `seen`, nothing is written (409).
        """
        visitor = guard.visitor(request)
        person = guard.allowed(visitor, "comment" if verdict.verdict == "comment" else "review")
        guard.check_form(request, visitor, request.headers.get("x-form-token", ""))
        said = said_of(verdict, search, person, guard, if_match.strip().strip('"'))
        if guard.store.get(Review, reviewing.id_of(person, said.key)) is not None:
            response.status_code = 200
        try:
            review = reviewing.say(guard.store, person, said, guard.now)
        except Problem as problem:
            if problem.status_code == 409 and if_match and problem.title == "Changed meanwhile":
                raise Problem(412, problem.title, problem.detail) from problem
            raise
        return out(review)

    @api.post("/review/verdicts/{key}/undo", summary="Take a verdict back", responses=problems(401, 403, 404))
    def undone(request: Request, key: Annotated[str, Path(description="The review's id.")]) -> ReviewOut:
        """And all that followed from it. Twice is once. Curators may take back what others said."""
        return out(reviewing.undo(guard.store, guard.changing(request, "comment"), key, guard.now))


def said_of(verdict: VerdictIn, search: TaxonSearch, person: Person, guard: Guard, if_match: str = "") -> Said:
    """Return a verdict with its correction as a concept. Raises ``Problem`` 422 for a name that is of no one taxon."""
    correction = verdict.correction.strip()
    if correction:
        correction = search.chosen(correction, agent=person.agent, moment=guard.now())
        if not correction:
            detail = (
                f"{verdict.correction!r} is no taxon that is known here, or the name of several; choose from the list."
            )
            raise Problem(422, "Which taxon?", detail)
    return Said(
        target=verdict.target,
        verdict=verdict.verdict,
        key=verdict.key,
        seen=if_match or verdict.seen,
        correction=correction,
        comment=verdict.comment,
        decides=verdict.decides,
    )


def asked_of(store: Store, given: Filter) -> Asked:
    """Return what is asked of the queue. Raises ``Problem`` 422 for a taxon or a cursor that is none."""
    return Asked(
        campaign=given.campaign,
        institution=given.collection,
        taxon=names_of(store, given.taxon) if given.taxon else (),
        kind=given.kind,
        after=place_of(given.cursor) if given.cursor else None,
    )


def cursor_of(entry: Entry) -> str:
    """Return where a page behind this entry begins, as an opaque word."""
    return urlsafe_b64encode(orjson.dumps(entry.place)).decode().rstrip("=")


def place_of(cursor: str) -> tuple[float, str]:
    """Return the place that a cursor stands for. Raises ``Problem`` 422."""
    try:
        match orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))):
            case [float() | int() as place, str() as target]:
                return float(place), target
    except ValueError:
        pass
    raise Problem(422, "No such page", f"{cursor!r} is no cursor; take one from next.")


def out(review: Review) -> ReviewOut:
    """Return a review as it is said."""
    return ReviewOut.model_validate(review, from_attributes=True)


def _entry(entry: Entry) -> EntryOut:
    return EntryOut(
        target=entry.target,
        kind=entry.kind,
        file=entry.file,
        campaign=entry.campaign,
        concept=entry.concept,
        score=round(entry.score, 3),
        reasons=_reasons(entry.reasons),
        reviewers=entry.wanted,
        disputed=entry.disputed,
    )


def _reasons(reasons: Sequence[Any]) -> list[ReasonOut]:
    return [ReasonOut(points=one.points, words=one.words) for one in reasons]
