"""The pages for reviewers, by keyboard alone and without a script, too. In: parts, a guard. Out: a router.

``/review`` hands out what matters most and leads to its page; a verdict is a form of that page, and leads to the next.
"""

import secrets
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from crowd import reviewing, reviewqueue
from crowd.guard import PRIVATE, Guard, Visitor
from crowd.plate import Plate, plate
from crowd.reviewmodels import Filter, VerdictIn
from crowd.reviewqueue import Entry
from crowd.reviewroutes import asked_of, cursor_of, said_of
from crowd.rights import may
from crowd.taxonsearch import TaxonSearch
from crowd.verdicts import ACCEPT, CANNOT_TELL, COMMENT, CORRECT, REJECT, UNFIT, WRONG_REGION
from linkeddata.parts import Parts, picture
from linkeddata.problem import Problem
from linkeddata.records import Agent, CampaignFile, MediaFile, Review, Taxon

Word = Annotated[str, Form()]
OTHER = "other"
LARGE_PX = 1920
SMALL_PX = 250
KEYS = {REJECT: "r", CANNOT_TELL: "c", UNFIT: "u", WRONG_REGION: "w", OTHER: "o", COMMENT: "m"}
"""The key of each choice that is no candidate."""
WORDS = {
    REJECT: "No, it is not",
    OTHER: "Another taxon",
    CANNOT_TELL: "I cannot tell",
    UNFIT: "The image is unfit",
    WRONG_REGION: "The region is wrong",
    COMMENT: "Only a comment",
}


class Shown(Filter):
    """What a page is asked for: of the queue, and the verdict that was just given or taken back."""

    done: str = ""


def router(parts: Parts, guard: Guard, search: TaxonSearch) -> APIRouter:
    """Return the routes of the pages; none where there are no pages."""
    api = APIRouter(include_in_schema=False)
    if parts.pages is None:
        return api
    desk = _Desk(parts, guard, search)

    @api.get("/review")
    def begin(request: Request, asked: Annotated[Shown, Query()]) -> Response:
        return desk.begin(request, asked, asked.done)

    @api.get("/review/item/{target:path}")
    def item(request: Request, target: str, asked: Annotated[Shown, Query()]) -> Response:
        return desk.item(request, target, asked, asked.done)

    @api.post("/review/item/{target:path}")
    def judged(
        request: Request,
        target: str,
        asked: Annotated[Filter, Query()],
        form: Word = "",
        choice: Word = "",
        other: Word = "",
        comment: Word = "",
        key: Word = "",
        seen: Word = "",
        decides: Word = "",
    ) -> Response:
        return desk.judged(request, target, asked, Given(form, choice, other, comment, key, seen, bool(decides)))

    @api.post("/review/undo/{key}")
    def undone(request: Request, key: str, asked: Annotated[Filter, Query()], form: Word = "") -> Response:
        return desk.undone(request, key, asked, form)

    return api


@dataclass(frozen=True, slots=True)
class Given:
    """What the form of a plate says."""

    form: str
    choice: str
    other: str
    comment: str
    key: str
    seen: str
    decides: bool


