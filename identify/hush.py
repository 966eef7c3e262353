"""Libraries that talk while they are loaded. In: a stretch of code. Out: its standard error, only if it failed.

TensorFlow and LiteRT greet on the process's standard error from C++, before any setting of theirs is read, and would
write across the progress bars.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hushed() -> Iterator[None]:
    """Keep what is written to file descriptor 2; write it there after all when the stretch ends with an exception."""
    sys.stderr.flush()
    outside = os.dup(2)
    try:
        with tempfile.TemporaryFile() as kept:
            os.dup2(kept.fileno(), 2)
            try:
                yield
            except BaseException:
                kept.seek(0)
                os.write(outside, kept.read())
                raise
            finally:
                os.dup2(outside, 2)
    finally:
        os.close(outside)
