"""Settings: where things are and who we say we are. In: a TOML file and ``DEBOODT_…`` variables. Out: ``Settings``.

Order, later wins: the defaults below, ``deboodt.toml`` in the working directory (or the file named by ``--config`` or
``DEBOODT_CONFIG``), then the environment: ``DEBOODT_CONTACT``, ``DEBOODT_STORE_URL`` … one variable a field.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from linkeddata.errors import SettingsError

VERSION = "0.1.0"
HOMEPAGE = "https://deboodt.example/"
SERVICES = (
    "commons_api",
    "wikidata_api",
    "gbif_api",
    "worms_api",
    "sparql_commons",
    "sparql_wikidata",
    "sparql_wcqs",
    "sparql_wdqs",
    "sparql_published",
    "sparql_update",
    "isa_base",
    "wikimedia_oauth",
)
"""The settings that are addresses of services; wherever they lead, they are meant."""
SECRET_FIELDS = frozenset(
    {"pseudonym_key", "wcqs_cookie", "sparql_update", "wikimedia_secret", "commons_password", "commons_oauth"}
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an installation may want otherwise. Paths are relative to the working directory; times in seconds."""

    contact: str = ""
    """Mail address or user page of whoever runs this, for the User-Agent; no public service is asked without it."""
    home: str = "deboodt-data"
    """Folder for the store, images, models and reports."""
    images_url: str = ""
    """Folder, or URL such as ``s3://bucket/prefix``, where images are kept; empty means ``images`` in ``home``."""
    store_url: str = ""
    """SQLAlchemy URL; empty means SQLite in ``home``."""
    base_url: str = "http://127.0.0.1:8000"
    """Where our own documents are published; their URIs begin with it."""
    publisher: str = ""
    """Name of the organisation or person who publishes the data; without one, descriptions name nobody."""
    publisher_iri: str = ""
    """The publisher's IRI elsewhere, such as its item on Wikidata or its ISIL; empty: one below ``base_url``."""
    publisher_kind: str = "Organization"
    """``Organization`` or ``Person``."""
    publisher_mail: str = ""
    """Mail address for questions about the data; it is published."""
    language: str = "en"
    """Language of the publisher's name and of what campaign files say."""
    data_licence: str = ""
    """IRI of the licence of the data, such as ``https://creativecommons.org/publicdomain/zero/1.0/``."""
    handle_prefix: str = ""
    """Handle prefix that you own, such as ``20.5000.1025``; DiSSCo annotations then name their Handle."""
    pseudonym_key: str = ""
    """Secret that contributors' pseudonyms are made with; empty: one is made on first use and kept in ``home``."""
    names_index: str = ""
    """File of the name index; empty means ``names.index`` in ``home``, where there is one."""
    dump_files: str = ""
    """Dumps of Commons' structured data that the route ``dump`` reads, in their order, with commas between."""

    commons_api: str = "https://commons.wikimedia.org/w/api.php"
    commons_entity: str = "https://commons.wikimedia.org/entity/"
    commons_user: str = ""
    """User that `deboodt commons push --write` edits as: ``Name``, or ``Name@bot`` with a bot password."""
    commons_password: str = ""
    """Secret: that user's password, better a bot password (Special:BotPasswords)."""
    commons_oauth: str = ""
    """Secret, in place of a password: the four tokens of an owner-only OAuth 1.0a consumer, with spaces between."""
    wikidata_api: str = "https://www.wikidata.org/w/api.php"
    gbif_api: str = "https://api.gbif.org"
    worms_api: str = "https://www.marinespecies.org/rest"
    sparql_commons: str = "https://qlever.dev/api/wikimedia-commons"
    sparql_wikidata: str = "https://qlever.dev/api/wikidata"
    sparql_wcqs: str = "https://commons-query.wikimedia.org/sparql"
    """Wikimedia's own query service for Commons; it wants ``wcqs_cookie``."""
    sparql_wdqs: str = "https://query.wikidata.org/sparql"
    sparql_published: str = ""
    """SPARQL 1.1 server that has what we publish and answers ``/sparql``; empty: our own graph in ``home`` does."""
    sparql_update: str = ""
    """Where that server takes SPARQL 1.1 updates (a secret, for ``user:password@`` may stand in it); it is then kept in
    step with what we publish, in one graph. Empty: whoever runs the server fills it."""
    sparql_graph: str = ""
    """IRI of that graph; empty means ``/#graph`` behind ``base_url``. It is ours alone: it may be emptied."""
    query_seconds: float = 30.0
    """How long one query at ``/sparql`` may take before it is stopped."""
    query_rows: int = 100_000
    """Most rows, or triples, of one answer at ``/sparql``."""
    query_triples: int = 1_000_000
    """Triples up to which the graph is held in memory, in each of two processes, some 400 bytes a triple."""
    keep_documents: bool = True
    """Whether the server keeps the answers about identifications and full pages of the feed ready, in ``home``."""
    wcqs_cookie: str = ""
    """Secret: the cookie wcqsOauth that a browser keeps after logging in at commons-query.wikimedia.org."""
    isa_base: str = "https://isa.toolforge.org"
    wikimedia_oauth: str = "https://meta.wikimedia.org/w/rest.php/oauth2"
    """Where Wikimedia's OAuth 2 is, for who wants to log in with a Wikimedia account."""
    wikimedia_client: str = ""
    """Id of the OAuth 2 consumer that you registered at meta.wikimedia.org; empty: nobody logs in by Wikimedia."""
    wikimedia_secret: str = ""
    """Secret: that consumer's secret."""

    requests_at_once: int = 1
    """Requests that may run at the same time to one service, files apart. Wikimedia asks for one."""
    timeout_s: float = 60.0
    """How long a service may be silent before a try counts as failed."""
    tries: int = 6
    """How often one request is tried before it counts as failed; limits that say "wait" are counted apart."""
    longest_wait_s: float = 300.0
    """Cap on one pause of our own choosing; what a service asks for with Retry-After is waited in full."""
    patience_s: float = 21_600.0
    """How long the limits that one request meets may be waited for altogether; then the rest is left to do."""
    allow_private: bool = False
    """Whether addresses that stand in data may lead into one's own network; the services named above always may."""
    files_mbit_s: float = 25.0
    """Most that files may bring in from one host in any ten seconds, in megabits a second; 0 for no limit."""
    longest_answer_s: float = 900.0
    """How long one answer may take to arrive, however it drips in; a query service is then asked in pieces."""
    images_a_minute: int = 120
    """Images that one address may ask models about in a minute without a token; 0 for no limit."""
    images_a_day: int = 20_000
    """Images that one account may ask models about in a day, where its token says no other number; 0 for no limit."""
    information: str = ""
    """Folder with what is told beside a determination, by taxon; empty means ``information`` in ``home``."""
    max_image_bytes: int = 200_000_000
    max_image_pixels: int = 200_000_000

    @property
    def home_path(self) -> Path:
        """The home folder as a path."""
        return Path(self.home)

    @property
    def store(self) -> str:
        """The store's SQLAlchemy URL."""
        return self.store_url or f"sqlite:///{self.home_path / 'deboodt.sqlite'}"

    @property
    def images(self) -> str:
        """Where images are kept: a folder or a URL."""
        return self.images_url or str(self.home_path / "images")

    @property
    def published_graph(self) -> str:
        """The IRI of the graph that holds what is published."""
        return self.sparql_graph or f"{self.base_url.rstrip('/')}/#graph"

    @property
    def information_path(self) -> Path:
        """The folder with what is told beside a determination."""
        return Path(self.information) if self.information else self.home_path / "information"

    @property
    def index_path(self) -> Path | None:
        """The name index; ``None`` where none was named and none lies in ``home``."""
        if self.names_index:
            return Path(self.names_index)
        usual = self.home_path / "names.index"
        return usual if usual.exists() else None

    @property
    def dump_paths(self) -> tuple[Path, ...]:
        """The dumps of Commons' structured data, in their order."""
        return tuple(Path(name.strip()) for name in self.dump_files.split(",") if name.strip())

    @property
    def user_agent(self) -> str:
        """User-Agent in the form Wikimedia asks for: tool/version (contact) library."""
        return f"DeBoodt/{VERSION} ({self.contact or 'no contact given'}) python-requests"


