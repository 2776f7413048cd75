"""The ``botanu`` command."""

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
app.command("botanu.cli.demo.command:demo", name="demo")
app.command("botanu.cli.serve:serve", name="serve")
app.command("botanu.cli.questions:report", name="report")
app.command("botanu.cli.questions:sql", name="sql")
app.command("botanu.cli.values:values", name="values")


def main() -> None:
    """Run the command line: 0 on success, 1 when it could not be done, 2 when the command is not understood."""
    try:
        app(sys.argv[1:], exit_on_error=False, print_error=True)
    except cyclopts.CycloptsError:
        sys.exit(2)
    except BotanuError as error:
        console(error=True).print(f"error: {error}", style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
