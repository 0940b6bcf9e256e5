"""`python -m local run`: the whole service on this machine, until Ctrl-C. `python -m local demo`: without hands."""

import argparse
import os
import re
import shlex
import signal
import sys
import threading
from contextlib import suppress
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import TextIO, get_args
from urllib.parse import urlsplit

from local.cloud.artifact import NotBuiltError
from local.cloud.laptop_cloud import Cloud, CloudSettings, Hosting, PortTaken
from local.cloud.runtime.emulator import RuntimeMissingError
from local.cloud.seed import KEY, PASSWORD, USER, WEBHOOK_SECRET
from local.tools import demo
from speechcall.telephony.provider import ProviderName, provider

ROOT = Path(__file__).parent.parent
PORT = 8080
MOST_PORT = 65_535
API_PORT = 3000
"""`sam local`'s own default."""
LOGS = ROOT / "build"
EXAMPLE = ROOT / "events" / "spec" / "curl.json"
PLACEHOLDER = "+380XXXXXXXXX"
EXAMPLE_NUMBER = "+380671234567"


class NoLog(RuntimeError):
    """The functions' log cannot be begun."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the process's exit status."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it is closed: `>&-`
            setattr(sys, name, StringIO())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal whose encoding lacks a character gets its code instead.
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except (NotBuiltError, RuntimeMissingError) as missing:
        print(missing, file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="SpeechCall on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run_command = commands.add_parser("run", help="start the whole service, with a phone in the browser")
    run_command.add_argument("--port", type=_port, default=PORT, help=f"of the API and the phone page ({PORT})")
    run_command.add_argument(
        "--webhooks",
        choices=["receiver", "real"],
        default="receiver",
        help="where webhooks go: to the built-in receiver (which the page shows), or to their real addresses",
    )
    run_command.add_argument(
        "--verbose", action="store_true", help=f"the functions' log here, not in {_shown(log_of(PORT))}"
    )
    run_command.set_defaults(command=run)
    demo_command = commands.add_parser(
        "demo", help="call with scripted callees, and hold each call to the specification"
    )
    demo_command.set_defaults(
        command=lambda options: demo.main(ProviderName(options.telephony), functions=options.functions)
    )
    for command in (run_command, demo_command):
        command.add_argument(
            "--telephony",
            choices=[name.value for name in ProviderName],
            default=ProviderName.CONNECT.value,
            help="who places the calls: Amazon Connect, the Chime SDK's PSTN audio, or the stack, to simulated callees",
        )
        command.add_argument(
            "--functions",
            choices=get_args(Hosting),
            default="process",
            help="who runs them: this process; or, what bin/sam-build has built, Lambda's runtime or `sam local`",
        )
    return parser


def _say(text: str) -> None:
    """Prints; where the output takes nothing (a full disk, `| head -1`) the service runs all the same."""
    try:
        print(text, flush=True)
    except OSError:
        # What is left in the buffer would be tried again at the end.
        with suppress(OSError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]


def _port(given: str) -> int:
    """A number of a port; 0 is any that is free. Raises argparse's error for what is none."""
    if not re.fullmatch(r"[0-9]{1,5}", given) or int(given) > MOST_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to {MOST_PORT}, not {given!r}")
    return int(given)


def run(options: argparse.Namespace) -> int:
    """Start the cloud, say how to use it, and wait for Ctrl-C (or a TERM signal)."""
    stopping = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stopping.set())
    settings = CloudSettings(
        port=options.port,
        telephony=ProviderName(options.telephony),
        webhooks=options.webhooks,
        log=sys.stderr if options.verbose else open_log,
        functions=options.functions,
        api_port=API_PORT,
    )
    try:
        with Cloud(settings) as cloud:
            cloud.carrier.hello = lambda: {
                "api": cloud.api_url,
                "user": USER,
                "password": PASSWORD,
                "console": f"{cloud.url}/console",
                "key": KEY,
                "webhooks": where_webhooks_go(cloud),
                "curl": curl(cloud.api_url),
            }
            log = "here" if options.verbose else _shown(log_of(urlsplit(cloud.url).port or PORT))
            _say(greeting(cloud, log))
            stopping.wait()
            _say("\nStopping.")
    except (PortTaken, NoLog) as obstacle:
        print(obstacle, file=sys.stderr)
        return 1
    return 0


def log_of(port: int) -> Path:
    """Where the functions' log is of the service on a port: services that run at the same time have one each."""
    return LOGS / ("functions.log" if port == PORT else f"functions-{port}.log")


def open_log(port: int) -> TextIO:
    """Begin a new log. To be called by the process that has the port: until then it may be a running service's."""
    try:
        LOGS.mkdir(parents=True, exist_ok=True)
        return log_of(port).open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise NoLog(f"The log {_shown(log_of(port))} cannot be written: {error.strerror}") from error


def greeting(cloud: Cloud, log: str) -> str:
    """What a user needs to know: five addresses, and a request to paste."""
    rings = provider(ProviderName(cloud.settings.telephony)).rings_phones
    shown = "open it first: the calls ring there" if rings else "shows the calls; callees act by their last digits"
    facts = {
        "Phone": f"{cloud.url}/phone   {shown}",
        "Console": f"{cloud.url}/console   its key is {KEY}",
        "API": f"{cloud.api_url}/bat/messagelist",
        "Account": f"{USER}:{PASSWORD}",
        "Webhooks": f"go to {where_webhooks_go(cloud)}, signed with {WEBHOOK_SECRET}",
        "Log": log,
    }
    lines = [f"  {name:<10}{value}" for name, value in facts.items()]
    return "\n".join(["SpeechCall runs on this machine.", "", *lines, "", curl(cloud.api_url), "", "Ctrl-C stops it."])


def where_webhooks_go(cloud: Cloud) -> str:
    """Whoever has a receiver of their own has to know whether it gets anything."""
    if cloud.settings.webhooks == "receiver":
        return "the built-in receiver, whatever their URL is (WEBHOOKS=real: to their URLs)"
    return "their URLs"


def curl(url: str) -> str:
    """The specification's request for this machine, ready to be pasted into a shell."""
    body = EXAMPLE.read_text(encoding="utf-8").rstrip().replace(PLACEHOLDER, EXAMPLE_NUMBER)
    lines = [
        f"curl -X POST {url}/bat/messagelist",
        f"-u {shlex.quote(f'{USER}:{PASSWORD}')}",
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(body)}",
    ]
    return " \\\n  ".join(lines)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    sys.exit(main())
