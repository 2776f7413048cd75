"""What the benchmarks share: environments for peers, processes that are always stopped, numbers and tables."""

import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("BOTANU_BENCH_CACHE", "~/.cache/botanu-bench")).expanduser()
"""Where the peers' virtual environments are kept from one run to the next."""

STOP_SECONDS = 20
"""How long a process has to stop when asked to, before it is killed."""

IDLE_SECONDS = 0.1
"""CPU time in a second below which a server counts as having nothing to do."""

_TICKS = os.sysconf("SC_CLK_TCK")


def stop_on_sigterm() -> None:
    """Let SIGTERM unwind the program, so that what it started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def environment(name: str, *requirements: str) -> Path:
    """Return the Python of the virtual environment *name* that has the *requirements*; make it if need be."""
    home = CACHE / name
    python = home / "bin" / "python"
    installed = home / "installed.txt"
    if not installed.is_file() or installed.read_text() != "\n".join(requirements):
        print(f"installing {' and '.join(requirements)} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([*_installer(python), "--quiet", *requirements], check=True)
        installed.write_text("\n".join(requirements))
    return python


def _installer(python: Path) -> list[str]:
    """Return the command that installs into the environment of *python*: uv where there is one, else a new pip."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv:
        return [uv, "pip", "install", "--compile-bytecode", "--python", str(python)]
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--upgrade", "pip"], check=True)
    return [str(python), "-m", "pip", "install"]


@contextmanager
def started(
    command: Sequence[str | Path],
    log: Path,
    *,
    talks: bool = False,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run *command*, what it prints into *log*; stop it and its children in any case.

    With one that *talks*, input and output are pipes, and only errors go into the log.
    """
    with log.open("ab") as written:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
            stdout=subprocess.PIPE if talks else written,
            stderr=written,
            text=True,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
    try:
        yield process
    except BaseException:
        if said := log.read_text(errors="replace")[-2000:]:
            print(f"the end of what {Path(command[0]).name} said:\n{said}", file=sys.stderr)
        raise
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """Ask *process* to stop; kill it, and what is left of its children, when it does not."""
    children = tree(process.pid)[1:]
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pid in children:
        if _stat(pid) is not None:
            os.kill(pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def tree(pid: int) -> list[int]:
    """Return *pid* and all its descendants."""
    parents = {
        int(entry.name): int(stat[1])
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and (stat := _stat(int(entry.name))) is not None
    }
    found = [pid]
    for parent in found:
        found += [process for process, its_parent in parents.items() if its_parent == parent]
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that *pid* and its descendants have used so far, in all threads."""
    stats = [stat for process in tree(pid) if (stat := _stat(process)) is not None]
    own = sum(int(stat[11]) + int(stat[12]) for stat in stats)
    of_the_dead = int(stats[0][13]) + int(stats[0][14]) if stats else 0
    return (own + of_the_dead) / _TICKS


def busy_seconds() -> float:
    """Return the CPU time that the whole machine has spent on work so far."""
    user, nice, system, _, _, irq, softirq, steal, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq, steal))) / _TICKS


def own_seconds() -> float:
    """Return the CPU time of this process and of those of its children that have ended."""
    return sum(os.times()[:4])


def peak_memory_bytes(pid: int) -> int:
    """Return the sum of the peak resident sizes of *pid* and its descendants."""
    total = 0
    for process in tree(pid):
        try:
            status = Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    return total


def _stat(pid: int) -> list[str] | None:
    """Return the fields of ``/proc/PID/stat`` after the name; ``None`` when there is no such process any more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields


def free_port() -> int:
    """Return a port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[str], seconds: float = 120) -> None:
    """Wait until something listens on *port*."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the process ended with {process.returncode} before it listened")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port} after {seconds:g} s")


def settle(pid: int, seconds: float = 60) -> None:
    """Wait until *pid* and its descendants have nothing left to do, for a while."""
    deadline, before = time.monotonic() + seconds, cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(1)
        now = cpu_seconds(pid)
        if now - before < IDLE_SECONDS:
            return
        before = now


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that *share* of *values* do not pass; the nearest one, not an average of two."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def ratio(values: Sequence[float], floor: Sequence[float]) -> float:
    """Return the median of the ratios of values measured side by side."""
    return statistics.median(value / base for value, base in zip(values, floor, strict=True))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def machine() -> str:
    """Return one line about the machine: cores, memory, interpreter, load."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, {platform.python_implementation()} "
        f"{platform.python_version()}, load {os.getloadavg()[0]:.1f} before the start"
    )
