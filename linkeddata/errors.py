"""The errors of De Boodt.

An exception is raised when a *set-up* is broken and nothing sensible can go on. Trouble with one item
(one row, one image, one answer) is never an exception: it is a ``records.Failure`` in the stream.

::

    DeBoodtError                 exit code 1
    ├── UsageError               exit code 2   a command, file or setting that says something impossible
    │   ├── SettingsError                      the settings file or a DEBOODT_ variable
    │   ├── CampaignError                      a campaign file: names the table and the key
    │   └── ContactRequiredError               a public service would be asked without a contact address
    ├── ServiceError             exit code 3   a service answered, and it was no
    │   └── UnreachableError                   a service did not answer within its tries
    │       ├── TooMuchError                   it began to, and could not: ask for less
    │       └── LimitError                     a service asks to wait longer than the settings' patience
    ├── StoreError               exit code 4   the database cannot be opened, or is of another version
    ├── BundleError              exit code 5   a model bundle is missing, damaged or of another format
    └── DatasetError             exit code 6   a dataset cannot be built or trained on as asked
"""


class DeBoodtError(Exception):
    """Base of every error this project raises on purpose; ``str()`` of it is fit to show to a user."""

    exit_code = 1


class UsageError(DeBoodtError):
    """Something the user gave cannot be meant: a command's argument, a file, a setting."""

    exit_code = 2


class SettingsError(UsageError):
    """A settings file or environment variable that cannot be read or means nothing."""


class CampaignError(UsageError):
    """A campaign file that cannot be read; the message names file, table and key."""


class ContactRequiredError(UsageError):
    """A request to a public service was about to leave without a contact address in its User-Agent."""


class ServiceError(DeBoodtError):
    """A service answered with an error that retrying does not mend.

    ``code`` is the service's own (a MediaWiki error code, an HTTP status) and ``url`` what was asked.
    """

    exit_code = 3

    def __init__(self, message: str, *, code: str = "", url: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.url = url


class UnreachableError(ServiceError):
    """A service did not give a usable answer within the tries it was allowed."""


class TooMuchError(UnreachableError):
    """A service could not finish its answer: its time or memory was up, or the answer was cut off each time."""


class LimitError(UnreachableError):
    """A service asks to wait longer than our patience lasts: what was asked for is left to do, not lost."""


class StoreError(DeBoodtError):
    """The store cannot be opened, or it was written by another version."""

    exit_code = 4


class BundleError(DeBoodtError):
    """A model bundle is missing, incomplete or not what its own checksums say."""

    exit_code = 5


class DatasetError(DeBoodtError):
    """A dataset cannot be built, read or trained on as asked."""

    exit_code = 6
