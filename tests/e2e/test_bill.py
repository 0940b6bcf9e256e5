"""The bill of the demonstration's calls: what is predicted from the specification is what the laptop cloud counts."""

from collections import Counter

import pytest

from benchmarks.bill import CLOCK, counted, happens_in, invocations, measured, predicted, usd
from local.tools.demo_cases import CASES

pytestmark = pytest.mark.long
OF_CALLS = ("ControlCallFunction", "ConnectFlowFunction", "FinishCallFunction", "SendWebhookFunction")


def test_the_predicted_bill_of_the_demonstration_is_the_counted_one_to_the_cent():
    usage, transitions, seconds, wrong = measured(CASES)
    assert wrong == []
    happens = happens_in(CASES, seconds)
    said, found = predicted(happens), counted(usage, transitions, happens)
    # What a call does of itself is exact; how often the stream wakes the dialler is chance.
    assert found["Step Functions transitions"] == said["Step Functions transitions"]
    assert found["SQS FIFO requests"] == said["SQS FIFO requests"]
    ran = Counter({name: count for (name, unit), count in usage.units.items() if unit == "Lambda invocations"})
    assert {name: ran[name] for name in OF_CALLS} == {name: invocations(happens)[name] for name in OF_CALLS}
    assert set(invocations(happens)) == set(ran) - CLOCK
    bills = [sum(usd(units).values()) for units in (said, found)]
    assert bills[0] == pytest.approx(bills[1], abs=0.01)
    # A cent is much for so few calls: of a thousand times as many, all but the minutes is right to a twentieth.
    without = [sum(bill.values()) - bill["Connect seconds"] for bill in (usd(said), usd(found))]
    assert without[0] == pytest.approx(without[1], rel=0.05), (usd(said), usd(found))