def load_settings(config: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings from defaults, file and environment. Raises ``SettingsError`` naming file and key.

    >>> load_settings(environment={"DEBOODT_CONTACT": "registrar@museum.example"}).contact
    'registrar@museum.example'
    """
    env = os.environ if environment is None else environment
    settings = Settings()
    path = Path(config or env.get("DEBOODT_CONFIG") or "deboodt.toml")
    if path.is_file():
        settings = replace(settings, **_from_file(path))
    elif config or env.get("DEBOODT_CONFIG"):
        raise SettingsError(f"settings file {path} does not exist")
    return replace(settings, **_from_environment(env))


def shown(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain data for printing, secrets masked."""
    return {k: ("(set)" if k in SECRET_FIELDS and v else v) for k, v in asdict(settings).items()} | {
        "store": settings.store
    }


def _types() -> dict[str, type]:
    return {f.name: type(f.default) for f in fields(Settings)}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: {error}") from error
    return {key: _cast(f"{path}: {key}", key, value) for key, value in raw.items()}


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    names = {f"DEBOODT_{name.upper()}": name for name in _types()}
    return {names[v]: _cast(v, names[v], env[v]) for v in names if v in env}


def _cast(where: str, key: str, value: Any) -> Any:
    wanted = _types().get(key)
    if wanted is None:
        known = ", ".join(sorted(_types()))
        raise SettingsError(f"{where} is not a setting; known are {known}")
    try:
        if wanted is bool:
            return _yes(value)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("not a text or a number")
        return wanted(value)
    except ValueError as error:
        raise SettingsError(f"{where} = {value!r}: expected {wanted.__name__}") from error


def _yes(value: Any) -> bool:
    """Return a switch's value: TOML's own, or the words for it in the environment. Raises ``ValueError``."""
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    known = value if isinstance(value, bool) else words.get(str(value).strip().lower())
    if known is None:
        raise ValueError("neither true nor false")
    return known
