"""The keys of every item, and the parts of the index `due`: nothing else makes or takes one apart.

docs/storage.md says what is under each, and a test holds that page to this module. In MessagesTable all that
belongs to a message has its partition, `M#<mid>`; readers pick by the beginning of the sort key.
"""

from typing import Any

from speechcall.shared.rules.ids import SHARDS, shard_of

Key = dict[str, str]
Item = dict[str, Any]

CALLS, DELIVERIES = "CALL#", "HOOK#"
"""How the sort keys of a message's call attempts and of its deliveries begin."""
MESSAGE = "MESSAGE"
"""The sort key of a message itself."""


# ------------------------------------------------------------- MessagesTable
def message_partition(mid: str) -> str:
    """The partition of a message, its call attempts and its deliveries."""
    return f"M#{mid}"


def message_key(mid: str) -> Key:
    """A message."""
    return {"pk": message_partition(mid), "sk": MESSAGE}


def mid_of(pk: str) -> str:
    """The message that a partition belongs to."""
    return pk.removeprefix("M#")


FALLBACK = "FALLBACK"
"""The sort key of a message's fallback."""


def fallback_key(mid: str) -> Key:
    """What is sent in place of a message's call, and what has become of it."""
    return {"pk": message_partition(mid), "sk": FALLBACK}


def call_key(mid: str, attempt: int) -> Key:
    """A call attempt. Three digits, so that they stand in order."""
    return {"pk": message_partition(mid), "sk": f"{CALLS}{attempt:03}"}


def delivery_key(mid: str, event_id: str) -> Key:
    """The delivery of a webhook."""
    return {"pk": message_partition(mid), "sk": f"{DELIVERIES}{event_id}"}


def call_file_key(mid: str, form: str) -> Key:
    """The signed file of a message's calls; `form`: with which number."""
    return {"pk": message_partition(mid), "sk": f"FILE#{form}"}


def deliveries_of_a_call(mid: str, attempt: int) -> str:
    """How the sort keys of the deliveries of one call attempt begin: see `ids.event_id`."""
    return f"{DELIVERIES}{mid}-{attempt}-"


def delivery_names(item: Item) -> tuple[str, str]:
    """Message and event id out of the key of a delivery's item."""
    return mid_of(item["pk"]), str(item["sk"]).removeprefix(DELIVERIES)


def contact_key(contact_id: str) -> Key:
    """Whose a contact of Amazon Connect is."""
    return {"pk": f"C#{contact_id}", "sk": "CONTACT"}


# ---------------------------------------------------- MessagesTable's index `due`
SETTLING = "settling"
"""The messages whose call is over, and of which is not known yet why: few, and not for long."""
LATER = "later"
"""The messages that wait for a moment, not for their turn; it is short."""


FALLBACKS = "fallback"
"""The fallbacks that wait to be sent, or for what became of them: as few as messages that end in a minute."""


def due_shard(state: str, mid: str) -> str:
    """The part that holds what is due in `state` and belongs to a message."""
    return f"{state}#{shard_of(mid)}"


def due_shards(state: str) -> list[str]:
    """All parts that hold what is due in `state`."""
    return [f"{state}#{number}" for number in range(SHARDS)]


WEBHOOK = "webhook"
"""The state, in `due_shard`, of a delivery that is pending."""


def undelivered_shard(account_id: str) -> str:
    """The part that holds what was given up for an account."""
    return f"undelivered#{account_id}"


# --------------------------------------------------- MessagesTable's index `order`
def waiting_partition(account_id: str, campaign: str, is_urgent: bool, window: str = "") -> str:
    """The messages of one queue that wait for a line."""
    return f"WAITING#{account_id}#{_lane(is_urgent)}#{_queue(campaign, window)}"


def is_waiting_place(item: Item) -> bool:
    """Whether a message stands in a queue, out of its item."""
    return str(item.get("order_pk", "")).startswith("WAITING#")


def person_partition(account_id: str, digest: str) -> str:
    """The messages of an account to a number that have ended, by the number's digest."""
    return f"PERSON#{account_id}#{digest}"


def waiting_place(mid: str) -> str:
    """The place of a message in its queue, by its id: first accepted, first served, also when it is dialled again."""
    return f"{mid:0>19}"


def called_partition(digest: str) -> str:
    """The call attempts to a number, by its digest."""
    return f"CALLED#{digest}"


def called_digest(item: Item) -> str:
    """The digest of the number that a call attempt calls, out of its item; empty: it has none."""
    return str(item.get("order_pk", "")).removeprefix("CALLED#")


def called_place(dialled_msec: int) -> str:
    """The place of a call attempt among those to its number: the latest is the last."""
    return f"{dialled_msec:013}"


