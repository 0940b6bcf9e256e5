"""A state machine's life on moto: used, marked, deleted, made again; and deleted by hand while messages wait."""

import boto3
import pytest

from local.cloud.apply_moto_patches import install_guards
from speechcall.menus.adapters.flows_store import Registry
from speechcall.menus.adapters.machines import delete_machine, machines_of
from speechcall.menus.adapters.published_flows import PublishedFlows
from speechcall.menus.rules.compile_flow import Wiring
from speechcall.menus.rules.retirement import BELIEVED_SECONDS, DAY_MSEC, DELETED_WITHIN_MSEC, FlowUse, part_of
from speechcall.menus.use_cases.retire_flows import retire_flows
from speechcall.shared.rules.errors import EngineUnavailable, StoreUnavailable
from tests.kit.registry import TABLE, empty_registry
from tests.kit.samples import MENU, NOW

PREFIX = "0a1b2c3d"
WIRING = Wiring("arn:aws:lambda:eu-central-1:123456789012:function:c", "arn:f", "https://q")


class World:
    def __init__(self, dynamodb):
        install_guards()
        self.now = NOW
        self.registry = Registry(dynamodb, TABLE, lambda: self.now)
        self.client = boto3.client("stepfunctions", region_name="eu-central-1")
        role = boto3.client("iam").create_role(RoleName="flow", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.flows = self.dialer(role)
        self.role = role

    def dialer(self, role=None):
        """One more, that knows nothing."""
        return PublishedFlows(
            self.client,
            self.registry,
            WIRING,
            role or self.role,
            PREFIX,
            monotonic=lambda: self.now / 1000,
            sleep=lambda _seconds: None,
        )

    def retire(self):
        """A day of runs."""
        for part in {part_of(name) for name, _ in machines_of(self.client, PREFIX)}:
            retire_flows(
                machines_of(self.client, PREFIX),
                part,
                uses=self.registry,
                delete=lambda arn: delete_machine(self.client, arn),
                now_msec=lambda: self.now,
                time_left=lambda: 60.0,
            )

    def pass_days(self, days):
        self.now += days * DAY_MSEC
        self.retire()

    @property
    def machines(self):
        return [arn for _, arn in machines_of(self.client, PREFIX)]

    def use(self, arn):
        name = arn.rpartition(":")[2]
        return self.registry.of([name]).get(name)


@pytest.fixture
def world():
    with empty_registry() as dynamodb:
        yield World(dynamodb)


def test_an_unused_machine_is_marked_then_deleted_and_made_again_when_it_is_wanted(world):
    arn = world.flows.publish((MENU,))
    world.pass_days(59)
    assert world.use(arn) == FlowUse(NOW)
    world.pass_days(1)
    assert world.use(arn).marked_msec == world.now
    world.pass_days(1)
    assert world.machines == []
    assert world.use(arn) is None
    assert world.dialer().publish((MENU,)) == arn
    assert world.machines == [arn]


def test_a_dialer_that_comes_back_takes_the_mark_away(world):
    arn = world.flows.publish((MENU,))
    world.pass_days(60)
    assert world.flows.publish((MENU,)) == arn
    assert world.use(arn) == FlowUse(world.now)
    world.pass_days(1)
    assert world.machines == [arn]


def test_a_machine_that_is_used_now_and_then_is_never_marked(world):
    arn = world.flows.publish((MENU,))
    for _ in range(4):
        world.pass_days(59)
        world.flows.publish((MENU,))
        assert world.use(arn).marked_msec is None
    assert world.machines == [arn]


def test_its_use_is_noted_once_a_day_and_read_once_an_hour(world):
    arn = world.flows.publish((MENU,))
    asked = []
    world.registry._client.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))
    for _ in range(48):
        for _ in range(10):
            world.flows.publish((MENU,))
        world.now += BELIEVED_SECONDS * 1000
    assert asked.count("UpdateItem") == 2 - 1
    assert asked.count("GetItem") == 47
    assert world.use(arn).used_msec == NOW + DAY_MSEC


def test_while_a_machine_is_deleted_its_messages_wait_and_then_it_is_made_again(world):
    arn = world.flows.publish((MENU,))
    world.pass_days(60)
    name = arn.rpartition(":")[2]
    use = world.use(arn)
    assert world.registry.begin_deletion(name, use, world.now)
    with pytest.raises(StoreUnavailable):
        world.dialer().publish((MENU,))
    # The run died: after ten minutes nobody waits for it any more, and the machine that is there is used again …
    world.now += DELETED_WITHIN_MSEC
    assert world.dialer().publish((MENU,)) == arn
    # … also by who would bring the deletion to its end.
    assert not world.registry.begin_deletion(name, FlowUse(NOW, use.marked_msec, world.now - DELETED_WITHIN_MSEC), 1)
    world.retire()
    assert world.machines == [arn]


def test_of_two_steps_at_once_the_first_wins(world):
    arn = world.flows.publish((MENU,))
    name, use = arn.rpartition(":")[2], FlowUse(NOW)
    world.now += 60 * DAY_MSEC
    assert world.registry.mark(name, use, world.now)
    assert not world.registry.mark(name, use, world.now)
    marked = world.use(arn)
    assert world.registry.find_flow(name) == arn
    assert not world.registry.begin_deletion(name, marked, world.now)
    assert not world.registry.count_from(name, arn, 1)


def test_an_item_of_a_release_before_begins_its_time_when_it_is_first_looked_at(world):
    arn = world.flows.publish((MENU,))
    name = arn.rpartition(":")[2]
    world.registry._client.put_item(
        TableName=TABLE, Item={"pk": {"S": f"FLOW#{name}"}, "sk": {"S": "FLOW"}, "arn": {"S": arn}}
    )
    world.pass_days(400)
    assert world.use(arn) == FlowUse(world.now)
    assert world.registry.find_flow(name) == arn


def test_machines_of_other_stacks_are_left_alone(world):
    arn = world.flows.publish((MENU,))
    other = PublishedFlows(world.client, world.registry, WIRING, world.role, "ffffffff").publish((MENU,))
    world.pass_days(60)
    world.pass_days(1)
    left = [one["stateMachineArn"] for one in world.client.list_state_machines()["stateMachines"]]
    assert arn not in left
    assert other in left


def test_one_that_was_deleted_by_hand_is_made_again_and_the_call_begins(world):
    arn = world.flows.publish((MENU,))
    world.client.delete_state_machine(stateMachineArn=arn)
    # This dialer goes by what it knows, another by what the registry says: both find out when they start.
    for number, dialer in enumerate((world.flows, world.dialer())):
        assert dialer.publish((MENU,)) == arn
        assert dialer.start(arn, f"1-{number}", {"mid": "1"})
        assert world.machines == [arn]
        world.client.delete_state_machine(stateMachineArn=arn)


def test_a_machine_that_cannot_be_made_again_is_told(world):
    world.flows.publish((MENU,))
    other = (MENU, MENU)
    with pytest.raises(EngineUnavailable):
        world.flows.start("arn:aws:states:eu-central-1:123456789012:stateMachine:gone", "1-1", {})
    assert world.flows.publish(other)
