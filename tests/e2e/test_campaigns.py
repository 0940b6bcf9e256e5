"""Two campaigns of one account over HTTP: they share its lines half and half, and are counted exactly."""

from collections import Counter

import boto3
import httpx

from local.cloud import seed
from local.network.shared.scripted_callees import Script, answer, busy, hang_up, press
from speechcall.messages.adapters.lines_store import DynamoPool
from tests.e2e.conftest import HANGUP, menu, message, running

COUNT, LINES = 12, 2
CALLEES = (
    Script([answer(0), press("1", after=0.05)]),
    Script([answer(0), press("2", after=0.05)]),
    Script([answer(0), hang_up(0.05)]),
    Script([busy()]),
)


def callee(number):
    """Who answers a number: it says so itself."""
    return CALLEES[int(number) % len(CALLEES)]


def test_two_campaigns_share_the_lines_of_their_account_and_are_counted_exactly():
    parameters = {"Lines": str(LINES), "CallsPerSecond": "50"}
    with running(parameters=parameters, carrier={"caller_for": callee}) as cloud:
        with httpx.Client(base_url=cloud.url, auth=(seed.USER, seed.PASSWORD), timeout=30) as client:

            def get(path):
                found = client.get(path)
                assert found.status_code == 200, found.text
                return found.json()

            pool = DynamoPool(boto3.client("dynamodb"), cloud.template.ref("RegistryTable"))
            # Given all of the one campaign before all of the other, and all that waits when dialling begins
            pool.choose({"lines": 0})
            campaign_of = {}
            for place, name in enumerate(("first", "second")):
                menus = menu(d1=[HANGUP], d2=[HANGUP])
                numbers = range(100 * place, 100 * place + COUNT)
                messages = [message(menus, to=f"+38067{number:07}") for number in numbers]
                sent = client.post("/bat/messagelist", json={"campaign": name, "messages": messages})
                assert sent.status_code == 200, sent.text
                campaign_of |= {one["messageId"]: name for one in sent.json()["messages"]}
            for mid in campaign_of:
                queued = {"kind": "state", "state": "queued", "mid": mid}
                cloud.journal.wait_for(lambda entry, queued=queued: entry.items() >= queued.items(), 60)
            pool.choose({"lines": None})
            cloud.functions.invoke(cloud.template.functions["DialerFunction"].arn, {"source": "aws.events"})
            ended = {"kind": "state", "state": "finished"}
            for mid in campaign_of:
                cloud.journal.wait_for(lambda entry, mid=mid: entry.items() >= {**ended, "mid": mid}.items(), 60)
            told = {name: get(f"/bat/campaign/{name}") for name in ("first", "second")}
            listed = get("/bat/campaign?limit=1")
            rest = get(f"/bat/campaign?limit=1&cursor={listed['nextCursor']}")
            lists = get("/bat/messagelist?campaign=first")
        entries = cloud.journal.entries()
    for one in told.values():
        quarter = COUNT // len(CALLEES)
        assert (one["state"], one["total"], one["unfinished"], one["calling"]) == ("finished", COUNT, 0, 0)
        assert one["outcomes"] == {"answered": 3 * quarter, "busy": quarter}
        (funnel,) = one["funnels"]
        assert (funnel["calls"], funnel["answered"]) == (COUNT, 3 * quarter)
        (numbers,) = funnel["menus"]
        assert numbers["asked"] == 3 * quarter
        assert numbers["keys"] == {"d1": quarter, "d2": quarter}
        assert numbers["hungUp"] == quarter
    assert [one["campaign"] for one in (*listed["campaigns"], *rest["campaigns"])] == ["second", "first"]
    assert [one["total"] for one in lists["messagelists"]] == [COUNT]
    # They take turns
    dialled = [campaign_of[entry["mid"]] for entry in entries if entry["kind"] == "dialled"]
    assert "second" in dialled[: LINES + 2], dialled
    shared = dialled[dialled.index("second") : len(dialled) - dialled[::-1].index("first")]
    counts = Counter(shared)
    assert abs(counts["first"] - counts["second"]) <= LINES + 1
    assert [entry for entry in entries if entry["kind"] == "failure"] == []
