"""Repairs of moto's reading of definitions, and of what it makes again or keeps for each task."""
# ruff: noqa: SLF001  (a repair works on what moto keeps to itself)

import functools
import sys
import threading
from typing import Any

import boto3
from antlr4.atn.PredictionMode import PredictionMode
from moto.stepfunctions.parser import utils
from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.asl.utils import boto_client

from local.cloud.moto_patches.replace import Replacement, instead_of


def parse_each_definition_by_itself() -> None:
    """After one rejected JSONata definition, every valid JSONPath definition is rejected until the process ends.

    The preprocessor keeps its stack of query languages in a list on the class, shared by all definitions and threads.
    """

    @instead_of(Preprocessor, "__init__")
    def init(stock: Replacement, preprocessor: Any, *args: Any, **more: Any) -> None:
        stock(preprocessor, *args, **more)
        preprocessor._query_language_per_scope = []


def parse_each_definition_once() -> None:
    """Each execution parses its definition again: 6 ms of the one interpreter lock for 6 states, 110 ms for 60."""
    parser: Any = AmazonStateLanguageParser
    parser.parse = staticmethod(functools.lru_cache(1024)(parser.parse))


def parse_quickly_what_is_well_formed() -> None:
    """A third of the time to parse a definition goes to look for ambiguities that its grammar has none of.

    What ANTLR's mode SLL accepts, it reads as the full mode LL does; what it refuses, LL is asked about (ANTLR 4,
    "PredictionMode.SLL").
    """
    parser: Any = AmazonStateLanguageParser
    quickly = threading.local()
    in_full = parser.parse

    @instead_of(ASLParser, "__init__")
    def init(stock: Replacement, asl_parser: Any, *args: Any, **more: Any) -> None:
        stock(asl_parser, *args, **more)
        if getattr(quickly, "asked", False):
            asl_parser._interp.predictionMode = PredictionMode.SLL

    def parse(definition: str) -> Any:
        quickly.asked = True
        try:
            return in_full(definition)
        except ASLParserException:
            quickly.asked = False
            return in_full(definition)
        finally:
            quickly.asked = False

    parser.parse = staticmethod(parse)


def make_each_client_once() -> None:
    """Each task makes a boto3 client of its own, which takes as long as the rest of the task."""

    class Clients:
        """Stands in for the module `boto3` where moto makes its clients."""

        def __init__(self) -> None:
            self._made: dict[tuple[Any, ...], Any] = {}
            self._making = threading.Lock()

        def client(self, **arguments: Any) -> Any:
            key = (arguments["service_name"], arguments["region_name"], arguments.get("endpoint_url"))
            with self._making:
                if key not in self._made:
                    self._made[key] = boto3.client(**arguments)
                return self._made[key]

    module: Any = boto_client
    module.boto3 = Clients()


def forget_finished_threads() -> None:
    """Every thread object is kept in the list TMP_THREADS: five for each call that was ever made."""

    class Forgetful(list[threading.Thread]):
        def append(self, thread: threading.Thread) -> None:
            """Keep nothing: nobody reads it."""

    stock, forgetful = utils.TMP_THREADS, Forgetful()
    for module in list(sys.modules.values()):
        if getattr(module, "TMP_THREADS", None) is stock:
            setattr(module, "TMP_THREADS", forgetful)  # noqa: B010  (a module's attribute that its type does not show)
