"""Logging in with a Wikimedia account: OAuth 2 with PKCE. In: settings, what Wikimedia answers. Out: a user's id, name.

Written to https://www.mediawiki.org/wiki/OAuth/For_Developers#OAuth_2: ``/authorize``, ``/access_token`` and
``/resource/profile`` below ``rest.php/oauth2`` of meta.wikimedia.org. Nothing but the profile is asked for, and the
access token is forgotten at once. What speaks OAuth is imported when somebody comes: most servers let nobody in so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linkeddata.problem import Problem
from linkeddata.settings import Settings

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session


@dataclass(frozen=True, slots=True)
class Leaving:
    """A browser on its way to Wikimedia: where it goes, and what must be known when it comes back."""

    address: str
    state: str
    verifier: str


@dataclass(frozen=True, slots=True)
class WikimediaUser:
    """Who came back; ``id`` stays the same when the user is renamed."""

    id: str
    name: str


def offered(settings: Settings) -> bool:
    """Tell whether this installation lets people in by Wikimedia."""
    return bool(settings.wikimedia_client and settings.wikimedia_secret)


def leaving(settings: Settings) -> Leaving:
    """Return where to send a browser."""
    from authlib.common.security import generate_token

    verifier = generate_token(64)
    with _session(settings) as session:
        address, state = session.create_authorization_url(
            f"{settings.wikimedia_oauth.rstrip('/')}/authorize", code_verifier=verifier
        )
    return Leaving(address, state, verifier)


def arrived(settings: Settings, query: Mapping[str, str], state: str, verifier: str) -> WikimediaUser:
    """Return who came back with this query. Raises ``Problem``: 403 for a no or a state that is not ours, 502 else."""
    from authlib.common.errors import AuthlibBaseError
    from requests import RequestException

    if not state or query.get("state") != state:
        raise Problem(403, "Log-in refused", "This log-in was not begun here, or too long ago; begin again.")
    if "code" not in query:
        raise Problem(403, "Log-in refused", f"Wikimedia says: {query.get('error', 'no')}.")
    base = settings.wikimedia_oauth.rstrip("/")
    try:
        with _session(settings) as session:
            session.fetch_token(
                f"{base}/access_token",
                grant_type="authorization_code",
                code=query["code"],
                code_verifier=verifier,
                timeout=settings.timeout_s,
            )
            answer = session.get(f"{base}/resource/profile", timeout=settings.timeout_s)
            answer.raise_for_status()
            return parse_profile(answer.json())
    except (AuthlibBaseError, RequestException, ValueError) as error:
        raise Problem(502, "Wikimedia did not answer", "The log-in could not be finished; try again.") from error


def parse_profile(profile: Any) -> WikimediaUser:
    """Return the user of a profile. Raises ``ValueError`` for what is none, or for a user who is blocked.

    >>> parse_profile({"sub": 12, "username": "Anna B.", "blocked": False})
    WikimediaUser(id='12', name='Anna B.')
    """
    if not isinstance(profile, dict) or not profile.get("sub") or not isinstance(profile.get("username"), str):
        raise ValueError("not a profile")
    if profile.get("blocked"):
        raise ValueError("a blocked user")
    return WikimediaUser(str(profile["sub"]), profile["username"])


def _session(settings: Settings) -> "OAuth2Session":
    from authlib.integrations.requests_client import OAuth2Session

    session = OAuth2Session(
        settings.wikimedia_client,
        settings.wikimedia_secret,
        redirect_uri=f"{settings.base_url.rstrip('/')}/login/wikimedia/back",
        token_endpoint_auth_method="client_secret_post",  # noqa: S106 - how the secret is sent, not the secret
        code_challenge_method="S256",
    )
    session.headers["User-Agent"] = settings.user_agent
    return session
