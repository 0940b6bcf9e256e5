"""What an operator should see of reports: how long a callee waited for the first command, and calls that were lost."""

from speechcall.calls.use_cases.report import Heard, Next, Op
from speechcall.menus.rules.call_log import ANSWERED
from speechcall.shared.adapters.metrics import count, measure_msec


def tell_of(step: Next, heard: Heard, now_msec: int) -> None:
    """Writes the metrics of one report, `now_msec` being the moment at which it is answered."""
    if heard.event == ANSWERED and step.op is Op.ASK and heard.began_msec is not None:
        measure_msec("AnswerToFirstCommandMsec", max(0, now_msec - heard.began_msec))
    count("CallsLost", int(step.lost))
