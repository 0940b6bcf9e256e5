"""One function per repair of moto: True if its symptom shows.

`test_moto_guards.py` runs them twice: here with the guards, where none may show; and by `python -m`, in a process with
moto as it is, where each must show, or its guard can go.
"""

import copy
import functools
import hashlib
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
from antlr4.atn.ParserATNSimulator import ParserATNSimulator
from botocore import hooks, useragent
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.session import Session
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from moto import mock_aws
from moto.core import responses
from moto.core.config import DefaultConfig
from moto.core.responses import BaseResponse
from moto.core.serialize import AttributePicker
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import ast_nodes, expressions
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords
from moto.dynamodb.responses import DynamoHandler
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sqs.models import Message, Queue
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for
from moto.stepfunctions.parser.backend import execution_worker
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from local.cloud.moto_patches.dynamodb import STREAM_NEWS
from local.cloud.moto_patches.executions import ExecutionEnd, add_end_listener
from tests.integration.moto_expressions import answers

ACCOUNT, REGION = "123456789012", "eu-central-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
}

MOTO_CONFIG: DefaultConfig = {
    "core": {"reset_boto3_session": False},
    "stepfunctions": {"execute_state_machine": True},
}
_numbers = itertools.count()


@contextmanager
def fresh_moto() -> Iterator[None]:
    """Moto with nothing in it, executing state machines."""
    with patch.dict(os.environ, ENVIRONMENT), patch("boto3.DEFAULT_SESSION", _session()), mock_aws(config=MOTO_CONFIG):
        yield


@functools.cache
def _session() -> boto3.Session:
    """One for all: each new one reads the descriptions of the services again."""
    return boto3.Session()


def wait_until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """What `condition` gives as soon as that is true, else its last value when the time is up."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return value


class Flows:
    """State machines whose tasks send their tokens to a queue."""

    def __init__(self) -> None:
        self.client = boto3.client("stepfunctions")
        self.sqs = boto3.client("sqs")
        # A name of its own: in stock moto, executions of the last symptom may still be sending.
        self.queue = self.sqs.create_queue(QueueName=f"tokens-{next(_numbers)}")["QueueUrl"]

    def wait_for_token(self, **more: Any) -> dict[str, Any]:
        parameters = {"QueueUrl": self.queue, "MessageBody": {"token.$": "$$.Task.Token"}}
        resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
        return {"Type": "Task", "Resource": resource, "Parameters": parameters, "TimeoutSeconds": 60, **more}

    def start(self, states: dict[str, Any], execution: str = "one", machine: str = "machine", **more: Any) -> str:
        """Publish a machine that begins with the first of `states`, and start it; the execution's ARN."""
        definition = json.dumps({"StartAt": next(iter(states)), "States": states, **more})
        arn = self.client.create_state_machine(name=machine, definition=definition, roleArn=ROLE)["stateMachineArn"]
        return self.client.start_execution(stateMachineArn=arn, name=execution)["executionArn"]

    def token(self) -> str:
        """The next token that a task has sent."""
        messages = wait_until(lambda: self.sqs.receive_message(QueueUrl=self.queue).get("Messages"))
        return str(json.loads(messages[0]["Body"])["token"])

    def describe(self, arn: str) -> Any:
        return self.client.describe_execution(executionArn=arn)

    def end(self, arn: str, seconds: float = 5.0) -> Any:
        """The execution's description once it does not run any more (or the time is up)."""
        wait_until(lambda: self.describe(arn)["status"] != "RUNNING", seconds)
        return self.describe(arn)


