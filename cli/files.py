"""Files that a command is given: read as far as is needed, and named as they are called where they cannot be."""

from pathlib import Path

from cli.failures import Failure, Refusal


def read_file(path: Path, most: int) -> bytes:
    """A file's content. Raises Refusal if it has more bytes (a device has no end), Failure if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise Failure(f"The file {path.name} cannot be read: {error.strerror}.") from error
    if len(content) > most:
        raise Refusal(f"The file {path.name} has more than {most} bytes; at most {most} can be taken.")
    return content


def write_file(path: Path, content: bytes) -> None:
    """Writes a file. Raises Failure if that cannot be."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Failure(f"The file {path} cannot be written: {error.strerror}.") from error
