"""The template in each combination of its parameters, pair by pair: nothing refers to what is not made."""

import json
from typing import Any

import pytest

from local.cloud.intrinsics import TemplateError, read_document
from local.cloud.template import TEMPLATE, read_template
from tests.kit.pairwise import pairwise
from tests.kit.stack_combinations import CHOICES, combinations_of_parameters, dangling
from tests.kit.template_rules import lasting, least_privilege, loops, own_roles, queues, storage

RULES = (lasting, loops, own_roles, queues)
"""The rules that hold for each telephony."""
OF_CONNECT = (*RULES, least_privilege, storage)
COMBINATIONS = list(combinations_of_parameters())
DOCUMENT = read_document(TEMPLATE)


def _named(value: Any) -> set[str]:
    """The parameters on which conditions depend."""
    if isinstance(value, list):
        return set().union(*map(_named, value))
    if isinstance(value, dict):
        return {value["Ref"]} if set(value) == {"Ref"} else set().union(*map(_named, value.values()))
    return set()


def test_every_two_values_of_two_choices_meet():
    choices = {"a": "12", "b": "345", "c": "67", "d": "89"}
    chosen = list(pairwise(choices))
    assert len(chosen) <= 8
    for one, other in (("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")):
        assert {(each[one], each[other]) for each in chosen} == {(x, y) for x in choices[one] for y in choices[other]}


def test_every_parameter_that_a_condition_asks_is_among_the_choices():
    assert _named(DOCUMENT["Conditions"]) <= set(CHOICES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters",
    COMBINATIONS,
    ids=lambda one: "-".join(one[name] or "none" for name in ("TelephonyProvider", "Egress", "Architecture")),
)
def test_a_combination_is_whole(parameters):
    template = read_template(TEMPLATE, parameters)
    for name in template.logical_ids:
        template.resource(name)
    for stack in template.resources_of("AWS::CloudFormation::Stack"):
        nested = template.nested(stack)
        assert all(nested.resource(name) for name in nested.logical_ids)
        assert nested.outputs
    assert template.outputs["ApiUrl"]
    rules = OF_CONNECT if parameters["TelephonyProvider"] == "connect" else RULES
    assert [problem for rule in rules for problem in rule(template)] == []
    assert dangling(DOCUMENT, parameters) == []


def test_a_reference_to_what_is_not_made_is_found():
    document = json.loads(json.dumps(DOCUMENT))
    document["Outputs"]["DomainTarget"].pop("Condition")
    document["Resources"]["SendWebhookFunction"]["Properties"]["VpcConfig"]["Fn::If"][0] = "InNetwork"
    found = dangling(document, {"Egress": "own", "DomainName": ""})
    assert found == [
        "SendWebhookFunction refers to EgressStack",
        "SendWebhookFunction refers to EgressStack",
        "output DomainTarget refers to ApiDomain",
    ]
    with pytest.raises(TemplateError, match="no resource ApiDomain"):
        read_template(TEMPLATE, COMBINATIONS[0]).get_att("ApiDomain", "RegionalDomainName")