def refused(call: Callable[[], Any]) -> str:
    """The code with which a call is refused; empty if it is not."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"]) or "refused"
    return ""


def make_table(name: str = "things") -> Any:
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return client


def thing(key: str, **attributes: str) -> dict[str, Any]:
    return {"pk": {"S": key}, "sk": {"S": "thing"}, **{name: {"S": value} for name, value in attributes.items()}}


def refuse_to_leave_the_machine() -> bool:
    # A host of this machine that the guard does not know as such.
    config = Config(connect_timeout=1, retries={"total_max_attempts": 1})
    client = boto3.client("sts", endpoint_url="http://127.0.0.2:9", config=config)
    try:
        client.get_caller_identity()
    except EndpointConnectionError:
        return True
    except RuntimeError as error:
        return "127.0.0.2" not in str(error)
    return True


def parse_each_definition_by_itself() -> bool:
    client = boto3.client("stepfunctions")

    def create(name: str, state: dict[str, Any], **more: Any) -> str:
        definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True, **state}}, **more})
        return refused(lambda: client.create_state_machine(name=name, definition=definition, roleArn=ROLE))

    create("jsonata", {"ResultPath": "$.x"}, QueryLanguage="JSONata")
    return create("jsonpath", {"ResultPath": "$.x"}) != ""


def parse_each_definition_once() -> bool:
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    return AmazonStateLanguageParser.parse(definition) is not AmazonStateLanguageParser.parse(definition)


def parse_quickly_what_is_well_formed() -> bool:
    looked, stock = [], ParserATNSimulator.execATNWithFullContext

    def counted(simulator: Any, *arguments: Any) -> Any:
        looked.append(simulator)
        return stock(simulator, *arguments)

    states = {"A": {"Type": "Pass", "Parameters": {"a": {"b.$": "$.c", "d": [1, "e"]}}, "End": True}}
    with patch.object(ParserATNSimulator, "execATNWithFullContext", counted):
        AmazonStateLanguageParser.parse(json.dumps({"Comment": "new", "StartAt": "A", "States": states}))
    return bool(looked)


def make_each_client_once() -> bool:
    return boto_client_for(REGION, "sqs") is not boto_client_for(REGION, "sqs")


def read_each_description_once() -> bool:
    one, other = (Session().get_component("data_loader") for _ in range(2))
    return one.load_service_model("sqs", "service-2") is not other.load_service_model("sqs", "service-2")


def alias_each_event_once() -> bool:
    looked_for: list[str] = []

    class Aliases(dict[str, str]):
        def items(self) -> Any:
            looked_for.append("")
            return super().items()

    for _ in range(2):
        looked_for.clear()
        emitter = hooks.EventAliaser(hooks.HierarchicalEmitter(), Aliases(hooks.EVENT_ALIASES))
        emitter.emit("before-send.sqs")
    return bool(looked_for)


def copy_handlers_by_their_kind() -> bool:
    copied, stock = [], hooks.NodeList.__copy__

    def counted(nodes: hooks.NodeList) -> Any:
        copied.append(nodes)
        return stock(nodes)

    with patch.object(hooks.NodeList, "__copy__", counted):
        Session().create_client("sqs")
    return len(copied) > 100


def make_methods_of_a_service_once() -> bool:
    one, other = (type(Session().create_client("sqs")) for _ in range(2))
    return vars(one)["send_message"] is not vars(other)["send_message"]


def read_rules_of_endpoints_once() -> bool:
    one, other = (vars(Session().create_client("sqs"))["_ruleset_resolver"]._provider for _ in range(2))
    return one.ruleset is not other.ruleset


def forget_finished_threads() -> bool:
    flows = Flows()
    flows.end(flows.start({"A": {"Type": "Pass", "End": True}}))
    return len(vars(execution_worker)["TMP_THREADS"]) > 0


def find_tokens_without_a_search() -> bool:
    flows, may_start = Flows(), threading.Event()
    stock = execution_worker.ExecutionWorker._get_evaluation_environment

    def environment(worker: Any) -> Any:
        if worker._evaluation_details.execution_details.name == "slow":
            may_start.wait(5)
        return stock(worker)

    with patch.object(execution_worker.ExecutionWorker, "_get_evaluation_environment", environment):
        states = {"A": flows.wait_for_token(End=True)}
        flows.start(states, "slow")
        flows.start(states, "quick")
        token = flows.token()
        try:
            flows.client.send_task_success(taskToken=token, output="{}")
        except AttributeError:
            return True
        finally:
            may_start.set()
    return False


def answer_tokens_once() -> bool:
    flows = Flows()
    arn = flows.start({"A": flows.wait_for_token(Next="B"), "B": {"Type": "Wait", "Seconds": 1, "End": True}})
    token = flows.token()
    flows.client.send_task_success(taskToken=token, output="{}")
    second = refused(lambda: flows.client.send_task_success(taskToken=token, output="{}"))
    flows.client.stop_execution(executionArn=arn)
    return second == ""


def give_each_try_its_token() -> bool:
    flows = Flows()
    retry = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    arn = flows.start({"A": flows.wait_for_token(Retry=retry, End=True)})
    first = flows.token()
    flows.client.send_task_failure(taskToken=first, error="Again")
    second = flows.token()
    if second != first:
        flows.client.send_task_success(taskToken=second, output="{}")
    return bool(second == first or flows.end(arn)["status"] != "SUCCEEDED")


def keep_the_cause_of_a_failure() -> bool:
    flows = Flows()
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    arn = flows.start({"A": flows.wait_for_token(Catch=catch, End=True), "B": {"Type": "Pass", "End": True}})
    flows.client.send_task_failure(taskToken=flows.token(), error="Busy", cause="it rang")
    return bool(json.loads(flows.end(arn)["output"]) != {"Error": "Busy", "Cause": "it rang"})


def start_each_name_once() -> bool:
    flows = Flows()
    both = threading.Barrier(2)
    stock = StateMachine._handle_name_input_idempotency

    def look(machine: Any, name: str, text: str) -> Any:
        found = stock(machine, name, text)
        if name == "twice":
            try:
                both.wait(0.3)
            except threading.BrokenBarrierError:
                return found
        return found

    with patch.object(StateMachine, "_handle_name_input_idempotency", look):
        states = {"A": {"Type": "Wait", "Seconds": 1, "End": True}}
        arn = flows.start(states).replace(":execution:", ":stateMachine:").rpartition(":")[0]
        starts = [
            threading.Thread(
                target=lambda: refused(lambda: flows.client.start_execution(stateMachineArn=arn, name="twice"))
            )
            for _ in range(2)
        ]
        for start in starts:
            start.start()
        for start in starts:
            start.join()
    machine = stepfunctions_parser_backends[ACCOUNT][REGION].describe_state_machine(arn)
    return [execution.name for execution in machine.executions].count("twice") != 1


def stop_what_waits() -> bool:
    flows = Flows()
    arn = flows.start({"A": flows.wait_for_token(End=True)})
    flows.token()
    flows.client.stop_execution(executionArn=arn)
    return bool(flows.end(arn, 1.0)["status"] != "ABORTED")


def keep_the_cause_of_a_stop() -> bool:
    flows = Flows()
    arn = flows.start({"A": {"Type": "Wait", "Seconds": 1, "End": True}})
    execution = stepfunctions_parser_backends[ACCOUNT][REGION].describe_execution(arn)
    wait_until(lambda: execution.exec_worker.env and execution.exec_worker.env._program_state)  # type: ignore[attr-defined]
    flows.client.stop_execution(executionArn=arn, error="Enough", cause="for today")
    end = flows.end(arn)
    return bool((end.get("error"), end.get("cause")) != ("Enough", "for today"))


def tell_of_each_end() -> bool:
    flows = Flows()
    events, queue = boto3.client("events"), flows.sqs.create_queue(QueueName="ends")["QueueUrl"]
    events.put_rule(Name="ends", EventPattern=json.dumps({"source": ["aws.states"]}))
    events.put_targets(Rule="ends", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:ends"}])
    heard: list[ExecutionEnd] = []
    forget = add_end_listener(heard.append)
    arn = flows.start({"A": {"Type": "Fail", "Error": "Broken"}})
    flows.end(arn)
    expected = (arn, "FAILED", "Broken")
    told = wait_until(lambda: expected in [(end.execution_arn, end.status, end.error) for end in heard], 0.3)
    forget()
    told_by_moto = flows.sqs.receive_message(QueueUrl=queue).get("Messages")
    return not told and not told_by_moto


def take_one_request_at_a_time() -> bool:
    client, both = make_table(), threading.Barrier(2)
    stock = Table.get_item
    met: list[int] = []

    def get_item(table: Table, *arguments: Any, **named: Any) -> Any:
        found = stock(table, *arguments, **named)
        try:
            met.append(both.wait(0.3))
        except threading.BrokenBarrierError:
            return found
        return found

    def put() -> None:
        refused(
            lambda: client.put_item(TableName="things", Item=thing("1"), ConditionExpression="attribute_not_exists(pk)")
        )

    with patch.object(Table, "get_item", get_item):
        puts = [threading.Thread(target=put) for _ in range(2)]
        for each in puts:
            each.start()
        for each in puts:
            each.join()
    return len(met) > 0


def hand_requests_to_dynamodb_at_once() -> bool:
    client = make_table()
    with patch.object(BaseResponse, "setup_class", side_effect=BaseResponse.setup_class, autospec=True) as looked:
        client.get_item(TableName="things", Key=thing("1"))
    return bool(looked.called)


def copy_only_what_a_transaction_touches() -> bool:
    client, tables = make_table(), dynamodb_backends[ACCOUNT][REGION].tables
    before = tables["things"]
    failing = {"TableName": "things", "Item": thing("1"), "ConditionExpression": "attribute_exists(pk)"}
    refused(lambda: client.transact_write_items(TransactItems=[{"Put": failing}]))
    return tables["things"] is not before


def parse_each_update_once() -> bool:
    make, text = vars(expressions)["UpdateExpressionParser"].make, "SET colour = :red"
    return make(text) is not make(text)


def parse_each_condition_once() -> bool:
    client, read = make_table(), []
    stock = ConditionExpressionParser._lex_condition_expression

    def counted(parser: Any) -> Any:
        read.append(parser)
        return stock(parser)

    def put() -> None:
        client.put_item(TableName="things", Item=thing("1"), ConditionExpression="attribute_not_exists(colour)")

    put()
    with patch.object(ConditionExpressionParser, "_lex_condition_expression", counted):
        put()
    return bool(read)


def work_out_each_update_in_one_walk() -> bool:
    client, walked = make_table(), []
    traversers = vars(ast_nodes)["DepthFirstTraverser"]
    stock = traversers.traverse

    def counted(traverser: Any, root: Any) -> Any:
        walked.append(traverser)
        return stock(traverser, root)

    change: Any = {"UpdateExpression": "SET colour = :red", "ExpressionAttributeValues": {":red": {"S": "red"}}}
    client.update_item(TableName="things", Key=thing("1"), **change)
    with patch.object(traversers, "traverse", counted):
        client.update_item(TableName="things", Key=thing("1"), **change)
    return bool(walked)


def copy_only_what_can_change() -> bool:
    text = DynamoType({"S": "text"})
    return copy.deepcopy(text) is not text


def compare_texts_as_they_are() -> bool:
    """Whether a text's value is worked out when it is compared."""
    worked_out: list[Any] = []
    with patch.object(DynamoType, "cast_value", property(worked_out.append)):
        assert DynamoType({"S": "a"}) == DynamoType({"S": "a"}) or worked_out
        assert DynamoType({"S": "a"}) in {DynamoType({"S": "a"}): 1} or worked_out
    return bool(worked_out)


