"""How a command says that it could not do what it was asked: one sentence, and exit status 1."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotReached

from cli.terminal import plain
from speechcall.shared.rules.errors import PromptUnavailable, StoreUnavailable


class Refusal(Exception):
    """A command cannot be carried out; the sentence says why, and what would help."""


def unwritten(error: OSError) -> str:
    """What is said where the output takes nothing more."""
    return f"The output cannot be written: {error.strerror or error}"


@contextmanager
def shown_once(remedy: str) -> Iterator[None]:
    """Around the printing of secrets. Where they cannot be written they are lost; `remedy` says what then helps."""
    try:
        yield
    except OSError as error:
        raise Refusal(f"{unwritten(error)}. What was given is lost: {remedy}.") from error


@contextmanager
def told(*, local: bool = False) -> Iterator[None]:
    """Tells what went wrong instead of showing a traceback. What is left over is a bug of ours.

    `local`: it is `make run` that was asked, which needs no profile.
    """
    try:
        yield
    except (Refusal, PromptUnavailable) as refusal:
        sentence = str(refusal)
    except StoreUnavailable as error:
        sentence = f"The table did not answer ({error}). Look with `speechcall account list` whether anything changed."
    except ClientError as error:
        sentence = f"AWS refuses {error.operation_name}: {error.response.get('Error', {}).get('Message', error)}"
    except BotoCoreError as error:
        said = str(error).rstrip(".")
        if local and isinstance(error, (NotReached, HTTPClientError)):
            sentence = f"The service of `make run` does not answer ({said})."
        else:
            sentence = f"AWS cannot be asked ({said}); --profile and --region say as whom and where."
    except OSError as error:  # behind BotoCoreError, of which some are this too
        if error.errno == errno.EPIPE:
            raise  # who reads has enough: the command ends, and says nothing
        sentence = f"{unwritten(error)}."
    else:
        return
    typer.echo(plain(f"Error: {sentence[:1].upper()}{sentence[1:]}"), err=True)
    raise typer.Exit(1)
