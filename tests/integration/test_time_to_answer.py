"""An upload is answered before the API answers for us, however long its file would take to decode."""

import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, read_template
from speechcall.prompts.adapters.time_to_answer import AFTER_SECONDS, LEAST_SECONDS, answering, decode_in_time
from speechcall.shared.adapters.settings import CLIENT_WAITS_CONFIG
from speechcall.shared.rules.errors import PromptUnavailable

API_SECONDS = 30
COLD_START_SECONDS = 2


def context(seconds):
    return SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)


@pytest.fixture
def limits(monkeypatch):
    """How long the decoder was given, each time."""
    given = []

    def run(*_command, timeout, **_options):
        given.append(timeout)
        raise subprocess.TimeoutExpired("decoder", timeout)

    monkeypatch.setattr(subprocess, "run", run)
    return given


@pytest.mark.parametrize(
    ("left", "given"),
    [(28, 28 - AFTER_SECONDS), (60, 25), (AFTER_SECONDS + 2, 2), (3, LEAST_SECONDS), (0, LEAST_SECONDS)],
)
def test_the_decoder_is_given_what_is_left_before_the_answer(limits, left, given):
    with answering(context(left)), pytest.raises(PromptUnavailable, match="could not be decoded within"):
        decode_in_time(b"audio")
    assert limits == [given]


def test_a_decoder_that_never_ends_is_ended_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", _program_that_never_ends(tmp_path))
    begin = time.monotonic()
    with answering(context(AFTER_SECONDS + 0.3)), pytest.raises(PromptUnavailable):
        decode_in_time(b"audio")
    assert time.monotonic() - begin < AFTER_SECONDS


def _program_that_never_ends(folder):
    program = folder / "decoder"
    program.write_text("#!/bin/sh\nexec sleep 600\n", encoding="utf-8")
    program.chmod(0o700)
    return str(program)


def test_all_of_it_fits_into_what_the_api_waits():
    timeout = (
        read_template(TEMPLATE, {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID})
        .functions["AudioFunction"]
        .timeout
    )
    assert timeout + COLD_START_SECONDS <= API_SECONDS
    config: Any = CLIENT_WAITS_CONFIG
    assert config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout) < AFTER_SECONDS
