"""Every fuzz target, by its name, and the module that has it."""

from tests.fuzzing import audio_targets, command_targets, event_targets, network_targets, text_targets
from tests.fuzzing.target import Target

_MODULES = (text_targets, audio_targets, network_targets, event_targets, command_targets)

TARGETS: dict[str, Target] = {target.name: target for module in _MODULES for target in module.TARGETS}
MODULES = {target.name: module.__name__ for module in _MODULES for target in module.TARGETS}