def read_nested_values_once() -> bool:
    client, copied = make_table(), []
    client.put_item(TableName="things", Item={**thing("1"), "a": {"M": {"b": {"L": [{"S": "c"}]}}}})
    stock: Any = vars(DynamoType)["__deepcopy__"]

    def counted(value: Any, memo: Any) -> Any:
        copied.append(value)
        return stock(value, memo)

    with patch.object(DynamoType, "__deepcopy__", counted):
        client.delete_item(TableName="things", Key=thing("1"), ReturnValues="ALL_OLD")
    return bool(copied)


def take_attributes_by_their_names() -> bool:
    client, read = make_table(), []
    client.put_item(TableName="things", Item=thing("1", colour="red"))
    stock = Item.to_regular_json

    def counted(item: Any) -> Any:
        read.append(item)
        return stock(item)

    with patch.object(Item, "to_regular_json", counted):
        client.get_item(TableName="things", Key=thing("1"), ProjectionExpression="colour")
    return bool(read)


def weigh_each_attribute_once() -> bool:
    client, weighed = make_table(), []
    stock = DynamoType.size

    def counted(value: Any) -> Any:
        weighed.append(value)
        return stock(value)

    item = thing("1", **{f"name{n}": "text" for n in range(48)})
    change = f"SET {', '.join(f'name{n} = :text' for n in range(8))}"
    with patch.object(DynamoType, "size", counted):
        client.put_item(TableName="things", Item=item)
        of_new_item = len(weighed)
        values = {":text": {"S": "other"}}
        client.update_item(
            TableName="things", Key=thing("1"), UpdateExpression=change, ExpressionAttributeValues=values
        )
    return of_new_item > 3 * len(item) or len(weighed) - of_new_item > 3 * len(item)


