"""Distributions put where Python finds them, as if they had been installed."""

import os
from pathlib import Path

import botanu

SOURCE = Path(botanu.__file__).parents[1]


def install(directory, name, *needs, version="1.0", instrumentor=None, code=""):
    """Put a distribution into *directory*; an *instrumentor* is an entry point, and *code* the module behind it."""
    module = name.replace("-", "_")
    info = directory / f"{module}-{version}.dist-info"
    info.mkdir()
    about = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    about += [f"Requires-Dist: {need}" for need in needs]
    (info / "METADATA").write_text("\n".join(about) + "\n")
    if instrumentor:
        group = "[opentelemetry_instrumentor]"
        (info / "entry_points.txt").write_text(f"{group}\n{instrumentor} = {module}:Instrumentor\n")
        (directory / f"{module}.py").write_text(code)


def first(*directories):
    """Return a ``PYTHONPATH`` that has *directories* before everything else."""
    return os.pathsep.join([*map(str, directories), str(SOURCE)])
