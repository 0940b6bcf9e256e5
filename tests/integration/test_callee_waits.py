"""How many requests to AWS, one after the other, stand between what a callee does and the next thing that they hear."""

import os

import boto3
import pytest

from benchmarks.canned_call import canned_call
from benchmarks.keys import MOST_REQUESTS, cases, requests_of


@pytest.fixture
def endpoint(monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would go on with the environment in which it was made
    with canned_call() as address:
        yield address


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.source}, {case.what}")
def test_a_callee_waits_for_three_requests_at_most(case, endpoint):
    requests = requests_of(case, endpoint)
    assert 1 <= requests.total() <= MOST_REQUESTS == 3, requests