def say_what_is_wrong_once() -> bool:
    client = make_table()
    with patch("xmltodict.unparse", return_value="") as written:
        refused(
            lambda: client.put_item(TableName="things", Item=thing("1"), ConditionExpression="attribute_exists(pk)")
        )
    return bool(written.called)


def look_up_reserved_words() -> bool:
    return isinstance(ReservedKeywords.get_reserved_keywords(), list)


def list_the_methods_of_a_service_once() -> bool:
    methods_of = vars(responses)["method_names_from_class"]
    return methods_of(DynamoHandler) is not methods_of(DynamoHandler)


def clean_each_user_agent_once() -> bool:
    clean = vars(useragent)["sanitize_user_agent_string_component"]
    return clean("a b", allow_hash=False) is not clean("a b", allow_hash=False)


def make_pairs_for_asymmetric_keys_alone() -> bool:
    client = boto3.client("kms")
    keys = {
        spec: client.create_key(KeySpec=spec)["KeyMetadata"]["KeyId"] for spec in ("SYMMETRIC_DEFAULT", "ECC_NIST_P256")
    }
    secret = client.encrypt(KeyId=keys["SYMMETRIC_DEFAULT"], Plaintext=b"secret")["CiphertextBlob"]
    made = kms_backends[ACCOUNT][REGION].keys
    works = client.decrypt(CiphertextBlob=secret)["Plaintext"] == b"secret" and made[keys["ECC_NIST_P256"]].private_key
    return not works or made[keys["SYMMETRIC_DEFAULT"]].private_key is not None


