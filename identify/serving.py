"""The web server as De Boodt runs it. In: an application, an address. Out: answers, until it is told to stop."""

import gc

from starlette.types import ASGIApp

GARBAGE = 50_000
"""So many more containers must be made than given up before the youngest are looked through."""


def listen(app: ASGIApp, host: str, port: int) -> None:
    """Answer at this address until the process is interrupted.

    uvicorn takes ``uvloop`` and ``httptools``, which are installed with us. What was made so far stays for as long as
    the process lives, and documents go without the collector of garbage, for nothing in them leads in a circle: it is
    called more seldom, and spared what stays. As it comes it took a fifth of the time of a document.
    """
    import uvicorn

    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 100)
    gc.enable()
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