# ------------------------------------------------------------- RegistryTable
ACCOUNTS = "ACCOUNTS"
"""The partition of all accounts."""
SIGNING_SECRETS = "WEBHOOK_SECRETS"
"""The partition of all accounts' signing secrets."""
POOL: Key = {"pk": "POOL", "sk": "POOL"}
UPLOADS = "ID#"
"""How the sort keys of uploaded prompts begin."""


def account_key(account_id: str) -> Key:
    """An account's settings."""
    return {"pk": ACCOUNTS, "sk": account_id}


def credential_key(name: str) -> Key:
    """A credential, by a name of `accounts.use_cases.accounts`."""
    return {"pk": f"CREDENTIAL#{name}", "sk": "CREDENTIAL"}


def signing_secrets_key(account_id: str) -> Key:
    """An account's signing secrets."""
    return {"pk": SIGNING_SECRETS, "sk": account_id}


def _lane(is_urgent: bool) -> str:
    return "URGENT" if is_urgent else "NORMAL"


QUEUES = "QUEUE#"
"""How the sort keys of an account's queues begin, in the partition of its turns."""


def turns_partition(account_id: str) -> str:
    """The partition of an account's turns and of its queues."""
    return f"TURN#{account_id}"


def turn_key(account_id: str, is_urgent: bool) -> Key:
    """An account among those that wait for a line."""
    return {"pk": turns_partition(account_id), "sk": _lane(is_urgent)}


def _queue(campaign: str, window: str) -> str:
    """The name of a queue in its lane. `window`: the class of its hours; empty for every hour."""
    return f"{campaign}#{window}" if window else campaign


def queue_key(account_id: str, campaign: str, is_urgent: bool, window: str = "") -> Key:
    """One of an account's queues."""
    return {"pk": turns_partition(account_id), "sk": f"{QUEUES}{_lane(is_urgent)}#{_queue(campaign, window)}"}


def turn_names(key: Item) -> tuple[str, bool]:
    """The account of a turn, and whether it is about its urgent messages, out of the key of its item."""
    return str(key["pk"]).removeprefix("TURN#"), key["sk"] == _lane(is_urgent=True)


def queue_names(key: Item) -> tuple[str, str, bool, str]:
    """Account, campaign, urgency and hours of a queue, out of the key of its item."""
    lane, _, name = str(key["sk"]).removeprefix(QUEUES).partition("#")
    campaign, _, window = name.partition("#")
    return str(key["pk"]).removeprefix("TURN#"), campaign, lane == _lane(is_urgent=True), window


def campaign_key(account_id: str, name: str) -> Key:
    """A campaign of an account."""
    return {"pk": f"CAMPAIGN#{account_id}#{name}", "sk": "CAMPAIGN"}


def list_in_campaign_key(list_id: str) -> Key:
    """What the campaign of a list has of it."""
    return {"pk": f"LIST#{list_id}", "sk": "CAMPAIGN"}


FUNNELS = "FUNNEL#"
"""How the sort keys of a campaign's funnels begin, in its partition."""


def funnel_key(account_id: str, name: str, shape: str) -> Key:
    """The funnel of one shape of menus in a campaign."""
    return {"pk": campaign_key(account_id, name)["pk"], "sk": f"{FUNNELS}{shape}"}


def open_campaigns_key(account_id: str) -> Key:
    """How many campaigns of an account have an unfinished message."""
    return {"pk": f"CAMPAIGNS#{account_id}", "sk": "OPEN"}


def list_ends_key(list_id: str) -> Key:
    """How many messages of a list have not ended, where its sender is told when all have; who tells reads it alone."""
    return {"pk": f"ENDS#{list_id}", "sk": "ENDS"}


def list_brake_key(list_id: str) -> Key:
    """Whether a list is paused or cancelled; apart from the list, because every claim looks at it."""
    return {"pk": f"LIST#{list_id}", "sk": "BRAKE"}


def stop_key(kind: str, account_id: str, name: str) -> Key:
    """What is still to be done about something that was cancelled. `kind`: list, campaign, account or message."""
    return {"pk": f"STOP#{kind}#{account_id}#{name}", "sk": "STOP"}


def person_job_key(job_id: str) -> Key:
    """What was asked for about a person: erasure, or access."""
    return {"pk": f"PERSON#{job_id}", "sk": "JOB"}


def rehearsal_key(job_id: str) -> Key:
    """A rehearsal that was asked for: how far it has come, and its figures."""
    return {"pk": f"REHEARSAL#{job_id}", "sk": "JOB"}


def rehearsed_list_key(job_id: str) -> Key:
    """What it rehearses, until it has ended."""
    return {"pk": f"REHEARSAL#{job_id}", "sk": "LIST"}


