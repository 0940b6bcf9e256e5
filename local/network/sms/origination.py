"""What AWS End User Messaging SMS tells of its one origination identity, and of the account.

Source: its API reference, version 2: DescribePhoneNumbers, DescribeSenderIds, DescribePools (an id that is not there is
an error, ResourceNotFoundException), DescribeSpendLimits, DescribeAccountAttributes and
GetProtectConfigurationCountryRuleSet; the members that must be there are those of its description in botocore. The
figures are an account's that is out of the sandbox; the country, the dates and the price are made up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Operation = Callable[[dict[str, Any]], dict[str, Any]]
PROTECTION = "protect-5eec4ca1"


@dataclass
class Origination:
    """The identity of an ARN (a phone number, a sender ID or a pool), and its account. A test changes what is told."""

    arn: str
    identity: dict[str, Any] = field(default_factory=dict)
    """Members that are told otherwise than they are at first."""
    spend_limit: int = 100
    tier: str = "PRODUCTION"
    rules: dict[str, str] = field(default_factory=dict)
    """By country: ALLOW, BLOCK, MONITOR or FILTER. Where there are none, the account has no default protection."""

    @property
    def kind(self) -> str:
        """phone-number, sender-id or pool."""
        return self._named[0]

    @property
    def _named(self) -> tuple[str, str]:
        kind, _, name = self.arn.split(":", 5)[5].partition("/")
        return kind, name

    def operations(self, missing: Callable[[str], Exception]) -> Mapping[str, Operation]:
        """What it answers, by the operations' names; `missing` makes the error for what is not there."""

        def described(kind: str, member: str, asked: str) -> Operation:
            def answer(request: dict[str, Any]) -> dict[str, Any]:
                wanted = [self._key(one) for one in request.get(asked, [])]
                if any(self.kind != kind or one not in (self.arn, self._named[1]) for one in wanted):
                    raise missing(f"there is no such {kind}")
                return {member: [self.told()] if self.kind == kind else []}

            return answer

        return {
            "DescribePhoneNumbers": described("phone-number", "PhoneNumbers", "PhoneNumberIds"),
            "DescribeSenderIds": described("sender-id", "SenderIds", "SenderIds"),
            "DescribePools": described("pool", "Pools", "PoolIds"),
            "DescribeSpendLimits": lambda _: {"SpendLimits": [self._limit()]},
            "DescribeAccountAttributes": lambda _: {"AccountAttributes": self._attributes()},
            "GetProtectConfigurationCountryRuleSet": lambda request: self._rules(request, missing),
        }

    def _key(self, wanted: Any) -> str:
        """A sender ID is asked for by its name and country."""
        if isinstance(wanted, str):
            return wanted
        sender: str = wanted["SenderId"]
        return sender if sender.startswith("arn:") else f"{sender}/{wanted['IsoCountryCode']}"

    def told(self) -> dict[str, Any]:
        """The identity, as its operation tells it."""
        kind, name = self._named
        price: dict[str, Any] = {"MonthlyLeasingPrice": "1.00", "DeletionProtectionEnabled": True}
        replies = {"TwoWayEnabled": False, "SelfManagedOptOutsEnabled": False, "OptOutListName": "Default"}
        if kind == "sender-id":
            sender, _, country = name.partition("/")
            known = {"SenderIdArn": self.arn, "SenderId": sender, "IsoCountryCode": country, "Registered": True}
            return {**known, **price, "MessageTypes": ["TRANSACTIONAL"], **self.identity}
        known = {"Status": "ACTIVE", "MessageType": "TRANSACTIONAL", "CreatedTimestamp": 1_790_000_000, **replies}
        if kind == "pool":
            more = {
                "PoolArn": self.arn,
                "PoolId": name,
                "SharedRoutesEnabled": False,
                "DeletionProtectionEnabled": True,
            }
            return {**known, **more, **self.identity}
        number = {"PhoneNumberArn": self.arn, "PhoneNumberId": name, "PhoneNumber": "+4930123456"}
        is_ = {"IsoCountryCode": "DE", "NumberCapabilities": ["SMS"], "NumberType": "LONG_CODE"}
        return {**known, **price, **number, **is_, "InternationalSendingEnabled": True, **self.identity}

    def _limit(self) -> dict[str, Any]:
        figures = {"EnforcedLimit": self.spend_limit, "MaxLimit": max(self.spend_limit, 1), "Overridden": True}
        return {"Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", **figures}

    def _attributes(self) -> list[dict[str, str]]:
        protection = [{"Name": "DEFAULT_PROTECT_CONFIGURATION_ID", "Value": PROTECTION}] if self.rules else []
        return [{"Name": "ACCOUNT_TIER", "Value": self.tier}, *protection]

    def _rules(self, request: dict[str, Any], missing: Callable[[str], Exception]) -> dict[str, Any]:
        if request["ProtectConfigurationId"] != PROTECTION or not self.rules:
            raise missing("there is no such protect configuration")
        return {
            "ProtectConfigurationArn": self.arn.rsplit(":", 1)[0] + f":protect-configuration/{PROTECTION}",
            "ProtectConfigurationId": PROTECTION,
            "NumberCapability": request["NumberCapability"],
            "CountryRuleSet": {country: {"ProtectStatus": status} for country, status in self.rules.items()},
        }
