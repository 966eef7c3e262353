"""Pseudonyms: who said something, without saying who. In: user names. Out: ``Agent`` records without them.

A pseudonym is HMAC-SHA256 of the user name under a key that stays with the installation (RFC 2104): the same person is
the same agent whichever route a tag came by, and nobody without the key can go from the agent back to the name, not
even by trying all names.
"""

import hashlib
import hmac
import os
import secrets
import unicodedata
from pathlib import Path

from linkeddata.errors import SettingsError
from linkeddata.records import Agent
from linkeddata.settings import Settings

KEY_FILE = "pseudonym.key"


class Pseudonyms:
    """Makes agents of user names with one key."""

    def __init__(self, key: str) -> None:
        if not key:
            raise ValueError("a pseudonym needs a key")
        self._key = key.encode()

    def agent(self, username: str) -> Agent:
        """Return the agent that stands for a wiki user; spelled differently, MediaWiki's way, it is the same agent.

        >>> pseudonyms = Pseudonyms("a key")
        >>> pseudonyms.agent("jan_de Vries").id == pseudonyms.agent("Jan de Vries").id
        True
        >>> pseudonyms.agent("Jan de Vries")
        Agent(id='urn:deboodt:person:cd7e05099149cbaa', kind='Person', name='', version='', homepage='')
        """
        name = same_user(username)
        if not name:
            raise ValueError("a user name is not empty")
        digest = hmac.new(self._key, name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return Agent(id=f"urn:deboodt:person:{digest[:16]}")


def same_user(username: str) -> str:
    """Return a user name as MediaWiki keeps it: NFC, spaces for underscores, the first letter a capital.

    >>> same_user(" jan__de_Vries ")
    'Jan de Vries'
    """
    name = " ".join(unicodedata.normalize("NFC", username).replace("_", " ").split())
    return name[:1].upper() + name[1:]


def installation_key(settings: Settings) -> str:
    """Return the key of this installation: from the settings, else from ``home``, where one is made on first use.

    Raises ``SettingsError`` where it can be neither read nor written.
    """
    if settings.pseudonym_key:
        return settings.pseudonym_key
    path = settings.home_path / KEY_FILE
    try:
        return _kept(path)
    except OSError as error:
        raise SettingsError(f"{path}: the key of the pseudonyms cannot be kept: {error}") from error


def _kept(path: Path) -> str:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(path)
    key = path.read_text(encoding="ascii").strip()
    if not key:
        raise OSError("the file is empty")
    return key


def _make(path: Path) -> None:
    """Write a new key, whole or not at all; whoever comes second takes the first one's."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
