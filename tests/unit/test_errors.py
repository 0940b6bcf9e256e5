"""The tree of errors: class names are what published state machines match."""

from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.shared.rules import errors
from tests.kit.samples import MENU


def tree(error):
    return {child.__name__: tree(child) for child in error.__subclasses__()}


def test_the_tree_of_errors_is_the_one_that_its_module_shows():
    assert tree(errors.SpeechCallError) == {
        "RequestError": {
            "MalformedJson": {},
            "InvalidRequest": {},
            "InvalidCursor": {},
            "Unauthorized": {},
            "CrossSiteRequest": {},
            "ScopeRequired": {},
            "AddressNotAllowed": {},
            "NotFound": {},
            "NotReplayable": {},
            "CallNotOver": {},
            "NotSignedHere": {},
            "TooManySecrets": {},
            "CampaignCancelled": {},
            "ListCancelled": {},
            "RehearsalRunning": {},
            "IdempotencyKeyReused": {},
            "ConsentRequired": {},
            "UnusableAudio": {},
            "TooManyMenuShapes": {},
            "TooManyCampaigns": {},
            "RateLimited": {},
            "PayloadTooLarge": {},
            "UnsupportedEncoding": {},
        },
        "RetryableError": {
            "TelephonyThrottled": {},
            "TelephonyUnavailable": {},
            "EngineUnavailable": {},
            "StoreUnavailable": {},
        },
        "DestinationRefused": {},
        "TelephonyMisconfigured": {},
        "MenusRefused": {},
        "PromptUnavailable": {},
        "PromptUnreachable": {},
        "ForbiddenAddress": {},
        "UnusableUrl": {},
        "Unreachable": {},
    }
    for name in ("MalformedJson", "StoreUnavailable", "DestinationRefused", "ForbiddenAddress"):
        assert name in errors.__doc__


def test_the_names_that_state_machines_retry_are_pinned():
    names = ["EngineUnavailable", "StoreUnavailable", "TelephonyThrottled", "TelephonyUnavailable"]
    assert errors.retryable_error_names() == names
    machine = compile_flow((MENU,), Wiring("arn:c", "arn:f", "https://q"))
    for state in ("Dial", "Menu 0", "Menu 0 silent?", "Hang up"):
        # A dial that is throttled is put off instead: see the state "Put off".
        retried = set(names) - ({"TelephonyThrottled"} if state == "Dial" else set())
        assert set(names) & set(machine["States"][state]["Retry"][0]["ErrorEquals"]) == retried


def test_the_name_with_which_dial_is_answered_is_pinned():
    assert errors.NOT_ANSWERED == "NotAnswered"


def test_each_mistake_of_a_client_has_its_status_and_code():
    kinds = [errors.MalformedJson, errors.InvalidRequest, errors.Unauthorized, errors.PayloadTooLarge]
    found = [(kind("x").status, kind("x").code) for kind in kinds]
    assert found == [
        (400, "MALFORMED_JSON"),
        (400, "INVALID_REQUEST"),
        (401, "UNAUTHORIZED"),
        (413, "PAYLOAD_TOO_LARGE"),
    ]
    assert errors.NotFound.status == 404
    assert errors.IdempotencyKeyReused.status == 422
    assert errors.RateLimited.status == 429
    assert errors.TooManyMenuShapes.status == 422
    assert errors.TooManyMenuShapes.code == "TOO_MANY_MENU_SHAPES"


def test_an_invalid_request_has_the_code_of_its_first_problem():
    problems = [errors.Problem("INVALID_TEXT", "messages[0].text", "is required"), errors.Problem("B", "b", "b")]
    error = errors.InvalidRequest("No.", problems)
    assert error.code == "INVALID_TEXT"
    assert error.problems == tuple(problems)
