"""The sender of text messages: is it there, may it send where accounts may have them sent, is there money for it?

Sources: AWS End User Messaging SMS API reference, version 2: DescribePhoneNumbers (Status, NumberCapabilities,
MessageType, InternationalSendingEnabled), DescribeSenderIds (IsoCountryCode), DescribePools (Status),
DescribeSpendLimits (EnforcedLimit, in US dollars a month), DescribeAccountAttributes (ACCOUNT_TIER,
DEFAULT_PROTECT_CONFIGURATION_ID), GetProtectConfigurationCountryRuleSet (ProtectStatus); SendTextMessage's reasons
INTERNATIONAL_SENDING_NOT_SUPPORTED, INVALID_IDENTITY_FOR_DESTINATION_COUNTRY, DESTINATION_COUNTRY_BLOCKED. User guide,
"About the SMS/MMS and voice sandbox": a new account sends for one dollar a month, and to verified numbers alone.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from cli.doctor.countries import countries_of, countries_under, is_wide
from cli.doctor.findings import Check, Finding, Verdict
from cli.doctor.stack import Stack
from speechcall.shared.adapters.stepfunctions import error_code

CONSOLE = "AWS End User Messaging console, SMS"
ANOTHER = "Deploy with the ARN of another sender in SmsOriginationIdentity, or with an empty one: then none are sent."
_GOING = frozenset({"DELETED", "DELETING"})
TEXT_LIMIT, LITTLE = "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", 1
"""A spending limit's name, and US dollars a month: a new account has no more."""


class Sender(NamedTuple):
    """What the parameter names: `kind` is phone-number, sender-id or pool."""

    arn: str
    region: str
    kind: str
    name: str
    """Of a sender ID with its country: SHOP/DE."""


def sms_checks(stack: Stack) -> Iterator[Check]:
    """The checks of the sender; none for a stack that sends no text messages in place of calls."""
    arn = stack.parameters.get("SmsOriginationIdentity", "")  # a release before has no such parameter
    if not arn:
        return
    parts = arn.split(":", 5)
    sender = Sender(arn, parts[3], *parts[5].split("/", 1))
    yield Check("sms-sender", "the sender of text messages is there and active", lambda: _sender(stack, sender))
    yield Check("sms-countries", "it may send where accounts may have it sent", lambda: _countries(stack, sender))
    yield Check("sms-spend", "there is money for text messages", lambda: _spend(stack))
    yield Check("sms-tier", "text messages reach any number", lambda: _tier(stack))


def _described(stack: Stack, sender: Sender) -> dict[str, Any] | None:
    """The sender, as the service knows it; None: it is not there."""
    sms = stack.client("pinpoint-sms-voice-v2")
    try:
        if sender.kind == "phone-number":
            found = sms.describe_phone_numbers(PhoneNumberIds=[sender.arn])["PhoneNumbers"]
        elif sender.kind == "pool":
            found = sms.describe_pools(PoolIds=[sender.arn])["Pools"]
        else:
            name, _, country = sender.name.partition("/")
            found = sms.describe_sender_ids(SenderIds=[{"SenderId": name, "IsoCountryCode": country}])["SenderIds"]
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            return None
        raise
    return next(iter(found), None)


def _sender(stack: Stack, sender: Sender) -> Iterator[Finding]:
    """Whether the sender is in the stack's Region, there, active, and can send transactional text messages to phones.

    Of what the service does not tell of this kind of sender (a sender ID has no Status) nothing is found.
    """
    here = _region(stack)
    if sender.region != here:
        yield Finding(f"The sender of text messages is in {sender.region}, and this stack in {here}.", ANOTHER)
        return
    found = _described(stack, sender)
    if found is None:
        yield Finding(f"The sender of text messages is not there: {sender.kind} {sender.name}.", ANOTHER)
        return
    if (status := found.get("Status", "ACTIVE")) != "ACTIVE":
        repair = f"It does not come back. {ANOTHER}" if status in _GOING else f"{CONSOLE}: wait, or see why. {ANOTHER}"
        yield Finding(f"The sender of text messages is {status}, not ACTIVE.", repair)
    if "SMS" not in found.get("NumberCapabilities", ["SMS"]):
        yield Finding("The sender's number can be called and sends no text messages.", ANOTHER)
    if found.get("NumberType") == "SIMULATOR":
        yield Finding("The sender is a simulator's number, which reaches no phone.", ANOTHER, Verdict.WARNING)
    if "TRANSACTIONAL" not in found.get("MessageTypes", [found.get("MessageType", "TRANSACTIONAL")]):
        text = "The sender is for promotional messages, and ours are sent as transactional ones."
        yield Finding(text, ANOTHER, Verdict.WARNING)


