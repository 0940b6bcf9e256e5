"""One contract for the accounts' prompts: DynamoDB and memory do the same."""

import pytest

from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.rules.prompt import AudioWarning, KnownPrompt, Prompt, Source, Trying
from tests.kit.registry import TABLE, empty_registry
from tests.kit.samples import NOW
from tests.stores.prompts import MemoryPrompts

PROMPT = Prompt("https://bucket/a.wav", 2.375, 19_058, (AudioWarning("SILENT_AUDIO", "nothing can be heard"),))
UPLOADED = KnownPrompt("ivr_651854", PROMPT, NOW)
URL = "https://example.com/" + "a" * 2028
FETCHED = KnownPrompt(URL, PROMPT, NOW, None, Source('"v1"', None, "ab" * 32, NOW, NOW + 3_600_000))


@pytest.fixture(params=["memory", "dynamodb"])
def prompts(request):
    if request.param == "memory":
        yield MemoryPrompts()
        return
    with empty_registry() as client:
        yield DynamoPrompts(client, TABLE)


@pytest.mark.parametrize(
    "known",
    [
        UPLOADED,
        UPLOADED._replace(used_msec=NOW + 5),
        FETCHED,
        KnownPrompt(URL, None, 0, None, Source(failed_msec=NOW, cause="https://example.com/a answered 404")),
        UPLOADED._replace(prompt=Prompt("https://bucket/b.wav", 3)),
        FETCHED._replace(name="say:" + "ab" * 32 + ".mulaw"),
        KnownPrompt(URL, None, 0, trying=Trying(3, NOW, is_open=True)),
        FETCHED._replace(trying=Trying(1, NOW, next_msec=NOW + 5)),
    ],
)
def test_what_was_put_is_found_by_its_account_and_name_alone(prompts, known):
    assert prompts.find("acme", known.name) is None
    prompts.put("acme", known)
    assert prompts.find("acme", known.name) == known
    assert prompts.find("other", known.name) is None
    assert prompts.find("acme", known.name + "x") is None


def test_it_takes_the_place_of_what_was_there(prompts):
    prompts.put("acme", UPLOADED._replace(used_msec=NOW))
    prompts.put("acme", UPLOADED._replace(stored_msec=NOW + 1))
    assert prompts.find("acme", "ivr_651854") == UPLOADED._replace(stored_msec=NOW + 1)


@pytest.mark.parametrize("known", [UPLOADED, FETCHED])
def test_its_use_is_noted_and_nothing_else_changes(prompts, known):
    prompts.put("acme", known)
    prompts.put_used("acme", known.name, NOW + 7)
    assert prompts.find("acme", known.name) == known._replace(used_msec=NOW + 7)


def test_a_removed_prompt_stays_removed_though_its_use_is_noted(prompts):
    prompts.put("acme", UPLOADED)
    marked = prompts.mark_removed("acme", "ivr_651854")
    assert marked == UPLOADED._replace(is_removed=True)
    assert prompts.find("acme", "ivr_651854") is None
    assert prompts.find_any("acme", "ivr_651854") == marked
    assert prompts.uploaded("acme") == []
    assert prompts.mark_removed("acme", "ivr_651854") == marked
    prompts.forget("acme", marked)
    prompts.put_used("acme", "ivr_651854", NOW)
    assert prompts.find_any("acme", "ivr_651854") is None
    assert prompts.mark_removed("acme", "ivr_651854") is None


def test_only_what_was_marked_and_is_still_there_is_forgotten(prompts):
    prompts.put("acme", UPLOADED)
    prompts.forget("acme", UPLOADED)
    assert prompts.find("acme", "ivr_651854") == UPLOADED
    marked = prompts.mark_removed("acme", "ivr_651854")
    other = UPLOADED._replace(prompt=Prompt("https://bucket/other.wav", 1))
    prompts.put("acme", other._replace(is_removed=True))
    prompts.forget("acme", marked)
    assert prompts.find_any("acme", "ivr_651854") == other._replace(is_removed=True)


def test_it_takes_the_place_only_of_what_was_found(prompts):
    other = UPLOADED._replace(
        prompt=Prompt("https://bucket/other.wav", 1), replaced=(PROMPT.uri, "https://bucket/c.wav")
    )
    assert not prompts.put_instead("acme", other, UPLOADED)
    assert prompts.put_instead("acme", UPLOADED, None)
    assert not prompts.put_instead("acme", other, None)
    assert prompts.put_instead("acme", other, UPLOADED._replace(used_msec=NOW))
    assert not prompts.put_instead("acme", UPLOADED, UPLOADED)
    prompts.note_settled("acme", UPLOADED)
    assert prompts.find("acme", "ivr_651854") == other
    prompts.note_settled("acme", other)
    assert prompts.find("acme", "ivr_651854") == other._replace(replaced=())


def test_the_uploaded_ones_are_listed_by_identifier_without_urls_and_other_accounts(prompts):
    for known in (UPLOADED._replace(name="b"), UPLOADED._replace(name="a"), FETCHED):
        prompts.put("acme", known)
    prompts.put("other", UPLOADED)
    assert [known.name for known in prompts.uploaded("acme")] == ["a", "b"]
    assert prompts.uploaded("nobody") == []


def test_attempts_stand_where_the_version_before_does_not_look():
    with empty_registry() as client:
        prompts = DynamoPrompts(client, TABLE)
        prompts.put("acme", FETCHED._replace(trying=Trying(2, NOW, is_open=True)))
        (item,) = client.scan(TableName=TABLE)["Items"]
        # It takes each name in there for one of its own
        assert set(item["source"]["M"]) <= {"etag", "last_modified", "sha256", "checked_msec", "fresh_until_msec"}
        # And what another version adds there is passed over
        item["source"]["M"]["new"] = {"S": "x"}
        client.put_item(TableName=TABLE, Item=item)
        assert prompts.find("acme", URL).source == FETCHED.source


def test_a_url_that_was_never_had_is_kept_from_its_first_attempt_on():
    with empty_registry() as client:
        DynamoPrompts(client, TABLE).put("acme", KnownPrompt(URL, None, 0, trying=Trying(1, NOW, is_open=True)))
        (item,) = client.scan(TableName=TABLE)["Items"]
    assert int(item["expires_at"]["N"]) == NOW // 1000 + 30 * 86_400
