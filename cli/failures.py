"""How a command says that it could not do what it was asked: one sentence, and an exit status."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError
from botocore.exceptions import ConnectionError as NotReached

from cli.as_json import show_json
from cli.exit_codes import FAILED, REFUSED, UNKNOWN
from cli.terminal import plain
from speechcall.shared.rules.errors import PromptUnavailable, StoreUnavailable


class Refusal(Exception):
    """A command is not carried out; the sentence says why, and what would help."""

    status = REFUSED


class Failure(Refusal):
    """Nothing refuses it: a file, an output or a connection cannot be used."""

    status = FAILED


def unwritten(error: OSError) -> str:
    """What is said where the output takes nothing more."""
    return f"The output cannot be written: {error.strerror or error}"


def show_error(sentence: str) -> None:
    """Says what went wrong, for eyes."""
    typer.echo(plain(f"Error: {sentence[:1].upper()}{sentence[1:]}"), err=True)


@contextmanager
def shown_once(remedy: str) -> Iterator[None]:
    """Around the printing of secrets. Where they cannot be written they are lost; `remedy` says what then helps."""
    try:
        yield
    except OSError as error:
        raise Failure(f"{unwritten(error)}. What was given is lost: {remedy}.") from error


@contextmanager
def told(*, local: bool = False, as_json: bool = False) -> Iterator[list[str]]:
    """A context that tells what went wrong instead of showing a traceback, and raises typer.Exit with the status of it.

    An exception that it does not know goes on: that is a bug of ours. So does a closed output, and BadParameter, which
    Typer tells.

    `local`: it is `make run` that was asked, which needs no profile. `as_json`: the output says it as well, with what
    the command has said until then: `sentences` adds that to the list that is given here.
    """
    status, before = FAILED, list[str]()
    try:
        yield before
    except Refusal as refusal:
        sentence, status = str(refusal), refusal.status
    except PromptUnavailable as refusal:
        sentence, status = str(refusal), REFUSED
    except StoreUnavailable as error:
        status = UNKNOWN
        sentence = (
            f"The table did not answer ({error}). Whether anything was changed is not known: look before you repeat it."
        )
    except ClientError as error:
        status = UNKNOWN if _status_of(error) >= 500 else REFUSED
        sentence = f"AWS refuses {error.operation_name}: {error.response.get('Error', {}).get('Message', error)}"
    except BotoCoreError as error:
        # What was sent and not answered may have been done.
        status = UNKNOWN if isinstance(error, (ReadTimeoutError, ConnectionClosedError)) else FAILED
        said = str(error).rstrip(".")
        if local and isinstance(error, (NotReached, HTTPClientError)):
            sentence = f"The service of `make run` does not answer ({said})."
        else:
            sentence = f"AWS cannot be asked ({said}); --profile and --region say as whom and where."
    except OSError as error:  # of the output (`cli.files` tells of files); some BotoCoreErrors, above, are this too
        if error.errno == errno.EPIPE:
            raise  # who reads has enough: the command ends, and says nothing
        sentence = f"{unwritten(error)}."
    else:
        return
    show_error(sentence)
    if as_json:
        show_json({"error": sentence, "status": status, **({"said": before} if before else {})})
    raise typer.Exit(status)


def _status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
