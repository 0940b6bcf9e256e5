"""How a command says that it could not do what it was asked: one sentence, and exit status 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.terminal import plain
from speechcall.domain.errors import PromptUnavailable, StoreUnavailable


class Refusal(Exception):
    """A command cannot be carried out; the sentence says why, and what would help."""


@contextmanager
def told() -> Iterator[None]:
    """Tells what went wrong instead of showing a traceback. What is left over is a bug of ours."""
    try:
        yield
    except (Refusal, PromptUnavailable) as refusal:
        sentence = str(refusal)
    except StoreUnavailable as error:
        sentence = f"The table did not answer ({error}). Look with `speechcall account list` whether anything changed."
    except ClientError as error:
        sentence = f"AWS refuses {error.operation_name}: {error.response.get('Error', {}).get('Message', error)}"
    except BotoCoreError as error:
        sentence = f"AWS cannot be asked ({str(error).rstrip('.')}); --profile and --region say as whom and where."
    else:
        return
    typer.echo(plain(f"Error: {sentence[:1].upper()}{sentence[1:]}"), err=True)
    raise typer.Exit(1)
