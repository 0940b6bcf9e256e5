"""template.yaml as the laptop cloud's one source of wiring: what it deploys, under which names, and what calls what."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.account import ACCOUNT, PARTITION, REGION
from local.cloud.intrinsics import NO_VALUE, Resolver, TemplateError, read_document, scalar_text
from local.cloud.physical_names import attribute, reference
from local.common.product import PRODUCT

STACK_NAME = "speechcall"
STACK_ID = (
    f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK_NAME}/"
    f"{uuid.uuid5(uuid.NAMESPACE_DNS, 'local.speechcall')}"
)
EVENT_TYPES = frozenset({"HttpApi", "DynamoDB", "SQS", "Schedule", "EventBridgeRule"})

_PSEUDO_PARAMETERS: Mapping[str, Any] = {
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": NO_VALUE,
    "AWS::Partition": PARTITION,
    "AWS::Region": REGION,
    "AWS::StackId": STACK_ID,
    "AWS::StackName": STACK_NAME,
    "AWS::URLSuffix": "amazonaws.com",
}

TEMPLATE = PRODUCT / "template.yaml"
"""The product's."""


@dataclass(frozen=True)
class EventSpec:
    """One source of a function's events, with its properties resolved."""

    name: str
    type: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class FunctionSpec:
    """One function as the template declares it, Globals merged in."""

    logical_id: str
    name: str
    arn: str
    code_dir: Path
    layers: tuple[Path, ...]
    """The folders of its layers, in the order in which they are laid over each other."""
    handler: str
    environment: dict[str, str]
    timeout: int
    memory: int
    events: tuple[EventSpec, ...]
    event_invoke_config: dict[str, Any]
    runtime: str
    logging: dict[str, Any]


