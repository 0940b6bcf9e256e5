"""Repairs of moto's S3: what one request reads is not closed, or moved on, by another."""

from typing import Any

from moto.s3.models import FakeKey

from local.cloud.moto_patches.replace import Replacement, instead_of


def keep_what_is_written_over_readable() -> None:
    """A PUT closes the object that it takes the place of, while that one may still be stored or read.

    Two clients that upload the same file in the same moment met it as 500: `I/O operation on closed file`.
    Here an object is closed when nothing refers to it any more. Its ETag, which moto reads from the same file without
    the lock that readers hold, is made before anybody can read it.
    """

    @instead_of(FakeKey, "dispose")
    def dispose(stock: Replacement, key: FakeKey, garbage: bool = False) -> None:
        if garbage:
            stock(key, garbage)
        key.disposed = True

    @instead_of(FakeKey, "__init__")
    def init(stock: Replacement, key: FakeKey, *args: Any, **more: Any) -> None:
        stock(key, *args, **more)
        key.etag  # noqa: B018 - moto keeps it