class _Desk:
    """A reviewer's desk."""

    def __init__(self, parts: Parts, guard: Guard, search: TaxonSearch) -> None:
        self._parts = parts
        self._guard = guard
        self._search = search
        self._store = parts.store

    def begin(self, request: Request, asked: Filter, done: str) -> Response:
        """Lead to what matters most, or say that there is nothing."""
        visitor = self._guard.visitor(request)
        if visitor.person is None:
            return self._log_in(request)
        person = self._guard.allowed(visitor, "see")
        found: Entry | None = None
        if may(person, "review", person.branches):
            found = reviewqueue.hand_out(self._store, person, asked_of(self._store, asked), self._guard.now)
        if found is not None:
            return self._to(f"/review/item/{quote(found.target, safe='')}", asked, done)
        following = reviewqueue.page(self._store, person, asked_of(self._store, asked), 50)
        return self._shown("reviewed.html", {**self._around(visitor, asked, done), "following": following})

    def item(self, request: Request, target: str, asked: Filter, done: str) -> Response:
        """Show one plate."""
        visitor = self._guard.visitor(request)
        if visitor.person is None:
            return self._log_in(request)
        self._guard.allowed(visitor, "see")
        return self._plate(visitor, target, asked, done)

    def judged(self, request: Request, target: str, asked: Filter, given: Given) -> Response:
        """Write a verdict and go on; where that cannot be, show the plate again and say why."""
        visitor = self._guard.visitor(request)
        if visitor.person is None:
            return self._log_in(request)
        self._guard.check_form(request, visitor, given.form)
        try:
            person = self._guard.allowed(visitor, "comment" if given.choice == COMMENT else "review")
            verdict = _verdict(target, given)
            review = reviewing.say(
                self._store, person, said_of(verdict, self._search, person, self._guard), self._guard.now
            )
        except Problem as problem:
            if problem.status_code == 404:
                raise
            notice = f"{problem.title}. {problem.detail}"
            return self._plate(visitor, target, asked, "", notice, problem.status_code, given)
        return self._to("/review", asked, review.id)

    def undone(self, request: Request, key: str, asked: Filter, form: str) -> Response:
        """Take a verdict back, and show its plate again."""
        visitor = self._guard.visitor(request)
        if visitor.person is None:
            return self._log_in(request)
        self._guard.check_form(request, visitor, form)
        person = self._guard.allowed(visitor, "comment")
        review = reviewing.undo(self._store, person, key, self._guard.now)
        return self._to(f"/review/item/{quote(review.target, safe='')}", asked, review.id)

    def _plate(
        self,
        visitor: Visitor,
        target: str,
        asked: Filter,
        done: str,
        notice: str = "",
        status: int = 200,
        given: Given | None = None,
    ) -> Response:
        shown = plate(self._store, target)
        entry = reviewqueue.entry_of(self._store, target)
        person = self._guard.allowed(visitor, "see")
        judges = may(person, "review", person.branches)
        # Whoever only looks keeps nothing from those who judge.
        others = judges and reviewqueue.opened(self._store, person, target, self._guard.now)
        taken = others and (entry is None or entry.wanted < 2)
        data = {
            **self._around(visitor, asked, done),
            "plate": shown,
            "entry": entry,
            "taken": taken,
            "picture": picture(self._parts, shown.media, LARGE_PX),
            "references": {
                media.iri: picture(self._parts, media, SMALL_PX)
                for candidate in shown.candidates
                for media in candidate.references
            },
            "choices": _choices(shown),
            "agents": {
                one.agent: self._store.get(Agent, one.agent) for one in (*shown.standing.reviews, *shown.comments)
            },
            "decides": may(person, "decide") and shown.standing.state == "disputed",
            "judges": judges,
            "skip": self._address("/review", _after(asked, entry)),
            "notice": notice,
            "given": given,
            # A form that comes back with what was wrong keeps its key: pressed twice, it is one verdict.
            "key": given.key if given and given.key else secrets.token_urlsafe(12),
        }
        return self._shown("reviewing.html", data, status)

    def _around(self, visitor: Visitor, asked: Filter, done: str) -> dict[str, Any]:
        person = self._guard.allowed(visitor, "see")
        review = self._store.get(Review, done) if done else None
        own = review if review is not None and review.agent == person.agent else None
        return {
            "form": visitor.form,
            "account": visitor.account,
            "asked": asked,
            "query": _query(asked),
            "done": own,
            "done_words": self._words(own) if own else "",
            "open": reviewqueue.count(self._store, person, asked_of(self._store, replace_cursor(asked))),
            "campaigns": sorted(self._store.distinct(CampaignFile, "campaign")),
            "institutions": sorted(self._store.distinct(MediaFile, "institution") - {""}),
        }

    def _words(self, review: Review) -> str:
        """Return what a verdict said, for the one who gave it."""
        concept = review.correction if review.verdict == CORRECT else review.concept
        known = self._store.among(Taxon, "concept", [concept]) if concept else []
        name = known[0].name if known else concept
        words = {
            ACCEPT: f"accepted as {name}",
            CORRECT: f"corrected to {name}",
            REJECT: f"not {name}",
            COMMENT: "a comment",
        }
        return words.get(review.verdict, review.verdict)

    def _shown(self, name: str, data: dict[str, Any], status: int = 200) -> Response:
        assert self._parts.pages is not None  # noqa: S101 - without pages there are no routes to here
        return HTMLResponse(self._parts.pages(name, data), status, PRIVATE)

    def _log_in(self, request: Request) -> Response:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if request.method != "GET":
            here = "/review"
        root = urlsplit(self._parts.base).path
        return RedirectResponse(f"{root}/login?{urlencode({'next': here.removeprefix(root)})}", 303, PRIVATE)

    def _to(self, path: str, asked: Filter, done: str) -> Response:
        return RedirectResponse(self._address(path, asked, done), 303, PRIVATE)

    def _address(self, path: str, asked: Filter, done: str = "") -> str:
        query = _query(asked) + (f"&done={quote(done)}" if done else "")
        return f"{urlsplit(self._parts.base).path}{path}?{query.lstrip('&')}".rstrip("?")


