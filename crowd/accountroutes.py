"""Logging in and out, one's own account, and accounts for an administrator. In: parts, a guard. Out: a router.

Pages are for people and not in OpenAPI; the calls are.
"""

import secrets
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from crowd import accounts, entry
from crowd.accounts import Account
from crowd.guard import PRIVATE, Guard, Visitor, within
from crowd.rights import RIGHTS, ROLES, may
from crowd.wikimedia import WikimediaUser, arrived, leaving, offered
from linkeddata.errors import UsageError
from linkeddata.parts import Parts
from linkeddata.problem import Problem, not_found
from linkeddata.records import Agent
from linkeddata.responses import problems

Word = Annotated[str, Form()]
NEW_FROM_WIKIMEDIA = "viewer"
"""Role of whoever comes from Wikimedia for the first time."""


class AccountOut(BaseModel):
    """An account as an administrator sees it."""

    name: str
    role: str
    branches: list[str]
    created: str
    disabled: str = Field(description="Since when it is closed; empty while it is open.")


class Me(BaseModel):
    """The account that is asking."""

    name: str
    agent: str = Field(description="What stands for this account in public.")
    role: str
    branches: list[str] = Field(description="Of a reviewer: taxa, each with all below it, or `all`.")
    may: list[str] = Field(description="What this account, by this token, may do.")


def router(parts: Parts, guard: Guard) -> APIRouter:
    """Return the routes; the pages among them only where there are pages."""
    api = APIRouter()
    _add_calls(api, guard)
    if parts.pages is not None:
        _add_log_in(api, parts, guard)
        _add_wikimedia(api, guard)
        _add_account(api, parts, guard)
    return api


def _add_calls(api: APIRouter, guard: Guard) -> None:
    @api.get("/me", tags=["accounts"], summary="Who is asking, and what it may do", responses=problems(401))
    def me(request: Request, response: Response) -> Me:
        """By session or by token."""
        visitor = guard.visitor(request)
        person = guard.allowed(visitor, "see")
        response.headers.update(PRIVATE)
        account = visitor.account
        return Me(
            name=account.name if account else "",
            agent=person.agent,
            role=person.role,
            branches=list(person.branches),
            may=[action for action in RIGHTS if may(person, action, person.branches)],
        )

    @api.get("/accounts", tags=["accounts"], summary="All accounts", responses=problems(401, 403))
    def listed(request: Request, response: Response) -> list[AccountOut]:
        """For administrators."""
        guard.person(request, "administer")
        response.headers.update(PRIVATE)
        return [_out(account) for account in accounts.accounts(guard.store)]

    @api.post(
        "/accounts/{name}/disable", tags=["accounts"], summary="Close an account", responses=problems(401, 403, 404)
    )
    def disabled(request: Request, name: str) -> AccountOut:
        """Its sessions end and its tokens are revoked at once; what it said stays. For administrators."""
        guard.changing(request, "administer")
        account = accounts.account_named(guard.store, name)
        if account is None:
            raise not_found("account", name)
        return _out(accounts.disable(guard.store, account, guard.now))


def _out(account: Account) -> AccountOut:
    return AccountOut(
        name=account.name,
        role=account.role,
        branches=list(account.branches),
        created=account.created,
        disabled=account.disabled,
    )


