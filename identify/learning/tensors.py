"""TensorFlow, when it is wanted. In: a seed. Out: the module, set to give the same result each time.

This is the only file that imports TensorFlow, and it does so inside a function.
"""

import os
from typing import Any

from identify.hush import hushed
from linkeddata.errors import DatasetError


def tensorflow(seed: int) -> Any:
    """Return TensorFlow, set to give the same result each time. Raises ``DatasetError`` where it is not installed."""
    import linkeddata.line  # noqa: F401  TensorFlow has an older libcurl in it: after it, pycurl would find that one

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with hushed():
            import tensorflow
            from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise DatasetError("training needs TensorFlow: pip install 'deboodt[train]'") from error
    tensorflow.config.experimental.enable_op_determinism()
    tensorflow.keras.backend.clear_session()  # layers are numbered from the start: same model, same names, same bytes
    tensorflow.keras.utils.set_random_seed(seed)
    # NumPy's matrices from here on by one thread: the same bits on any number of processors, and those of a head sooner
    # than by two, which wait for each other.
    threadpool_limits(1, user_api="blas")
    return tensorflow
