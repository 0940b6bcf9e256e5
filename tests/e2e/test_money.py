"""What calls cost, from the operator's file to the sender's status; and a day that may cost so much only."""

import json
from urllib.parse import urlsplit

import httpx

from cli.main import app
from local.cloud import seed
from local.network.shared.scripted_callees import Script, answer, press
from tests.e2e.conftest import HANGUP, Client, finished, menu, message, running
from tests.kit.command_line import CliRunner

AUTH = (seed.USER, seed.PASSWORD)
RATES = "prefix,firstSeconds,firstPrice,stepSeconds,stepPrice\n380,3600,0.35,1,0\n38099,3600,9,1,0\n"


def test_calls_are_priced_and_a_day_costs_no_more_than_it_may(tmp_path):
    file = tmp_path / "rates.csv"
    file.write_text(RATES, encoding="utf-8")
    told = {"statusUrl": "https://shop.example/status"}
    body = lambda to: message(menu(d1=[HANGUP], wrong=[HANGUP]), to=to) | told  # noqa: E731
    with running(Script([answer(), press("1")])) as cloud:

        def run(*given):
            done = CliRunner().invoke(app, [*given, "--local", "--port", str(urlsplit(cloud.url).port)])
            assert done.exit_code == 0, done.output

        def get(path):
            return httpx.get(f"{cloud.url}{path}", auth=AUTH, timeout=30).json()

        run("rates", "import", str(file), "--currency", "EUR")
        # Two calls fit, and none to the dear numbers.
        run("account", "set", seed.ACCOUNT_ID, "--spend-per-day", "0.7")
        checked = httpx.post(
            f"{cloud.url}/bat/messagelist/check", json={"messages": [body("+380671234501")]}, auth=AUTH, timeout=30
        )
        assert checked.json()["cost"] == {"ifAnswered": 0.35, "atMost": 0.35, "currency": "EUR"}
        mids = Client(cloud.url).send([body(to) for to in ("+380671234501", "+380671234502", "+380991234503")])
        for mid in mids:
            finished(cloud, mid)
        status = [get(f"/bat/message/{mid}") for mid in mids]
        assert [(one["cost"], one["costCurrency"]) for one in status] == [(0.35, "EUR"), (0.35, "EUR"), (0, "EUR")]
        assert (status[2]["call"]["outcome"], status[2]["call"]["endReason"]) == ("expired", "spendLimit")
        final = cloud.journal.wait_for(lambda one: one["kind"] == "webhook" and one["mid"] == mids[0], 20)
        assert json.loads(final["body"])["cost"] == 0.35
        account = get("/bat/account")
        assert (account["limits"]["spendPerDay"], account["usedToday"]["spend"]) == (0.7, 0.7)
        # The third waits for tomorrow: nothing of it is dialled, however often a dialler looks.
        (waits,) = Client(cloud.url).send([body("+380671234504")])
        cloud.journal.wait_for(
            lambda one: one["kind"] == "state" and one["mid"] == waits and one["state"] == "queued", 20
        )
        dial = lambda: cloud.functions.invoke(cloud.template.functions["DialerFunction"].name, {})  # noqa: E731
        dial()
        assert get(f"/bat/message/{waits}")["call"]["state"] == "queued"
        run("account", "set", seed.ACCOUNT_ID, "--spend-per-day", "1.05")
        dial()
        assert finished(cloud, waits)["outcome"] == "answered"
