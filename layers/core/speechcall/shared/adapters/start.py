"""A function's start without the garbage collector, which finds next to nothing then; the first import of a function.

While modules load and clients are made, hundreds of thousands of objects come and almost none of them goes. Python's
collector looks through all of them several times: a twentieth of a start. In an environment of Lambda it is switched
off until `started`; what is there by then is not looked at again.
"""

import gc
import os

_ALONE = "AWS_LAMBDA_RUNTIME_API" in os.environ
"""Whether the process is an environment of Lambda: it has this one function. (Lambda developer guide, "Using the Lambda
runtime API for custom runtimes".)"""

if _ALONE:
    gc.disable()


def started() -> None:
    """To be called when a function has its clients: from now on garbage is collected."""
    if _ALONE:
        gc.freeze()
        gc.enable()
