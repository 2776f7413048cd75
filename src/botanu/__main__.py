"""The ``botanu`` command, also where only the SDK is installed."""

import sys


def main() -> None:
    """Run the command line, or say what it takes."""
    try:
        from botanu.cli.main import main as run  # noqa: PLC0415 - what is missing is told below
    except ModuleNotFoundError as error:
        sys.exit(f"error: {error.name} is not installed; the botanu command needs: pip install 'botanu[server]'")
    run()


if __name__ == "__main__":
    main()