def _countries(stack: Stack, sender: Sender) -> Iterator[Finding]:
    """Where accounts that may have SMS sent may call, against where the sender and the AWS account may send.

    A pool is not asked for its country: it may hold a sender for each. Of countries that share a code the AWS account's
    rules are looked at for the main one alone. That the sender is not there, or not in this Region, is for the check
    `sms-sender` to tell. A prefix of several country codes (`*`, `+4`) is a warning: whether anybody there is called is
    not known.
    """
    granted = [account for account in stack.deployment.accounts.all() if account.sms_per_day and not account.disabled]
    wanted = countries_of(prefix for account in granted for prefix in account.prefixes)
    wide = {account.account_id: sorted(filter(is_wide, account.prefixes)) for account in granted}
    wide = {account_id: prefixes for account_id, prefixes in wide.items() if prefixes}
    named = ", ".join(f"{account_id} ({', '.join(prefixes)})" for account_id, prefixes in sorted(wide.items()))
    if home := _only_country(stack, sender):
        repair = f"{CONSOLE}: a pool with a sender for each country. {ANOTHER}"
        if abroad := sorted(_named(countries) for countries in wanted if home not in countries):
            text = f"The sender may send to {home} alone, and accounts may have text messages sent to"
            yield Finding(f"{text} {', '.join(abroad)}.", repair)
        if wide:
            text = f"The sender may send to {home} alone, and prefixes of accounts are wider than a country: {named}."
            yield Finding(text, f"{repair} Or speechcall account set ID --prefix: docs/cli.md.", Verdict.WARNING)
    blocked = _blocked(stack)
    protection = "The protect configuration of this AWS account blocks text messages to"
    repair = f"{CONSOLE}, Protect configurations: allow the country in the account's default one."
    if closed := sorted(_named(countries) for countries in wanted if countries[0] in blocked):
        yield Finding(f"{protection} {', '.join(closed)}.", repair)
    reached = {countries for prefixes in wide.values() for prefix in prefixes for countries in countries_under(prefix)}
    if maybe := sorted(_named(countries) for countries in reached - wanted if countries[0] in blocked):
        text = f"{protection} {', '.join(maybe)}, and prefixes of accounts are wide enough for that: {named}."
        yield Finding(text, repair, Verdict.WARNING)


def _only_country(stack: Stack, sender: Sender) -> str | None:
    """The one country (ISO 3166-1) to which the sender may send; None: it is not limited to one, or cannot be asked.

    It cannot where it is not there, or is one of another Region, which knows its own senders alone.
    """
    if sender.kind == "pool" or sender.region != _region(stack) or (found := _described(stack, sender)) is None:
        return None
    if sender.kind == "phone-number" and found.get("InternationalSendingEnabled", False):
        return None
    country: str = found["IsoCountryCode"]
    return country


def _region(stack: Stack) -> str:
    """The Region of the stack, out of its ARN."""
    region: str = stack.described["StackId"].split(":")[3]
    return region


def _blocked(stack: Stack) -> set[str]:
    """The countries (ISO 3166-1) to which the AWS account's own rules let no text message through."""
    protection = _attribute(stack, "DEFAULT_PROTECT_CONFIGURATION_ID")
    if not protection:
        return set()
    rules = stack.client("pinpoint-sms-voice-v2").get_protect_configuration_country_rule_set(
        ProtectConfigurationId=protection, NumberCapability="SMS"
    )["CountryRuleSet"]
    return {country for country, rule in rules.items() if rule["ProtectStatus"] == "BLOCK"}


def _attribute(stack: Stack, name: str) -> str:
    """An attribute of the AWS account in this service; empty: it has none of this name."""
    pages = stack.client("pinpoint-sms-voice-v2").get_paginator("describe_account_attributes").paginate()
    return next((one["Value"] for page in pages for one in page["AccountAttributes"] if one["Name"] == name), "")


def _spend(stack: Stack) -> Iterator[Finding]:
    """Whether the monthly limit for text messages is 0, no more than a new account's, or not told."""
    pages = stack.client("pinpoint-sms-voice-v2").get_paginator("describe_spend_limits").paginate()
    limits = {one["Name"]: one["EnforcedLimit"] for page in pages for one in page["SpendLimits"]}
    limit = limits.get(TEXT_LIMIT)
    repair = f"{CONSOLE}, Overview: raise the monthly limit for text messages; above its quota by AWS Support."
    if limit is None:
        yield Finding("AWS does not say how much may be spent on text messages.", repair, Verdict.UNKNOWN)
    elif limit <= 0:
        yield Finding("The spending limit for text messages is 0: none is sent.", repair)
    elif limit <= LITTLE:
        yield Finding(f"The spending limit for text messages is {limit} USD a month.", repair, Verdict.WARNING)


def _tier(stack: Stack) -> Iterator[Finding]:
    if _attribute(stack, "ACCOUNT_TIER") == "SANDBOX":
        yield Finding(
            "This AWS account is in the sandbox for text messages: they reach verified numbers alone.",
            f"{CONSOLE}, Overview: move the account out of the sandbox.",
        )


def _named(countries: tuple[str, ...]) -> str:
    """A country, or the main one of those that share a code."""
    first, *others = countries
    return f"{first} (or others under its code)" if others else first
