"""The ``botanu`` command line."""

import logging
import os
import signal
import sys

import cyclopts

from botanu.cli.output import console
from botanu.errors import BotanuError

COMMANDS = {
    "demo": ("botanu.cli.demo.command:demo", "Show what an outcome costs, on made-up data."),
    "serve": ("botanu.cli.serve:serve", "Receive spans over OTLP, and answer questions about them."),
    "report": ("botanu.cli.questions:report", "Print what outcomes cost, by workflow or another dimension."),
    "sql": ("botanu.cli.questions:sql", "Print the answer to one SELECT."),
    "reconcile": ("botanu.cli.reconcile:reconcile_invoice", "Compare an invoice with what was booked."),
    "doctor": ("botanu.cli.doctor:doctor", "Say which calls of a program are metered, and whether its spans arrive."),
    "shared": ("botanu.cli.shared:shared", "Fixed and shared costs, and how they are allocated to runs."),
    "prices": ("botanu.cli.prices:prices", "Your own prices, what has none, and why a call costs what it costs."),
    "events": ("botanu.cli.events:events", "What one event cost: its runs, and every call of them."),
    "values": ("botanu.cli.values:values", "What one unit of each value type is worth, in money."),
}
"""Where each command is, and its line in the list of them."""


def command_line(*, listing: bool = False) -> cyclopts.App:
    """Return the command line; for *listing* the commands, each with its line in place of its whole help.

    A command is found by name, so that it imports what it needs and no more; its help is its docstring.
    """
    line = cyclopts.App(
        name="botanu",
        help="What one business outcome of an AI workflow really costs, failures and retries included.",
        version_flags=["--version"],
        default_parameter=cyclopts.Parameter(negative=()),
        result_action="return_none",
    )
    for name, (where, summary) in COMMANDS.items():
        line.command(where, name=name, help=summary if listing else None)
    return line


def main() -> None:
    """Run the command line: 0 on success, 1 when it could not be done, 2 when the command is not understood.

    A command may end with a code of its own where its answer is no: ``reconcile`` with 3.
    """
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of SQL that our own check refuses, with a reason
    given = sys.argv[1:]
    try:
        command_line(listing=given[:1] in ([], ["--help"], ["-h"]))(given, exit_on_error=False, print_error=True)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except cyclopts.CycloptsError:
        sys.exit(2)
    except BotanuError as error:
        console(error=True).print(f"error: {error}", style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
