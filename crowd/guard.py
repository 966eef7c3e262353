"""Who is asking over HTTP, and whether a form is ours. In: a request. Out: a ``Visitor``, or a ``Problem`` 401 or 403.

A session is a cookie that scripts cannot read and other sites cannot send with a form (``HttpOnly``, ``SameSite=Lax``,
``Secure`` where we are reached by https). Whatever changes something and comes with the cookie also brings the
session's own word along, in a form's field ``form`` or the header ``X-Form-Token``, and must not come from another
origin. A token comes as ``Authorization: Bearer``; other sites cannot make a browser send that.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from crowd.accounts import Account, Now
from crowd.entry import SESSION_HOURS, Session, account_of_token, session_of
from crowd.rights import Person, may
from linkeddata.problem import Problem
from linkeddata.settings import Settings
from linkeddata.store import Store

FORM_HEADER = "X-Form-Token"
FORM_MINUTES = 60
PRIVATE = {"Cache-Control": "no-store, no-transform"}
"""Headers of what is one person's. It is never compressed: what an address brings into a page that holds a form's word
would change its length, and whoever sees lengths could guess the word (BREACH)."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever is asking; without an account nobody we know."""

    account: Account | None = None
    session: Session | None = None
    scopes: frozenset[str] | None = None

    @property
    def person(self) -> Person | None:
        """What may be asked of ``rights``."""
        return self.account.person(self.scopes) if self.account else None

    @property
    def form(self) -> str:
        """What each form of the session brings along."""
        return self.session.form if self.session else ""


@dataclass(frozen=True, slots=True)
class Guard:
    """Looks at requests."""

    store: Store
    settings: Settings
    now: Now

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https."""
        return self.settings.base_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; with its prefix, browsers hold it to this host and to https."""
        return "__Host-deboodt" if self.secure else "deboodt"

    def visitor(self, request: Request) -> Visitor:
        """Return who is asking. Raises ``Problem`` 401 for a token that is none, or no longer."""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            found = account_of_token(self.store, secret.strip(), self.now)
            if found is None:
                raise _unknown("This token is not, or no longer, good for anything.")
            return Visitor(found[0], None, found[1])
        session = session_of(self.store, request.cookies.get(self.cookie, ""), self.now)
        return Visitor(session.account, session) if session else Visitor()

    def person(self, request: Request, action: str) -> Person:
        """Return who is asking, if he or she may do this at all. Raises ``Problem`` 401 or 403."""
        return self.allowed(self.visitor(request), action)

    def allowed(self, visitor: Visitor, action: str) -> Person:
        """Return the visitor as a person who may do this at all. Raises ``Problem`` 401 or 403."""
        if visitor.person is None:
            raise _unknown("Log in, or send a token as Authorization: Bearer.")
        # Where a reviewer may judge is told by the target's lineage; here, whether anywhere.
        if not may(visitor.person, action, visitor.person.branches):
            raise Problem(403, "Not allowed", f"This account, or this token, is not good for: {action}.")
        return visitor.person

    def changing(self, request: Request, action: str) -> Person:
        """Return who asks for a change by an API call. Raises ``Problem`` 401 or 403."""
        visitor = self.visitor(request)
        person = self.allowed(visitor, action)
        self.check_form(request, visitor, request.headers.get(FORM_HEADER, ""))
        return person

    def check_form(self, request: Request, visitor: Visitor, word: str) -> None:
        """Raise ``Problem`` 403 unless a change comes from a page of ours, or with a token."""
        if visitor.session is None and visitor.account is not None:
            return
        self.check_origin(request)
        if visitor.session is None or not secrets.compare_digest(word.encode(), visitor.session.form.encode()):
            raise Problem(403, "Form refused", "This form is not of your session; open the page again.")

    def check_origin(self, request: Request) -> None:
        """Raise ``Problem`` 403 for what a page of another site sends."""
        origin = request.headers.get("origin", "")
        ours = {_origin(self.settings.base_url), f"{request.url.scheme}://{request.url.netloc}"}
        if origin and origin not in ours:
            raise Problem(403, "Form refused", "It comes from another site.")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Problem(403, "Form refused", "It comes from another site.")

    def keep(self, response: Response, secret: str) -> None:
        """Give the browser its session."""
        response.set_cookie(
            self.cookie,
            secret,
            max_age=SESSION_HOURS * 3600,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def forget(self, response: Response) -> None:
        """Take the session from the browser."""
        response.delete_cookie(self.cookie, path="/", secure=self.secure, httponly=True, samesite="lax")

    def set_short(self, response: Response, name: str, value: str) -> None:
        """Give the browser a word to bring back within the hour, before there is a session."""
        response.set_cookie(
            f"{self.cookie}-{name}",
            value,
            max_age=FORM_MINUTES * 60,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def short(self, request: Request, name: str) -> str:
        """Return such a word, ``""`` where there is none."""
        return request.cookies.get(f"{self.cookie}-{name}", "")


def within(path: str, allowed: Collection[str] = ("/review", "/account")) -> str:
    """Return a path of ours to go on to, whatever was asked: never another site.

    >>> within("/review?campaign=albums"), within("https://evil.example/"), within("//evil.example/review")
    ('/review?campaign=albums', '/review', '/review')
    """
    parts = urlsplit(path)
    fine = not parts.scheme and not parts.netloc and "\\" not in path and parts.path.startswith(tuple(allowed))
    return path if fine and path.isprintable() else "/review"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _unknown(detail: str) -> Problem:
    return Problem(401, "Who are you?", detail, {"WWW-Authenticate": 'Bearer realm="De Boodt"'})