def _add_log_in(api: APIRouter, parts: Parts, guard: Guard) -> None:
    def page(request: Request, following: str, notice: str = "", status: int = 200) -> Response:
        word = guard.short(request, "form") or secrets.token_urlsafe(16)
        data = {
            "form": word,
            "following": following,
            "notice": notice,
            "wikimedia": offered(guard.settings),
            "visitor": guard.visitor(request),
        }
        answer = _shown(parts, "login.html", data, status)
        guard.set_short(answer, "form", word)
        return answer

    @api.get("/login", include_in_schema=False)
    def asked(request: Request, following: Annotated[str, Query(alias="next")] = "/review") -> Response:
        return page(request, within(following))

    @api.post("/login", include_in_schema=False)
    def log_in(
        request: Request,
        form: Word = "",
        name: Word = "",
        password: Word = "",
        following: Annotated[str, Form(alias="next")] = "/review",
    ) -> Response:
        guard.check_origin(request)
        word = guard.short(request, "form")
        if not word or not secrets.compare_digest(word.encode(), form.encode()):
            return page(request, within(following), "The form was too old. Try again.", 403)
        address = request.client.host if request.client else ""
        found = entry.log_in(guard.store, name[:100], password, address, guard.now)
        if found.wait_s:
            minutes = -(-found.wait_s // 60)
            answer = page(request, within(following), f"Too many tries. Wait {minutes} minutes.", 429)
            answer.headers["Retry-After"] = str(found.wait_s)
            return answer
        if found.account is None:
            return page(request, within(following), "There is no such name with this password.", 401)
        return _entered(parts, guard, found.account, within(following))

    @api.post("/logout", include_in_schema=False)
    def log_out(request: Request, form: Word = "") -> Response:
        visitor = guard.visitor(request)
        guard.check_form(request, visitor, form)
        if visitor.session:
            entry.close_session(guard.store, visitor.session)
        answer = _to(parts, "/")
        guard.forget(answer)
        return answer


def _add_wikimedia(api: APIRouter, guard: Guard) -> None:
    @api.get("/login/wikimedia", include_in_schema=False)
    def leave(following: Annotated[str, Query(alias="next")] = "/review") -> Response:
        if not offered(guard.settings):
            raise not_found("page", "/login/wikimedia")
        away = leaving(guard.settings)
        answer = RedirectResponse(away.address, 303, PRIVATE)
        for name, value in (("state", away.state), ("verifier", away.verifier), ("next", quote(within(following)))):
            guard.set_short(answer, name, value)
        return answer

    @api.get("/login/wikimedia/back", include_in_schema=False)
    def back(request: Request) -> Response:
        if not offered(guard.settings):
            raise not_found("page", "/login/wikimedia/back")
        user = arrived(
            guard.settings, request.query_params, guard.short(request, "state"), guard.short(request, "verifier")
        )
        account = _of_wikimedia(guard, user, guard.visitor(request))
        answer = _entered(
            Parts(guard.store, guard.settings), guard, account, within(unquote(guard.short(request, "next")))
        )
        for name in ("state", "verifier", "next"):
            answer.delete_cookie(f"{guard.cookie}-{name}", path="/", secure=guard.secure, httponly=True)
        return answer


def _of_wikimedia(guard: Guard, user: WikimediaUser, visitor: Visitor) -> Account:
    """Return the account of a Wikimedia user: the one it is joined to, the one that is logged in, or a new one."""
    known = accounts.account_of_wikimedia(guard.store, user.id)
    if known is not None:
        if known.disabled:
            raise Problem(403, "Not allowed", "This account is closed.")
        return known
    try:
        if visitor.account is not None:
            return accounts.join_wikimedia(guard.store, visitor.account, user.id)
        return accounts.add_account(guard.store, user.name, NEW_FROM_WIKIMEDIA, guard.now, wikimedia=user.id)
    except UsageError as error:
        detail = f"{error}. If it is yours, log in with its password and join it to Wikimedia on your account's page."
        raise Problem(409, "Name in use", detail) from error


def _add_account(api: APIRouter, parts: Parts, guard: Guard) -> None:
    def entered(request: Request, form: str | None = None) -> Visitor:
        visitor = guard.visitor(request)
        if form is not None:
            guard.check_form(request, visitor, form)
        return visitor

    def page(visitor: Visitor, *, notice: str = "", secret: str = "", status: int = 200) -> Response:
        account = accounts.account_of(guard.store, visitor.account.id) if visitor.account else None
        if account is None or visitor.session is None:
            return _to(parts, f"/login?{urlencode({'next': '/account'})}")
        data = {
            "account": account,
            "agent": guard.store.get(Agent, account.agent) or Agent(id=account.agent),
            "tokens": entry.tokens(guard.store, account),
            "actions": [action for action in RIGHTS if may(account.person(), action, account.branches)],
            "form": visitor.form,
            "notice": notice,
            "secret": secret,
            "wikimedia": offered(guard.settings) and not account.wikimedia,
            "moment": guard.now(),
            "shortest": accounts.SHORTEST_PASSWORD,
        }
        return _shown(parts, "account.html", data, status)

    def tried(visitor: Visitor, done: str, act: Any) -> Response:
        """Do what a form asks, and show the page again with what came of it."""
        if visitor.account is None:
            return page(visitor)
        try:
            secret = act(visitor.account)
        except UsageError as error:
            return page(visitor, notice=f"{str(error)[:1].upper()}{str(error)[1:]}.", status=422)
        return page(visitor, notice=done, secret=secret if isinstance(secret, str) else "")

    @api.get("/account", include_in_schema=False)
    def account(request: Request) -> Response:
        return page(entered(request))

    @api.post("/account/credit", include_in_schema=False)
    def credit(request: Request, form: Word = "", name: Word = "", homepage: Word = "") -> Response:
        def act(account: Account) -> None:
            accounts.set_credit(guard.store, account, guard.now, name=name, homepage=homepage)

        said = "You are credited as you chose." if name or homepage else "You are a pseudonym again."
        return tried(entered(request, form), said, act)

    @api.post("/account/password", include_in_schema=False)
    def password(request: Request, form: Word = "", old: Word = "", new: Word = "") -> Response:
        visitor = entered(request, form)
        if visitor.account is None:
            return page(visitor)
        try:
            changed = entry.change_password(guard.store, visitor.account, old, new)
        except UsageError as error:
            return page(visitor, notice=f"{str(error)[:1].upper()}{str(error)[1:]}.", status=422)
        return _entered(parts, guard, changed, "/account")

    @api.post("/account/tokens", include_in_schema=False)
    def token(
        request: Request,
        scopes: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
        form: Word = "",
        label: Word = "",
        days: Annotated[int, Form()] = 90,
    ) -> Response:
        def act(account: Account) -> str:
            return entry.add_token(guard.store, account, guard.now, label=label, scopes=scopes, days=days)[0]

        return tried(entered(request, form), "Copy the token now: it is not shown again.", act)

    @api.post("/account/tokens/{key}/revoke", include_in_schema=False)
    def revoke(request: Request, key: str, form: Word = "") -> Response:
        def act(account: Account) -> None:
            entry.revoke_token(guard.store, account, key, guard.now)

        return tried(entered(request, form), "The token is revoked.", act)

    @api.post("/account/sessions/close", include_in_schema=False)
    def close(request: Request, form: Word = "") -> Response:
        visitor = entered(request, form)
        ended = entry.close_other_sessions(guard.store, visitor.session) if visitor.session else 0
        return page(visitor, notice=f"{ended} other sessions are ended.")


def _entered(parts: Parts, guard: Guard, account: Account, following: str) -> Response:
    secret, _ = entry.open_session(guard.store, account, guard.now)
    answer = _to(parts, following)
    guard.keep(answer, secret)
    return answer


def _shown(parts: Parts, name: str, data: dict[str, Any], status: int = 200) -> Response:
    if parts.pages is None:
        raise Problem(406, "Not acceptable", "There are no pages here.")
    return HTMLResponse(parts.pages(name, {"roles": ROLES, **data}), status, PRIVATE)


def _to(parts: Parts, path: str) -> Response:
    return RedirectResponse(urlsplit(parts.base).path + path, 303, PRIVATE)
