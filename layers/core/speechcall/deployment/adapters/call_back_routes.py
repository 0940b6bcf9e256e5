"""How calls to a number are led to a flow of Amazon Connect, or to a SIP media application.

Sources: Amazon Connect API reference, ListPhoneNumbersV2, ListFlowAssociations (of VOICE_PHONE_NUMBER; both members of
a summary are ARNs), AssociatePhoneNumberContactFlow, DisassociatePhoneNumberContactFlow; Amazon Chime SDK API reference
(chime-sdk-voice), ListSipRules, CreateSipRule, UpdateSipRule, DeleteSipRule (a rule is disabled before it is deleted).
"""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from speechcall.deployment.adapters.connect_facts import pages
from speechcall.deployment.rules.call_back_route import NOT_THERE, ROUTED, Found, is_free, taken

VOICE = "VOICE_PHONE_NUMBER"
TO_NUMBER = "ToPhoneNumber"


class Routes(Protocol):
    """Where calls to numbers go."""

    def find(self, number: str, own: Collection[str]) -> Found | None:
        """Where calls to a number go; of several ways, that to one of `own` (targets of ours), or else any.

        None: there is no such number (SIP rules do not tell that).
        """

    def lead(self, number: str, found: Found, target: str) -> None:
        """Leads calls to a number to a target. It is free, or leads to what was ours."""

    def free(self, found: Found) -> None:
        """Leads the calls nowhere again."""


def route(number: str, target: str, before: str, routes: Routes) -> str:
    """Leads calls to the number to the target, if they go nowhere yet, or to a target of ours.

    `before`: the target that this stack had before an update; "": it had none. Out: what came of it, a sentence for the
    stack's output. Raises ClientError.
    """
    own = {target, before} - {""}
    found = routes.find(number, own)
    if found is None:
        return NOT_THERE
    if not is_free(found, own):
        return taken(found)
    if found.target != target:
        routes.lead(number, found, target)
    return ROUTED


def withdraw(number: str, target: str, routes: Routes) -> None:
    """Leads calls to the number nowhere, if they go to the target: somebody may have led them elsewhere since."""
    found = routes.find(number, {target})
    if found and found.target == target:
        routes.free(found)


class ConnectRoutes:
    """`Routes` to flows. In: boto3's client, and the instance."""

    def __init__(self, connect: Any, instance_arn: str) -> None:
        self._connect, self._instance_arn = connect, instance_arn
        self._instance_id = instance_arn.rpartition("/")[2]

    def find(self, number: str, own: Collection[str]) -> Found | None:  # noqa: ARG002 - a number has one flow
        """As `Routes.find`. The way is named by the number's ARN, also where it leads nowhere."""
        given = {"PhoneNumberPrefix": number, "MaxResults": 1000}
        numbers = pages(self._connect.list_phone_numbers_v2, given, "ListPhoneNumbersSummaryList")
        arn = next((one["PhoneNumberArn"] for one in numbers if one["PhoneNumber"] == number), None)
        if arn is None:
            return None
        asked = {"InstanceId": self._instance_id, "ResourceType": VOICE, "MaxResults": 1000}
        for one in pages(self._connect.list_flow_associations, asked, "FlowAssociationSummaryList"):
            if one.get("ResourceId") == arn:
                return Found(str(one["FlowId"]).rpartition("/")[2], arn)
        return Found("", arn)

    def lead(self, number: str, found: Found, target: str) -> None:  # noqa: ARG002 - the handle is its ARN
        self._connect.associate_phone_number_contact_flow(
            PhoneNumberId=found.handle, InstanceId=self._instance_id, ContactFlowId=target
        )

    def free(self, found: Found) -> None:
        self._connect.disassociate_phone_number_contact_flow(PhoneNumberId=found.handle, InstanceId=self._instance_id)


class ChimeRoutes:
    """`Routes` to SIP media applications, by SIP rules. In: boto3's client, the name of our rule, the Region."""

    def __init__(self, voice: Any, rule_name: str, region: str) -> None:
        self._voice, self._name, self._region = voice, rule_name, region

    def find(self, number: str, own: Collection[str]) -> Found:
        """As `Routes.find`. The way is named by the SIP rule's id; empty: there is no rule for the number."""
        found = [
            Found(str(target["SipMediaApplicationId"]), rule["SipRuleId"])
            for rule in pages(self._voice.list_sip_rules, {"MaxResults": 99}, "SipRules")
            if rule.get("TriggerType") == TO_NUMBER and rule.get("TriggerValue") == number
            # A rule without application has a target in words, which is never ours: so the number counts as taken.
            for target in rule.get("TargetApplications") or [{"SipMediaApplicationId": "a rule without application"}]
        ]
        ours = next((one for one in found if one.target in own), None)
        return ours or (found[0] if found else Found("", ""))

    def lead(self, number: str, found: Found, target: str) -> None:
        """Changes the rule that was found; makes one where there was none."""
        aims: Any = [{"SipMediaApplicationId": target, "Priority": 1, "AwsRegion": self._region}]
        if found.handle:
            self._voice.update_sip_rule(
                SipRuleId=found.handle, Name=self._name, Disabled=False, TargetApplications=aims
            )
            return
        self._voice.create_sip_rule(
            Name=self._name, TriggerType=TO_NUMBER, TriggerValue=number, Disabled=False, TargetApplications=aims
        )

    def free(self, found: Found) -> None:
        self._voice.update_sip_rule(SipRuleId=found.handle, Name=self._name, Disabled=True)
        self._voice.delete_sip_rule(SipRuleId=found.handle)


def routes_of(given: Mapping[str, str], connect: Any, voice: Any) -> Routes:
    """The routes of the stack's provider. In: the resource's properties; what makes boto3's clients."""
    if arn := given.get("ConnectInstanceArn"):
        return ConnectRoutes(connect(), arn)
    return ChimeRoutes(voice(), given["RuleName"], given["Region"])
