"""What a waiting task of a state machine is answered with."""

from typing import TypedDict


class TaskAnswer(TypedDict):
    """What a waiting task is told, and what a look-up returns. Every answer has all three.

    The machines compare each of them: on AWS a Choice on a path that is not there ends the execution (States.Runtime),
    and no Catch catches it (Step Functions developer guide, "Handling errors in Step Functions workflows").
    """

    event: str
    key: str
    seq: int