def rehearsals_key(account_id: str) -> Key:
    """An account's latest rehearsal, and how many it has asked for in a day."""
    return {"pk": f"REHEARSALS#{account_id}", "sk": "LATEST"}


def audit_partition(account_id: str) -> str:
    """The audit trail of an account; empty: of what belongs to none."""
    return f"AUDIT#{account_id}"


def audit_key(account_id: str, place: str) -> Key:
    """A record of the audit trail."""
    return {"pk": audit_partition(account_id), "sk": place}


def audit_place(at_msec: int, record_id: str) -> str:
    """The place of a record among the others, by its moment."""
    return f"{at_msec:013}#{record_id:0>19}"


SIGNING_KEYS = "SIGNING_KEYS"
"""The partition of the public keys that have signed calls."""


def signing_key_key(kid: str) -> Key:
    """One of them, by its thumbprint (RFC 7638)."""
    return {"pk": SIGNING_KEYS, "sk": kid}


DIGEST_KEY: Key = {"pk": "DIGEST_KEY", "sk": "KEY"}
"""The sealed key of the digests of numbers."""


def opt_outs_partition(account_id: str) -> str:
    """The partition of an account's opt-outs."""
    return f"OPTOUTS#{account_id}"


def opt_outs_of_list(list_name: str) -> str:
    """How the sort keys of the opt-outs of a list begin."""
    return f"{list_name}#"


def opt_out_key(account_id: str, list_name: str, digest: str) -> Key:
    """The opt-out of a number, by its digest."""
    return {"pk": opt_outs_partition(account_id), "sk": f"{opt_outs_of_list(list_name)}{digest}"}


def opt_out_list_key(account_id: str, list_name: str) -> Key:
    """What is known of a list of opt-outs as a whole."""
    return {"pk": f"OPTOUTLIST#{account_id}#{list_name}", "sk": "LIST"}


def opt_out_names(sk: str) -> tuple[str, str]:
    """List and digest out of a sort key."""
    list_name, _, digest = sk.partition("#")
    return list_name, digest


# ------------------------------------------------- RegistryTable's index `order`
TURNS = "TURNS"
"""The accounts that wait for a line, by virtual time."""


STOPS = "STOPS"
"""What was cancelled and is not done with, the oldest first."""


def stop_place(begun_msec: int, pk: str) -> str:
    """The place of something that was cancelled among the others."""
    return f"{begun_msec:013}#{pk}"


def audit_month(year: int, month: int) -> str:
    """The audit trail of all accounts, of one month (UTC)."""
    return f"AUDITMONTH#{year:04}-{month:02}"


PEOPLE = "PEOPLE"
"""What was asked for about people and is not done with, by when it is looked at again."""


def person_job_place(next_msec: int, job_id: str) -> str:
    """The place of such a request among the others."""
    return f"{next_msec:013}#{job_id}"


def person_jobs_until(now_msec: int) -> str:
    """Behind all places of those that are to be looked at until now."""
    return f"{now_msec + 1:013}"


def campaign_lists_partition(account_id: str, name: str) -> str:
    """The lists of a campaign."""
    return f"CAMPAIGN#{account_id}#{name}"


def campaign_lists_place(list_id: str) -> str:
    """The place of a list in its campaign, by its id: ids are in the order of time."""
    return f"{list_id:0>19}"


def turn_place(account_id: str, is_urgent: bool, virtual: int) -> str:
    """The place of an account among those that wait: the urgent ones first."""
    return f"{0 if is_urgent else 1}#{virtual:020}#{account_id}"


def queues_partition(account_id: str, is_urgent: bool) -> str:
    """The queues of an account that wait for a line."""
    return f"QUEUES#{account_id}#{_lane(is_urgent)}"


def queue_place(campaign: str, virtual: int, window: str = "") -> str:
    """The place of a queue among its account's."""
    return f"{virtual:020}#{_queue(campaign, window)}"


SHUT = "SHUT"
"""The queues whose hours are shut, by the moment at which they open."""


def shut_place(opens_msec: int, account_id: str, campaign: str, is_urgent: bool, window: str) -> str:
    """The place of a queue among those that are shut."""
    return f"{opens_msec:013}#{account_id}#{_lane(is_urgent)}#{_queue(campaign, window)}"


def shut_until(now_msec: int) -> str:
    """Behind all places of queues that open until now."""
    return f"{now_msec + 1:013}"


ACCEPTING = "ACCEPTING"
"""The lists of campaigns that are counted, and whose messages may not be written yet, by the moment of that."""


def accepting_place(list_id: str, msec: int) -> str:
    """The place of a list among those whose messages are being written."""
    return f"{msec:013}#{list_id}"


