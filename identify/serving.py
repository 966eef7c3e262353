"""The web server as De Boodt runs it. In: an application, an address. Out: answers, until it is told to stop."""

import gc

from starlette.types import ASGIApp


def listen(app: ASGIApp, host: str, port: int) -> None:
    """Answer at this address until the process is interrupted.

    uvicorn takes ``uvloop`` and ``httptools``, which are installed with us. What was made so far stays for as long as
    the process lives: the collector of garbage need not look at it again and again.
    """
    import uvicorn

    gc.collect()
    gc.freeze()
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
