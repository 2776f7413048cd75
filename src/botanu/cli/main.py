"""The ``botanu`` command."""

import logging
import sys

import cyclopts

from botanu.cli.output import console
from botanu.errors import BotanuError

app = cyclopts.App(
    name="botanu",
    help="What one business outcome of an AI workflow really costs, failures and retries included.",
    version_flags=["--version"],
)
# By name, so that a command imports what it needs and no more.
app.command("botanu.cli.demo.command:demo", name="demo", help="Show what an outcome costs, on made-up data.")
app.command("botanu.cli.serve:serve", name="serve", help="Receive spans over OTLP, and answer questions about them.")
app.command(
    "botanu.cli.questions:report", name="report", help="Print what outcomes cost, by workflow or another dimension."
)
app.command("botanu.cli.questions:sql", name="sql", help="Print the answer to one SELECT.")
app.command("botanu.cli.values:values", name="values", help="What one unit of each value type is worth, in money.")


def main() -> None:
    """Run the command line: 0 on success, 1 when it could not be done, 2 when the command is not understood."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of SQL that our own check refuses, with a reason
    try:
        app(sys.argv[1:], exit_on_error=False, print_error=True)
    except cyclopts.CycloptsError:
        sys.exit(2)
    except BotanuError as error:
        console(error=True).print(f"error: {error}", style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