def sign_digests_as_they_are() -> bool:
    """Whether the signature of a digest is none of what the digest was made of."""
    with fresh_moto():
        client = boto3.client("kms")
        key = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        asked: Any = {"MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
        made = client.sign(KeyId=key, Message=hashlib.sha256(b"text").digest(), **asked)["Signature"]
        public: Any = load_der_public_key(client.get_public_key(KeyId=key)["PublicKey"])
        try:
            public.verify(made, b"text", ECDSA(SHA256()))
        except InvalidSignature:
            return True
        return False


def keep_what_is_written_over_readable() -> bool:
    with fresh_moto():
        client = boto3.client("s3")
        client.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        client.put_object(Bucket="files", Key="a", Body=b"before")
        being_read = s3_backends[ACCOUNT]["aws"].get_object("files", "a")
        client.put_object(Bucket="files", Key="a", Body=b"after")
        try:
            return bool(being_read.value != b"before")
        except ValueError:
            return True


def give_items_as_they_stand() -> bool:
    """Whether each value of an item is looked for on its own."""
    looked_for: list[str] = []
    table, stock = make_table(), AttributePicker.__call__

    def counted(picker: Any, context: Any) -> Any:
        looked_for.append(context.key)
        return stock(picker, context)

    table.put_item(TableName="things", Item=thing("a", **{f"name{n}": "text" for n in range(50)}))
    with patch.object(AttributePicker, "__call__", counted):
        table.get_item(TableName="things", Key=thing("a"))
    return len(looked_for) >= 50


def parse_each_path_once() -> bool:
    parse = vars(json_path)["parse"]
    return parse("$.a") is not parse("$.a")


def read_one_attribute_of_a_queue_at_a_time() -> bool:
    """Whether each message that lies in a queue is looked at when another one is sent."""
    sqs, looked_at = boto3.client("sqs"), []
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    stock: Any = vars(Message)["delayed"]

    def delayed(message: Message) -> Any:
        looked_at.append(message)
        return stock.fget(message)

    sqs.send_message(QueueUrl=url, MessageBody="first")
    with patch.object(Message, "delayed", property(delayed)):
        sqs.send_message(QueueUrl=url, MessageBody="second")
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    return bool(looked_at)


def announce_stream_records() -> bool:
    before = STREAM_NEWS.count
    make_table().put_item(TableName="things", Item=thing("1"))
    return STREAM_NEWS.count == before


def handle_each_queue_in_one_step() -> bool:
    """A long poll that began while a group was worked on gets the group's next message when that work is done."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for number in "12":
        sqs.send_message(QueueUrl=url, MessageBody=number, MessageGroupId="g", MessageDeduplicationId=number)
    first = sqs.receive_message(QueueUrl=url)["Messages"][0]
    looked, received = threading.Event(), []
    stock: Any = vars(Queue)["pending_message_groups"]

    def pending_message_groups(queue: Queue) -> Any:
        groups = stock.fget(queue)
        looked.set()
        return groups

    def receive() -> None:
        received.extend(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []))

    with patch.object(Queue, "pending_message_groups", property(pending_message_groups)):
        receiver = threading.Thread(target=receive)
        receiver.start()
        looked.wait(5)
        sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
        receiver.join()
    return [message["Body"] for message in received] != ["2"]


def remember_deduplication_ids() -> bool:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def send_and_receive() -> list[Any]:
        sqs.send_message(QueueUrl=url, MessageBody="once", MessageGroupId="g", MessageDeduplicationId="same")
        messages = sqs.receive_message(QueueUrl=url).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return messages

    send_and_receive()
    return len(send_and_receive()) > 0


SYMPTOMS: dict[str, Callable[[], bool]] = {
    symptom.__name__: symptom
    for symptom in (
        refuse_to_leave_the_machine,
        parse_each_definition_once,
        parse_quickly_what_is_well_formed,
        make_each_client_once,
        read_each_description_once,
        alias_each_event_once,
        copy_handlers_by_their_kind,
        make_methods_of_a_service_once,
        read_rules_of_endpoints_once,
        forget_finished_threads,
        find_tokens_without_a_search,
        answer_tokens_once,
        give_each_try_its_token,
        keep_the_cause_of_a_failure,
        start_each_name_once,
        stop_what_waits,
        keep_the_cause_of_a_stop,
        tell_of_each_end,
        hand_requests_to_dynamodb_at_once,
        take_one_request_at_a_time,
        copy_only_what_a_transaction_touches,
        announce_stream_records,
        parse_each_update_once,
        parse_each_condition_once,
        work_out_each_update_in_one_walk,
        look_up_reserved_words,
        copy_only_what_can_change,
        compare_texts_as_they_are,
        read_nested_values_once,
        take_attributes_by_their_names,
        weigh_each_attribute_once,
        say_what_is_wrong_once,
        list_the_methods_of_a_service_once,
        clean_each_user_agent_once,
        make_pairs_for_asymmetric_keys_alone,
        sign_digests_as_they_are,
        keep_what_is_written_over_readable,
        give_items_as_they_stand,
        parse_each_path_once,
        read_one_attribute_of_a_queue_at_a_time,
        handle_each_queue_in_one_step,
        remember_deduplication_ids,
        # Stock moto parses nothing any more after it.
        parse_each_definition_by_itself,
    )
}


def shows(name: str) -> bool:
    """Whether a symptom shows in this process."""
    with fresh_moto():
        return SYMPTOMS[name]()


def answers_to_expressions() -> list[Any]:
    """What this process's moto answers to expressions of all kinds."""
    with fresh_moto():
        return answers(make_table())


if __name__ == "__main__":
    found: dict[str, Any] = {"answers": answers_to_expressions()}
    for name in SYMPTOMS:
        began = time.monotonic()
        found[name] = shows(name)
        print(f"{time.monotonic() - began:6.2f} s  {name}", file=sys.stderr)
    json.dump(found, sys.stdout)
    sys.stdout.flush()
    # Stock moto leaves executions behind that wait for ever.
    os._exit(0)
