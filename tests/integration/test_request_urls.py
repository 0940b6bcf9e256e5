"""URLs of a request over the API: what can never be sent is refused with its place, by the rule that delivery has."""

import json

import pytest

from local.cloud.functions import FunctionHost
from speechcall.shared.adapters.settings import LOOPBACK
from tests.kit.http_api import TEMPLATE, HttpApi, specification

HERE = ["http://127.0.0.1:9000/", "http://[::1]:9000/a", "http://localhost:9000/", "http://127.0.0.2/"]
NEVER = ["http://10.0.0.1/", "http://169.254.169.254/", "http://127.1/", "http://[fe80::1]/"]
NO_HOST = ["https://<your-server>/hook", "https://$HOST/", "https://a..b/", "https://xn--a.com/", "https://-a.example/"]


def request(intro, url):
    (message,) = specification("simple")["messages"]
    message["menu"][0]["introUrl"] = intro
    message["menu"][0]["dtmfActions"] = {"d1": [{"action": "webhook", "url": url}, {"action": "hangup"}]}
    return {"messages": [message]}


def places(api, intro, url):
    """Where what was sent is refused; both routes say the same."""
    body = request(intro, url)
    answer = api.post(body, path="/bat/messagelist/check")
    (entry,) = answer.json["messages"]
    details = entry.get("error", {}).get("details", [entry["error"]] if "error" in entry else [])
    sent = api.post(body)
    assert (sent.status == 200) == (not details)
    assert all(one["message"] in sent.text or json.dumps(one["message"])[1:-1] in sent.text for one in details)
    return [one["path"] for one in details]


BOTH = ["messages[0].menu[0].introUrl", "messages[0].menu[0].dtmfActions.d1[0].url"]


@pytest.mark.parametrize("url", [*HERE[:2], HERE[3], *NEVER, *NO_HOST])
def test_what_can_never_be_sent_is_refused_in_both_places(api, url):
    assert places(api, url, url) == BOTH
    assert places(api, "ivr_651854", url) == BOTH[1:]


def test_where_deliveries_may_lead_to_this_machine_requests_may_name_it(made):
    api = HttpApi(FunctionHost(TEMPLATE, {"WEBHOOK_RECEIVER": LOOPBACK}))
    for url in HERE:
        assert places(api, url, url) == []
    for url in (*NEVER, *NO_HOST):
        assert places(api, url, url) == BOTH
