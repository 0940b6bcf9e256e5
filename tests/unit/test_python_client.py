"""clients/python against the API: every route, every member of every answer, and the signatures of the service."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

import httpx
import pytest
from standardwebhooks import Webhook

from speechcall.api.rules import answers
from speechcall.api.use_cases.routes import SCOPES, Open
from speechcall_client import Client, Menu, Message, models, verify
from speechcall_client.webhooks import sign

MESSAGE = Message(to="+380671234567", sender="Shop", menus=[Menu(audio="a")])
PLACES = {
    "spring": "{campaign}",
    "welcome": "{introId}",
    "7": "{messageId}",
    "6": "{messagelistId}",
    "8": "{erasureId}",
    "9": "{exportId}",
    "5": "{rehearsalId}",
}
PAIRS: dict[Any, list[Any]] = {
    models.Accepted: [answers.Accepted],
    models.MessageAnswer: [answers.Sent, answers.Acceptable, answers.Rejected],
    models.CallBounds: [answers.CallBounds],
    models.Note: [answers.Place],
    models.Refusal: [answers.Refusal],
    models.Checked: [answers.Checked],
    models.MessageStatus: [answers.MessageStatus],
    models.Fallback: [answers.FallbackAnswer],
    models.Call: [answers.Call],
    models.Attempt: [answers.Attempt],
    models.Step: [answers.Step],
    models.WebhookDelivery: [answers.WebhookDelivery],
    models.WebhookAttempt: [answers.WebhookAttempt],
    models.ListStatus: [answers.ListStatus],
    models.Summary: [answers.Summary],
    models.Estimate: [answers.Estimate],
    models.Campaign: [answers.Campaign],
    models.CampaignStatus: [answers.CampaignStatus],
    models.ListOfCampaign: [answers.ListOfCampaign],
    models.MessageCancelled: [answers.MessageCancelled],
    models.Stopped: [answers.ListStopped, answers.CampaignStopped, answers.ListCancelled, answers.CampaignCancelled],
    models.Replayed: [answers.Replayed, answers.AccountReplayed],
    models.OptOut: [answers.OptOutEntry],
    models.OptOutAdded: [answers.OptOutAdded],
    models.OptOutFound: [answers.OptOutFound],
    models.OptOutRemoved: [answers.OptOutRemoved],
    models.GivenUpWebhook: [answers.GivenUpWebhook],
    models.Audio: [answers.Audio],
    models.Account: [answers.AccountStatus],
    models.Limits: [answers.AccountLimits],
    models.UsedToday: [answers.UsedToday],
    models.Destinations: [answers.Destinations],
    models.WebhookSecret: [answers.SecretGiven],
    models.Rehearsal: [answers.Rehearsal],
    models.RehearsalFailure: [answers.RehearsalFailure],
    models.RehearsalFigures: [answers.RehearsalFigures],
    models.CallsBegun: [answers.CallsBegun],
    models.Expected: [answers.Expected],
    models.ExpectedMoment: [answers.ExpectedMoment],
}


def asked():
    """Every request that the client can make."""
    found = set()

    def answer(request):
        path = re.sub(r"(?<=/)(spring|welcome|9|8|7|6|5)(?=/|$)", lambda name: PLACES[name[1]], request.url.path)
        found.add(f"{request.method} {path}")
        return httpx.Response(200, json={"url": "https://bucket.example/", "uploadId": "u"})

    client: Any = Client("https://api.example", key="k", http=httpx.Client(transport=httpx.MockTransport(answer)))
    names = {
        "status",
        "cancel",
        "replay",
        "list_status",
        "campaign",
        "lists_of",
        "export_list",
        "export_campaign",
        "audio",
        "audio_file",
        "remove_audio",
        "signed_call",
    }
    by_one = dict.fromkeys(names, "7") | dict.fromkeys(("list_status", "export_list"), "6")
    by_one |= dict.fromkeys(("campaign", "lists_of", "export_campaign"), "spring")
    by_one |= dict.fromkeys(("audio", "audio_file", "remove_audio"), "welcome")
    by_one |= {f"{verb}_list": "6" for verb in ("cancel", "pause", "resume")}
    by_one |= {f"{verb}_campaign": "spring" for verb in ("cancel", "pause", "resume")}
    calls = [
        lambda: client.send(MESSAGE),
        lambda: client.check(MESSAGE),
        lambda: [*client.campaigns()],
        client.account,
        lambda: client.erase("+380671234567"),
        lambda: client.erasure("8"),
        lambda: client.ask_for_person("+380671234567"),
        lambda: client.person("9"),
        lambda: client.rehearse(MESSAGE, {}),
        lambda: client.rehearsal("5"),
        lambda: [*client.given_up_webhooks()],
        lambda: [*client.opt_outs()],
        lambda: client.opt_out("+380671234567"),
        lambda: client.find_opt_out("+380671234567"),
        lambda: client.remove_opt_out("+380671234567"),
        lambda: [*client.replay_all(since="2026-12-01T07:00:00Z")],
        client.new_webhook_secret,
        lambda: client.put_audio("welcome", b"RIFF"),
        lambda: client.put_audio("welcome", bytes(4 * 1024 * 1024 + 1)),
        client.list_audio,
        *(lambda name=name, given=given: list(getattr(client, name)(given)) for name, given in by_one.items()),
    ]
    for call in calls:
        with suppress(Exception):  # the answers are none; what was asked counts
            call()
    return found


def test_the_client_has_every_route():
    routes = {route for route in SCOPES if route not in get_args(Open)}
    assert routes - asked() == set()


@pytest.mark.parametrize(("model", "told"), PAIRS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_every_member_of_an_answer_has_a_name_in_the_client(model, told):
    known = {field.alias for field in model.model_fields.values()}
    members = {name for one in told for name in get_type_hints(one)}
    assert members - known == set()
    # And what the client requires is always there
    required = {field.alias for field in model.model_fields.values() if field.is_required()}
    assert required <= set.intersection(*(set(one.__required_keys__) for one in told))


def test_a_signature_of_the_service_is_right_for_the_client_and_the_other_way_round():
    secret, body, moment = "whsec_bGFwdG9wLXdlYmhvb2stc2VjcmV0LXNwZWVjaGNhbGw=", '{"action":{"a":"Зоя"}}', 1795402764
    theirs = Webhook(secret).sign("7-1-2-m0-d1-0", datetime.fromtimestamp(moment, UTC), body)
    assert sign("7-1-2-m0-d1-0", moment, body.encode(), secret) == theirs
    headers = {"webhook-id": "7-1-2-m0-d1-0", "webhook-timestamp": str(moment), "webhook-signature": theirs}
    assert verify(headers, body.encode(), secret, now=moment).content == {"action": {"a": "Зоя"}}