def campaigns_partition(account_id: str) -> str:
    """The campaigns of an account."""
    return f"CAMPAIGNS#{account_id}"


def campaign_place(name: str, created_msec: int) -> str:
    """The place of a campaign among its account's, by the moment at which it began."""
    return f"{created_msec:013}#{name}"


# ------------------------------------------------------------------------- lists
def list_key(list_id: str) -> Key:
    """A list of messages."""
    return {"pk": f"LIST#{list_id}", "sk": "LIST"}


def idempotency_key(account_id: str, digest: str) -> Key:
    """The list that an account's idempotency key belongs to, by the key's SHA-256."""
    return {"pk": f"IDEMPOTENCY#{account_id}#{digest}", "sk": "KEY"}


def bucket_key(account_id: str, rate: int) -> Key:
    """An account's token bucket. Its ticks depend on the rate: with another rate begins another bucket."""
    return {"pk": f"BUCKET#{account_id}#{rate}", "sk": "BUCKET"}


def day_key(account_id: str, date: str) -> Key:
    """The calls of an account's day; `date` as YYYY-MM-DD."""
    return {"pk": f"DAY#{account_id}#{date}", "sk": "DAY"}


def number_calls_key(account_id: str, digest: str) -> Key:
    """The calls to a number that count against its cap: those of an account, or (empty) of all accounts."""
    return {"pk": f"NUMBER#{account_id}#{digest}", "sk": "CALLS"}


def minutes_key(account_id: str, date: str) -> Key:
    """The line time of an account's day; `date` as YYYY-MM-DD."""
    return {"pk": f"MINUTES#{account_id}#{date}", "sk": "MINUTES"}


def spend_key(account_id: str, date: str) -> Key:
    """What the calls of an account's day cost; `date` as YYYY-MM-DD."""
    return {"pk": f"SPEND#{account_id}#{date}", "sk": "SPEND"}


RATES: Key = {"pk": "RATES", "sk": "VERSIONS"}
"""The imports of rates, and since when each holds."""


def rates_index_key(version_id: str) -> Key:
    """Where the pages of a version of the rates begin."""
    return {"pk": f"RATES#{version_id}", "sk": "INDEX"}


def rates_page_key(version_id: str, number: int) -> Key:
    """A page of a version of the rates."""
    return {"pk": f"RATES#{version_id}", "sk": f"PAGE#{number:03}"}


def sms_key(account_id: str, date: str) -> Key:
    """The parts of text messages of an account's day; `date` as YYYY-MM-DD."""
    return {"pk": f"SMS#{account_id}#{date}", "sk": "SMS"}


def urgent_key(account_id: str, minute: int) -> Key:
    """The urgent messages of an account's minute, counted from the epoch."""
    return {"pk": f"URGENT#{account_id}#{minute}", "sk": "URGENT"}


def shape_key(shape: str) -> Key:
    """A shape of menus that was sent before."""
    return {"pk": f"SHAPE#{shape}", "sk": "SHAPE"}


def shape_of(pk: str) -> str:
    """The shape that a partition belongs to."""
    return pk.removeprefix("SHAPE#")


def new_shapes_key(account_id: str, date: str) -> Key:
    """The new shapes of an account's day; `date` as YYYY-MM-DD."""
    return {"pk": f"SHAPES#{account_id}#{date}", "sk": "SHAPES"}


def prompts_partition(account_id: str) -> str:
    """The partition of an account's prompts."""
    return f"PROMPT#{account_id}"


def uploaded_prompt_key(account_id: str, name: str) -> Key:
    """A prompt that was uploaded under an identifier."""
    return {"pk": prompts_partition(account_id), "sk": f"{UPLOADS}{name}"}


def fetched_prompt_key(account_id: str, digest: str) -> Key:
    """A prompt from a URL, by the URL's SHA-256: it may be longer than a sort key can be."""
    return {"pk": prompts_partition(account_id), "sk": f"URL#{digest}"}


def spoken_prompt_key(account_id: str, digest: str) -> Key:
    """A prompt from a text, by the text's SHA-256."""
    return {"pk": prompts_partition(account_id), "sk": f"SAY#{digest}"}


def flow_key(name: str) -> Key:
    """A published flow, by its machine's name."""
    return {"pk": f"FLOW#{name}", "sk": "FLOW"}


def flow_of(pk: str) -> str:
    """The machine's name that a partition belongs to."""
    return pk.removeprefix("FLOW#")


def destination_key(name: str) -> Key:
    """The attempts in flight to a receiver, for an account, or for prompts. A name may be longer than a key can be."""
    return {"pk": f"DESTINATION#{name[:900]}", "sk": "DESTINATION"}
