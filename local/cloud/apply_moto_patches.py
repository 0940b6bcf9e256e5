"""Every repair of moto that the laptop cloud needs; `tests/integration/test_moto_guards.py` says which still are."""

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version

from local.cloud.moto_patches import (
    clients,
    dynamodb,
    executions,
    expressions,
    items,
    kms,
    network,
    parser,
    s3,
    speed,
    sqs,
    tokens,
    updates,
)

TESTED_MOTO = "5.2.5"

GUARDS: Mapping[str, Callable[[], None]] = {
    guard.__name__: guard
    for guard in (
        network.refuse_to_leave_the_machine,
        parser.parse_each_definition_by_itself,
        parser.parse_quickly_what_is_well_formed,
        parser.parse_each_definition_once,
        parser.make_each_client_once,
        clients.read_each_description_once,
        clients.alias_each_event_once,
        clients.copy_handlers_by_their_kind,
        clients.make_methods_of_a_service_once,
        clients.read_rules_of_endpoints_once,
        parser.forget_finished_threads,
        tokens.find_tokens_without_a_search,
        tokens.answer_tokens_once,
        tokens.give_each_try_its_token,
        tokens.keep_the_cause_of_a_failure,
        executions.start_each_name_once,
        executions.stop_what_waits,
        executions.keep_the_cause_of_a_stop,
        executions.tell_of_each_end,
        dynamodb.hand_requests_to_dynamodb_at_once,
        dynamodb.take_one_request_at_a_time,
        dynamodb.copy_only_what_a_transaction_touches,
        dynamodb.announce_stream_records,
        expressions.parse_each_update_once,
        expressions.parse_each_condition_once,
        expressions.look_up_reserved_words,
        updates.work_out_each_update_in_one_walk,
        items.copy_only_what_can_change,
        items.compare_texts_as_they_are,
        items.read_nested_values_once,
        items.take_attributes_by_their_names,
        items.weigh_each_attribute_once,
        items.say_what_is_wrong_once,
        kms.sign_digests_as_they_are,
        s3.keep_what_is_written_over_readable,
        speed.give_items_as_they_stand,
        speed.parse_each_path_once,
        speed.list_the_methods_of_a_service_once,
        speed.clean_each_user_agent_once,
        speed.make_pairs_for_asymmetric_keys_alone,
        speed.read_one_attribute_of_a_queue_at_a_time,
        sqs.handle_each_queue_in_one_step,
        sqs.remember_deduplication_ids,
    )
}

_installed: set[str] = set()


def install_guards() -> None:
    """Repair moto in this process, once. The repairs stay: they touch nothing but moto and botocore's last step."""
    if _installed:
        return
    if version("moto") != TESTED_MOTO:
        raise RuntimeError(f"the laptop cloud is tested with moto {TESTED_MOTO}, and this is {version('moto')}")
    # A failed call is the product's business; moto would write each one to the terminal as well.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    for name, guard in GUARDS.items():
        guard()
        _installed.add(name)
