"""Editing: users, log-in, tokens, and who may save. In: requests to ``api.php``. Out: replies, and another World.

Who is logged in is told by a cookie or by an ``Authorization: OAuth`` header, as at Wikimedia. An edit on an older
revision is merged, unless it touches what changed since; one that changes nothing makes no revision.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie

from harvest.standin import mediawiki, wikibase
from harvest.standin.exchange import Reply, Request
from harvest.standin.mediawiki import Action, ApiError, Params, Wiki, modern, values
from harvest.standin.saving import CHANGES, Change, based_on, by_id, media_named
from harvest.standin.world import Entity, Json, Revision, World

COOKIE = "standinSession"
MOMENT = "2026-11-27T12:00:00Z"
"""When all edits are made: the stand-in has no clock."""
NO_ONE = "+\\"
"""The token of who is not logged in."""


@dataclass(slots=True, kw_only=True)
class User:
    """One account of the wiki."""

    name: str
    password: str = ""
    bot_passwords: Mapping[str, str] = field(default_factory=dict)
    """Password by suffix, of who logs in as ``Name@suffix``."""
    oauth: str = ""
    """Access token of an owner-only consumer."""
    has_message: bool = False
    blocked: str = ""
    """Reason of the block; empty: none."""


@dataclass(slots=True)
class _Session:
    user: str = ""
    login_token: str = field(default_factory=lambda: secrets.token_hex(16) + NO_ONE)
    csrf_token: str = field(default_factory=lambda: secrets.token_hex(16) + NO_ONE)


class Editing:
    """Users, their sessions, and what their edits make of the World. ``serve`` takes the World that an edit leaves."""

    def __init__(self, current: Callable[[], Wiki], serve: Callable[[World], None]) -> None:
        self.users: dict[str, User] = {}
        self.meanwhile: list[Callable[[str], None]] = []
        """What others do, with the M-id: one for each edit, just before it is saved."""
        self.refusing: dict[str, tuple[str, str]] = {}
        """M-id → the code and the words with which its edits are refused: its page is protected, a filter objects."""
        self._current = current
        self._serve = serve
        self._sessions: dict[str, _Session] = {}
        self._by_oauth: dict[str, _Session] = {}
        self._lock = threading.RLock()

    def add(self, user: User) -> User:
        """Make an account, and return it."""
        self.users[user.name] = user
        return user

    def answer(self, request: Request, actions: Mapping[str, Action]) -> Reply:
        """Answer ``api.php`` for who asks, who may be logged in."""
        with self._lock:
            key, session = self._session(request)
            own: dict[str, Action] = {
                "login": lambda _, params: self._login(session, params),
                "clientlogin": lambda _, params: self._client_login(session, params),
                "query": lambda wiki, params: self._query(session, wiki, params, actions["query"]),
            }
            if request.params.get("action") in CHANGES:
                change = CHANGES[request.params["action"]]
                own[request.params["action"]] = lambda wiki, _: self._save(session, wiki, request, change)
            reply = mediawiki.answer(self._current(), request.params, {**actions, **own})
        if key and key not in request.headers.get("cookie", ""):
            return replace(reply, headers={**reply.headers, "Set-Cookie": f"{COOKIE}={key}; Path=/; HttpOnly"})
        return reply

    def _session(self, request: Request) -> tuple[str, _Session]:
        """Return the session that a request belongs to, and its cookie; nobody who only reads is given one."""
        header = request.headers.get("authorization", "")
        for user in self.users.values():
            if user.oauth and f'oauth_token="{user.oauth}"' in header:
                return "", self._by_oauth.setdefault(user.oauth, _Session(user.name))
        cookie = SimpleCookie(request.headers.get("cookie", ""))
        key = cookie[COOKIE].value if COOKIE in cookie else ""
        if key in self._sessions:
            return key, self._sessions[key]
        if "tokens" not in request.params.get("meta", ""):
            return "", _Session()
        key = secrets.token_hex(12)
        return key, self._sessions.setdefault(key, _Session())

    def _login(self, session: _Session, params: Params) -> Json:
        if params.get("lgtoken") != session.login_token:
            return {"login": {"result": "NeedToken", "token": session.login_token}}
        name, _, suffix = params.get("lgname", "").partition("@")
        user = self.users.get(name)
        if user is None or not suffix or user.bot_passwords.get(suffix) != params.get("lgpassword"):
            return {"login": {"result": "Failed", "reason": "Incorrect username or password entered."}}
        session.user = name
        return {"login": {"result": "Success", "lguserid": self._number(name), "lgusername": name}}

    def _client_login(self, session: _Session, params: Params) -> Json:
        if params.get("logintoken") != session.login_token:
            raise ApiError("badtoken", "Invalid CSRF token.")
        user = self.users.get(params.get("username", ""))
        if user is None or not user.password or user.password != params.get("password"):
            said = {"message": "Incorrect username or password entered.", "messagecode": "wrongpassword"}
            return {"clientlogin": {"status": "FAIL", **said}}
        session.user = user.name
        return {"clientlogin": {"status": "PASS", "username": user.name}}

    def _number(self, name: str) -> int:
        return 1 + list(self.users).index(name)

    def _query(self, session: _Session, wiki: Wiki, params: Params, query: Action) -> Json:
        asked = values(params, "meta")
        mine = {"tokens", "userinfo"} if session.user else {"tokens"}
        rest = "|".join(name for name in asked if name not in mine)
        found = query(wiki, {k: v for k, v in params.items() if k != "meta"} | ({"meta": rest} if rest else {}))
        if "tokens" in asked:
            known = {"csrf": session.csrf_token if session.user else NO_ONE, "login": session.login_token}
            wanted = values(params, "type", "csrf")
            found["query"]["tokens"] = {f"{kind}token": known[kind] for kind in wanted if kind in known}
        if session.user and "userinfo" in asked:
            found["query"]["userinfo"] = self._user_info(self.users[session.user], modern(params))
        return found

    def _user_info(self, user: User, new: bool) -> Json:
        told: Json = {"id": self._number(user.name), "name": user.name, "groups": ["*", "user", "autoconfirmed"]}
        told |= {"rights": ["read", "edit", "writeapi"], "ratelimits": {}}
        if new or user.has_message:
            told["messages"] = user.has_message if new else ""
        return told | (_block(user) if user.blocked else {})

    def _save(self, session: _Session, wiki: Wiki, request: Request, change: Change) -> Json:
        params = request.params
        media = media_named(params)
        self._allow(session, request)
        if media in self.refusing:
            raise ApiError(*self.refusing[media])
        if self.meanwhile:
            self.meanwhile.pop(0)(media)
            wiki = self._current()
        file = wiki.index.files.get(int(media[1:]))
        if file is None or not file.revisions:
            raise ApiError("no-such-entity", f'Could not find an entity with the ID "{media}".', id=media)
        before = file.entity or Entity()
        known = by_id(before.statements)
        read = by_id(based_on(file, params).statements)
        world = wiki.index.world
        after, touched = change(media, dict(before.statements), params, world.property_types)
        if any(read.get(one) != known.get(one) for one in touched):
            raise ApiError("editconflict", "Edit conflict: the statement was changed meanwhile.")
        if after != before.statements:
            revision = Revision(
                id=max(r.id for f in world.files for r in f.revisions) + 1,
                user=session.user,
                moment=MOMENT,
                comment=f"/* {params['action']}-update:0| */ {params.get('summary', '')}".rstrip()[:500],
                parent=file.revisions[-1].id,
                entity=replace(before, statements=after),
            )
            edited = replace(file, revisions=(*file.revisions, revision))
            self._serve(replace(world, files=tuple(edited if one is file else one for one in world.files)))
            file = edited
        said = {"pageinfo": {"lastrevid": file.revisions[-1].id}, "success": 1}
        return said | {"entity": wikibase.whole(file)}

    def _allow(self, session: _Session, request: Request) -> None:
        """Raise ``ApiError`` for whoever may not save."""
        params = request.params
        if request.method != "POST":
            raise ApiError("mustbeposted", f'The "{params["action"]}" module requires a POST request.')
        if params.get("assert") in ("user", "bot") and not session.user:
            raise ApiError("assertuserfailed", "You are no longer logged in, so the action could not be completed.")
        if not session.user or params.get("token") != session.csrf_token:
            raise ApiError("badtoken", "Invalid CSRF token.")
        user = self.users[session.user]
        if user.blocked:
            raise ApiError("blocked", "You have been blocked from editing.", **_block(user))


def _block(user: User) -> Json:
    told = {"blockid": 7, "blockedby": "Admin", "blockedbyid": 99, "blockreason": user.blocked}
    return {**told, "blockexpiry": "infinite", "blockedtimestamp": MOMENT}
