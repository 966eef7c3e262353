"""Tables that are no records: accounts with what opens them, and the queue of reviews. Out: SQLAlchemy tables.

Nothing of these is ever in the log, the feed or a dump. Who has an account and who said something is joined in one
place alone: ``ACCOUNT.agent``. The queue holds nothing of its own: it is made again from the records at any time.
"""

from sqlalchemy import Column, Float, Index, Table

from linkeddata.tables import BIG, METADATA, TEXT

ACCOUNT = Table(
    "account",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("agent", TEXT, nullable=False),
    Column("role", TEXT, nullable=False),
    Column("branches", TEXT, nullable=False),
    Column("password", TEXT, nullable=False),
    Column("wikimedia", TEXT, nullable=False),
    Column("created", TEXT, nullable=False),
    Column("disabled", TEXT, nullable=False),
    Index("account_by_name", "name", unique=True),
    Index("account_by_agent", "agent"),
    Index("account_by_wikimedia", "wikimedia"),
)
"""``branches`` is JSON; ``password`` an Argon2 hash, empty where there is none; ``wikimedia`` the user's id there."""

SESSION = Table(
    "session",
    METADATA,
    Column("key", TEXT, primary_key=True),
    Column("account", TEXT, nullable=False),
    Column("form", TEXT, nullable=False),
    Column("created", TEXT, nullable=False),
    Column("expires", TEXT, nullable=False),
    Index("session_by_account", "account", "key"),
)
"""``key`` is the SHA-256 of what the cookie holds, ``form`` what each form of the session must bring along."""

TOKEN = Table(
    "token",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("key", TEXT, nullable=False),
    Column("account", TEXT, nullable=False),
    Column("label", TEXT, nullable=False),
    Column("scopes", TEXT, nullable=False),
    Column("created", TEXT, nullable=False),
    Column("expires", TEXT, nullable=False),
    Column("used", TEXT, nullable=False),
    Column("revoked", TEXT, nullable=False),
    Index("token_by_key", "key", unique=True),
    Index("token_by_account", "account", "id"),
)
"""``key`` is the SHA-256 of the token, which is shown once and kept nowhere."""

ATTEMPT = Table(
    "attempt",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("subject", TEXT, nullable=False),
    Column("moment", TEXT, nullable=False),
    Index("attempt_by_subject", "subject", "moment"),
    Index("attempt_by_moment", "moment"),
)
"""Log-ins that failed: a digest of the name or of the address, and when."""

QUEUE = Table(
    "queue",
    METADATA,
    Column("target", TEXT, primary_key=True),
    Column("kind", TEXT, nullable=False),
    Column("file", TEXT, nullable=False),
    Column("campaign", TEXT, nullable=False),
    Column("concept", TEXT, nullable=False),
    Column("institution", TEXT, nullable=False),
    Column("place", Float(53), nullable=False),
    Column("reasons", TEXT, nullable=False),
    Column("wanted", BIG, nullable=False),
    Column("disputed", BIG, nullable=False),
    Index("queue_by_place", "place", "target"),
    Index("queue_by_campaign", "campaign", "place", "target"),
    Index("queue_by_institution", "institution", "place", "target"),
    Index("queue_by_concept", "concept", "place", "target"),
    Index("queue_by_file", "file", "target"),
)
"""What is open, by ``place``: minus the score, so that what matters most comes first. ``reasons`` is JSON."""

HOLD = Table(
    "hold",
    METADATA,
    Column("target", TEXT, primary_key=True),
    Column("account", TEXT, primary_key=True),
    Column("until", TEXT, nullable=False),
    Index("hold_by_account", "account", "target"),
)
"""What somebody has open, so that nobody else is handed it before ``until``."""

FOLLOWED = Table(
    "followed",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("seq", BIG, nullable=False),
)
"""How far in the log what is derived from it has come, by name."""