class Template:
    """A template with its parameters settled. Resources are resolved when they are asked for."""

    def __init__(self, path: Path, parameters: Mapping[str, str]) -> None:
        self._document = read_document(path)
        self._path, self._directory = path, path.resolve().parent
        self.parameters = _settle_parameters(self._document.get("Parameters", {}), parameters)
        self._resolver = Resolver(
            self._document.get("Conditions", {}), self._ref, self._get_att, self._document.get("Mappings", {})
        )
        self._resources: dict[str, dict[str, Any]] = {
            logical_id: resource
            for logical_id, resource in self._document["Resources"].items()
            if "Condition" not in resource or self._resolver.condition(resource["Condition"])
        }
        self._resolved: dict[str, dict[str, Any]] = {}
        self.functions: dict[str, FunctionSpec] = {
            logical_id: self._function(logical_id)
            for logical_id, resource in self._resources.items()
            if resource["Type"] == "AWS::Serverless::Function"
        }

    @property
    def logical_ids(self) -> list[str]:
        """Every resource that is made: whose condition, if it has one, holds."""
        return list(self._resources)

    @property
    def declared_parameters(self) -> Mapping[str, Any]:
        """The parameters as they are written down: Type, Default, bounds."""
        declared: Mapping[str, Any] = self._document.get("Parameters", {})
        return declared

    @property
    def written(self) -> Mapping[str, Any]:
        """The whole document, as it is written down. Not to be changed."""
        return self._document

    @property
    def written_types(self) -> dict[str, str]:
        """The type of every resource that is written down, whatever its condition says, by logical id."""
        return {logical_id: resource["Type"] for logical_id, resource in self._document["Resources"].items()}

    def resource(self, logical_id: str) -> dict[str, Any]:
        """One resource (Type, Properties, …), resolved. Not to be changed: it is resolved once."""
        if logical_id not in self._resolved:
            self._resolved[logical_id] = self._at(f"Resources.{logical_id}", self._declared(logical_id))
        return self._resolved[logical_id]

    def resources_of(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """The Properties, resolved, of every resource of one type, by logical id."""
        return {
            logical_id: self.resource(logical_id).get("Properties", {})
            for logical_id, resource in self._resources.items()
            if resource["Type"] == resource_type
        }

    def nested(self, logical_id: str) -> "Template":
        """The template of a nested stack, with the parameters that this one gives it."""
        properties = self.resource(logical_id)["Properties"]
        return Template(self._directory / properties["TemplateURL"], properties.get("Parameters", {}))

    def with_parameters(self, **changes: str) -> "Template":
        """This template in a stack whose parameters differ in these."""
        return Template(self._path, {**self.parameters, **changes})

    def ref(self, logical_id: str) -> str:
        """What `Ref` gives for a resource: a table's or bucket's name, a queue's URL, for `Function.Alias` its ARN,
        for `Api.Stage` its name …
        """
        function, _, of_it = logical_id.partition(".")
        if of_it == "Alias":
            alias = self._declared(function)["Properties"].get("AutoPublishAlias")
            if alias is None:
                raise TemplateError(f"{function} has no alias")
            return f"{self.get_att(function, 'Arn')}:{alias}"
        if of_it == "Stage":
            return str(self._declared(function)["Properties"]["StageName"])
        return reference(logical_id, self._declared(logical_id)["Type"], self._named(logical_id))

    def get_att(self, logical_id: str, name: str) -> str:
        """What `Fn::GetAtt` gives for a resource; an output of a nested stack is read in its template."""
        if name.startswith("Outputs.") and self._declared(logical_id)["Type"] == "AWS::CloudFormation::Stack":
            return scalar_text(self.nested(logical_id).output(name.removeprefix("Outputs.")))
        return attribute(logical_id, self._declared(logical_id)["Type"], self._named(logical_id), name)

    def output(self, name: str) -> Any:
        """One of the template's outputs, resolved."""
        outputs = self._document.get("Outputs", {})
        if name not in outputs:
            raise TemplateError(f"there is no output {name}")
        return self._at(f"Outputs.{name}", outputs[name]["Value"])

    @property
    def outputs(self) -> dict[str, Any]:
        """Every output whose condition, if it has one, holds, resolved."""
        return {
            name: self.output(name)
            for name, declared in self._document.get("Outputs", {}).items()
            if "Condition" not in declared or self._resolver.condition(declared["Condition"])
        }

    def _declared(self, logical_id: str) -> dict[str, Any]:
        if logical_id not in self._resources:
            raise TemplateError(f"there is no resource {logical_id} (or its condition is false)")
        return self._resources[logical_id]

    def _named(self, logical_id: str) -> dict[str, Any]:
        """The properties that take part in a resource's name: only those, so that resources may refer to each other."""
        properties = self._declared(logical_id).get("Properties", {})
        return {
            key: self._at(f"Resources.{logical_id}.{key}", value)
            for key, value in properties.items()
            if key.endswith("Name") or key == "FifoQueue"
        }

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO_PARAMETERS:
            return _PSEUDO_PARAMETERS[name]
        return self.parameters[name] if name in self.parameters else self.ref(name)

    def _get_att(self, logical_id: str, name: str) -> str:
        return self.get_att(logical_id, name)

    def _at(self, place: str, value: Any) -> Any:
        try:
            return self._resolver.resolve(value)
        except TemplateError as error:
            raise TemplateError(f"{place}: {error}") from error

    def _function(self, logical_id: str) -> FunctionSpec:
        """A function as its resource and the template's Globals declare it together, with every reference resolved."""
        defaults = self._document.get("Globals", {}).get("Function", {})
        declared = self._declared(logical_id).get("Properties", {})
        environment = {
            **defaults.get("Environment", {}).get("Variables", {}),
            **declared.get("Environment", {}).get("Variables", {}),
        }
        apart = ("Environment", "Events", "Layers")
        properties = self._at(
            f"Resources.{logical_id}",
            {
                **{key: value for key, value in defaults.items() if key not in apart},
                **{key: value for key, value in declared.items() if key not in apart},
                "Variables": environment,
            },
        )
        return FunctionSpec(
            logical_id=logical_id,
            name=self.ref(logical_id),
            arn=self.get_att(logical_id, "Arn"),
            code_dir=self._directory / properties["CodeUri"],
            layers=tuple(
                self._directory / self._declared(name)["Properties"]["ContentUri"]
                for name in map(self._layer, [*defaults.get("Layers", []), *declared.get("Layers", [])])
            ),
            handler=properties["Handler"],
            environment={key: scalar_text(value) for key, value in properties["Variables"].items()},
            timeout=int(properties.get("Timeout", 3)),
            memory=int(properties.get("MemorySize", 128)),
            events=tuple(self._event(logical_id, name, event) for name, event in declared.get("Events", {}).items()),
            event_invoke_config=properties.get("EventInvokeConfig", {}),
            runtime=properties.get("Runtime", ""),
            logging=properties.get("LoggingConfig", {}),
        )

    def _layer(self, value: Any) -> str:
        """The logical id in `!Ref LayerOfThisTemplate`, chosen by an `!If` or not; other layers are not known here."""
        if isinstance(value, dict) and "Fn::If" in value:
            condition, then, otherwise = value["Fn::If"]
            return self._layer(then if self._resolver.condition(condition) else otherwise)
        if not isinstance(value, dict) or "Ref" not in value:
            raise TemplateError(f"a layer has to be one of this template, as !Ref NAME: {value}")
        return str(value["Ref"])

    def _event(self, logical_id: str, name: str, event: dict[str, Any]) -> EventSpec:
        place = f"Resources.{logical_id}.Events.{name}"
        if event["Type"] not in EVENT_TYPES:
            raise TemplateError(f"{place}: events of type {event['Type']} are not known to the laptop cloud")
        return EventSpec(name, event["Type"], self._at(place, event.get("Properties", {})))


def read_template(path: Path, parameters: Mapping[str, str]) -> Template:
    """The template at `path` with `parameters` over the defaults; a TemplateError names what cannot be understood."""
    return Template(path, parameters)


def _settle_parameters(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Every parameter's value, checked as CloudFormation checks it."""
    if unknown := sorted(set(given) - set(declared)):
        raise TemplateError(f"the template has no parameter {', '.join(unknown)}")
    settled = {}
    for name, parameter in declared.items():
        if name not in given and "Default" not in parameter:
            raise TemplateError(f"the parameter {name} needs a value")
        value = scalar_text(given.get(name, parameter.get("Default")))
        allowed = (
            re.fullmatch(parameter.get("AllowedPattern", "(?s:.*)"), value) is not None
            and value in map(scalar_text, parameter.get("AllowedValues", [value]))
            and ("MinValue" not in parameter or float(value) >= float(parameter["MinValue"]))
            and ("MaxValue" not in parameter or float(value) <= float(parameter["MaxValue"]))
        )
        if not allowed:
            wanted = parameter.get("ConstraintDescription", parameter.get("Description", "another value"))
            raise TemplateError(f"the parameter {name} cannot be {value!r}: {wanted}")
        settled[name] = value
    return settled
