"""State machines that nobody uses go; one that somebody uses, or is about to use, stays."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.menus.rules.retirement import (
    BELIEVED_SECONDS,
    DAY_MSEC,
    MARKED_MSEC,
    NOTED_MSEC,
    PARTS,
    UNUSED_MSEC,
    FlowUse,
    Step,
    is_use_to_be_noted,
    next_step,
    part_of,
)
from speechcall.menus.use_cases.retire_flows import retire_flows
from speechcall.shared.rules.errors import EngineUnavailable
from speechcall.shared.rules.time_bounds import LONGEST_EXECUTION_SECONDS

NAME = "0a1b2c3d-" + "0" * 40
ARN = f"arn:{NAME}"
FOREVER = itertools.repeat(60.0)


class Uses:
    """The registry's side, in memory."""

    def __init__(self):
        self.known = {}

    def of(self, names):
        return {name: self.known[name] for name in names if name in self.known}

    def count_from(self, name, arn, now_msec):
        self.known.setdefault(name, FlowUse(now_msec))
        return True

    def mark(self, name, use, now_msec):
        return self._replace(name, use, marked_msec=now_msec)

    def begin_deletion(self, name, use, now_msec):
        return self._replace(name, use, deleting_msec=now_msec)

    def give_up_deletion(self, name):
        self.known[name] = replace(self.known[name], deleting_msec=None)

    def forget(self, name):
        del self.known[name]

    def use(self, name, now_msec):
        if is_use_to_be_noted(self.known[name], now_msec):
            self.known[name] = FlowUse(now_msec)

    def _replace(self, name, use, **changes):
        if self.known.get(name) != use:
            return False
        self.known[name] = replace(use, **changes)
        return True


class World:
    def __init__(self, names=(NAME,), now=0):
        self.uses, self.now, self.machines = Uses(), now, dict.fromkeys(names, ARN)
        for name in names:
            self.uses.known[name] = FlowUse(now)
        self.failing = False

    def delete(self, arn):
        if self.failing:
            raise EngineUnavailable("ThrottlingException")
        self.machines = {name: one for name, one in self.machines.items() if one != arn}

    def run(self, part=0, seconds=FOREVER):
        return retire_flows(
            list(self.machines.items()),
            part,
            uses=self.uses,
            delete=self.delete,
            now_msec=lambda: self.now,
            time_left=lambda: next(seconds),
        )

    def pass_days(self, days):
        for _ in range(days):
            self.now += DAY_MSEC
            self.run()


def test_a_machine_that_is_not_used_is_marked_after_sixty_days_and_deleted_a_day_later():
    world = World()
    world.pass_days(59)
    assert world.uses.known[NAME] == FlowUse(0)
    world.pass_days(1)
    assert world.uses.known[NAME].marked_msec == UNUSED_MSEC
    world.pass_days(1)
    assert world.machines == {}
    assert world.uses.known == {}


def test_whoever_uses_a_marked_machine_keeps_it_for_another_sixty_days():
    world = World()
    world.pass_days(60)
    world.uses.use(NAME, world.now)
    world.pass_days(59)
    assert NAME in world.machines
    world.pass_days(3)
    assert world.machines == {}


def test_a_use_between_the_look_and_the_deletion_wins():
    world = World()
    world.pass_days(60)
    world.now += DAY_MSEC
    look = world.uses.of

    def look_and_be_overtaken(names):
        found = look(names)
        world.uses.use(NAME, world.now)
        return found

    world.uses.of = look_and_be_overtaken
    assert world.run().deleted == 0
    assert NAME in world.machines


def test_what_cannot_be_deleted_now_is_marked_still_and_deleted_later():
    world = World()
    world.pass_days(60)
    world.failing = True
    world.pass_days(1)
    assert world.uses.known[NAME].deleting_msec is None
    world.failing = False
    world.pass_days(1)
    assert world.machines == {}


def test_a_deletion_whose_run_died_is_brought_to_its_end():
    world = World()
    world.uses.known[NAME] = FlowUse(0, 1, 2)
    assert world.run().deleted == 1


def test_the_time_of_a_machine_of_which_nothing_is_known_begins_now():
    world = World(now=5)
    world.uses.known = {NAME: FlowUse(None)}
    assert next_step(None, 5) is next_step(FlowUse(None), 5) is Step.COUNT
    del world.uses.known[NAME]
    world.run()
    assert world.uses.known[NAME] == FlowUse(5)


def test_each_run_takes_one_part_and_no_more_than_it_has_time_for():
    names = [f"0a1b2c3d-{number:040x}" for number in range(2400)]
    world = World(names)
    world.now = UNUSED_MSEC
    assert [world.run(part).marked for part in range(PARTS)] == [100] * PARTS
    world = World(names)
    world.now = UNUSED_MSEC
    assert world.run(0, iter([60.0] * 11 + [0.0] * 9)).marked == 10


@given(st.text("0123456789abcdef", min_size=40, max_size=40))
def test_every_machine_has_a_part(digits):
    assert 0 <= part_of(f"0a1b2c3d-{digits}") < PARTS


@given(st.lists(st.integers(1, 100 * DAY_MSEC), max_size=6))
def test_no_machine_is_deleted_within_sixty_days_of_its_last_use(pauses):
    # A dialer reads at most an hour after it has read before, and notes what it has to.
    use, now, last = FlowUse(0), 0, 0
    for pause in pauses:
        for day in range(pause // DAY_MSEC):
            step = next_step(use, now + day * DAY_MSEC)
            assert step is not Step.DELETE or now + day * DAY_MSEC - last >= UNUSED_MSEC
            if step is Step.DELETE:
                return
            if step is Step.MARK:
                use = replace(use, marked_msec=now + day * DAY_MSEC)
        now += pause
        last = now
        if is_use_to_be_noted(use, now):
            use = FlowUse(now)


def test_a_mark_stands_longer_than_anybody_goes_by_what_was_read_before_it():
    assert MARKED_MSEC > 2 * BELIEVED_SECONDS * 1000 + LONGEST_EXECUTION_SECONDS * 1000
    assert NOTED_MSEC <= MARKED_MSEC


@pytest.mark.parametrize("use", [FlowUse(0), FlowUse(0, UNUSED_MSEC)])
def test_a_noted_use_needs_no_second_note_within_a_day_but_a_mark_does(use):
    assert is_use_to_be_noted(use, 1) is (use.marked_msec is not None)
    assert is_use_to_be_noted(use, NOTED_MSEC)