def _query(asked: Filter) -> str:
    return urlencode({name: value for name, value in asked.model_dump(exclude={"done"}).items() if value})


def replace_cursor(asked: Filter, cursor: str = "") -> Filter:
    """Return the same filter, beginning elsewhere."""
    return asked.model_copy(update={"cursor": cursor})


def _after(asked: Filter, entry: Entry | None) -> Filter:
    """Return the filter behind an entry, for who passes it over."""
    return replace_cursor(asked, cursor_of(entry)) if entry else asked


def _choices(shown: Plate) -> list[tuple[str, str, str]]:
    """Return the choices that are no candidates: value, key, words."""
    region = [WRONG_REGION] if shown.target.kind == "region" else []
    kinds = [*([REJECT] if shown.target.concept else []), CANNOT_TELL, UNFIT, *region, COMMENT, OTHER]
    return [(kind, KEYS[kind], WORDS[kind]) for kind in kinds]


def _verdict(target: str, given: Given) -> VerdictIn:
    """Return what a form says as a verdict. Raises ``Problem`` 422 for a choice that there is not."""
    kind, _, concept = given.choice.partition(":")
    verdict, correction = given.choice, ""
    if kind == CORRECT:
        verdict, correction = CORRECT, concept
    elif given.choice == OTHER:
        verdict, correction = CORRECT, _chosen(given.other)
        if not correction:
            raise Problem(422, "Which taxon?", "Type a name and choose from the list.")
    if verdict not in (ACCEPT, CORRECT, REJECT, CANNOT_TELL, UNFIT, WRONG_REGION, COMMENT):
        raise Problem(422, "Nothing chosen", "Choose a candidate or another answer first.")
    if not given.key:
        raise Problem(422, "No key", "Open the page again.")
    return VerdictIn(
        target=target,
        verdict=verdict,  # type: ignore[arg-type]
        key=given.key[: reviewing.LONGEST_KEY],
        seen=given.seen,
        correction=correction,
        comment=given.comment[: reviewing.LONGEST_COMMENT],
        decides=given.decides,
    )


def _chosen(text: str) -> str:
    """Return the concept that a suggestion ends with, in brackets, or the text itself.

    >>> _chosen("Vanessa cardui [Q158603]"), _chosen(" Vanessa cardui ")
    ('Q158603', 'Vanessa cardui')
    """
    said = text.strip()
    return said[said.rindex("[") + 1 : -1] if said.endswith("]") and "[" in said else said
