"""A Linux kernel with IPVS, for as long as one command takes: user-mode Linux on the machine's own root folder.

    from uml import lab
    result = lab.run([sys.executable, "-m", "pytest", "tests/uml/inside/test_kernel.py"])
    return f"status {result.status}\n{result.output}" if result.status else ""

The command sees the machine's files (hostfs: what it writes outside /run, /var/log and /var/tmp is written to the
machine), its own kernel, network and processes, one processor, and time that is the machine's. The kernel finds modules
by itself, as one installed in the usual way does, so that loading on demand can be tested.

Needs the packages `user-mode-linux` and `kmod`, and root.
"""

import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KERNEL = "linux.uml"
MODULES = Path("/usr/lib/uml/modules")
LOADED = ("ip_vs", "dummy", "veth", "bridge")
"""Modules that are there when the command starts; others come on demand, or with `modules`."""

MEMORY = "1G"
BOOT_LIMIT = 60.0
"""Seconds for boot and shutdown, on top of what the command is given. Five is usual, with cold files twelve."""

DEATH_LIMIT = 5.0  # seconds

STREAM_INTERVAL = 0.2  # seconds between two looks at what the command has written

CHECKOUT = Path(__file__).resolve().parents[2]

NETWORK = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.bridge.bridge-nf-call-iptables": "0",
    "net.ipv4.conf.all.rp_filter": "0",
}


class LabFailed(Exception):
    """The kernel did not boot, or the command did not end in time. The text holds the console and the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How the command ended: its exit status, its standard output and error together, seconds with boot."""

    status: int
    output: str
    seconds: float


def run(
    command: Sequence[str],
    *,
    timeout: float = 120.0,
    modules: Sequence[str] = LOADED,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    memory: str = MEMORY,
    stream: bool = False,
) -> Result:
    """Boot, run a command as root, shut down.

    Args:
        command: program and arguments, as on the machine.
        timeout: seconds for the command.
        modules: what to load before it starts.
        environment: added to the few variables that it gets (PATH, LANG, HOME and TMPDIR, both in memory).
        folder: where it starts; default the current one.
        memory: of the kernel, as its `mem=` takes it.
        stream: write what the command writes to standard output, as it comes.

    Returns:
        how the command ended; a status other than 0 is not an error here.

    Raises:
        LabFailed: there is no such kernel here, it did not boot, or the command ran out of time.
    """
    version = _modules_version()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stayalived-uml-") as name:
        work = Path(name)
        tree = work / "lib" / "modules"
        tree.mkdir(parents=True)
        (tree / version).symlink_to(MODULES / version)
        init = _write_scripts(work, command, modules, environment or {}, folder or Path.cwd())
        in_time = _boot(init, work, memory, timeout + BOOT_LIMIT, stream=stream)
        output = _text_of(work / "output")
        status = _text_of(work / "status").strip()
        if not status:
            why = "no exit status came back" if in_time else "did not end in time"
            raise LabFailed(
                f"{shlex.join(command)}: {why}\n--- console\n{_text_of(work / 'console')}\n--- output\n{output}"
            )
        return Result(status=int(status), output=output, seconds=time.monotonic() - began)


def failures(*names: str, timeout: float = 240.0) -> str:
    """Run test files of `tests/uml/inside` in one boot.

    Returns:
        what pytest wrote when one of them failed; nothing when all passed.

    Raises:
        LabFailed: see `run`.
    """
    files = [f"tests/uml/inside/{name}" for name in names]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *files]
    result = run(command, timeout=timeout, folder=CHECKOUT)
    return f"status {result.status}\n{result.output}" if result.status else ""


def _modules_version() -> str:
    """Return the version of the installed modules, which is that of the kernel of the same package."""
    if shutil.which(KERNEL) is None or not MODULES.is_dir():
        raise LabFailed(f"{KERNEL} or {MODULES} is missing: apt-get install user-mode-linux kmod")
    versions = sorted(path.name for path in MODULES.iterdir() if (path / "modules.dep.bin").exists())
    if not versions:
        raise LabFailed(f"{MODULES}: no module tree with modules.dep.bin; apt-get install --reinstall user-mode-linux")
    return versions[-1]


def _write_scripts(
    work: Path, command: Sequence[str], modules: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Path:
    """Write what the kernel runs as its first process, and what it runs when it wants a module."""
    loader = work / "modprobe"
    loader.write_text(f'#!/bin/sh\nexec /sbin/modprobe -d {work} "$@"\n', encoding="utf-8")
    variables = {
        "PATH": f"{work}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/run/home",
        "TMPDIR": "/run/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": "/run/tmp/hypothesis",
        "STAYALIVED_INSIDE_UML": "1",
        **environment,
    }
    assignments = " ".join(shlex.quote(f"{name}={value}") for name, value in variables.items())
    settings = "\n".join(f"sysctl -qw {name}={value} 2>/dev/null" for name, value in NETWORK.items())
    init = work / "init"
    init.write_text(
        f"""#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for folder in /dev/shm /run /var/log /var/tmp; do mount -t tmpfs tmpfs $folder; done
chmod 1777 /dev/shm /var/tmp
mkdir -p /run/home /run/netns
mkdir -m 1777 /run/tmp
hostname uml
echo {loader} > /proc/sys/kernel/modprobe
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
for module in {shlex.join(modules)}; do {loader} $module || echo "$module: not loaded"; done
ip link set lo up
{settings}
cd {shlex.quote(str(folder))}
env -i {assignments} {shlex.join(command)} > {work}/output 2>&1 < /dev/null
echo $? > {work}/status
sync
echo o > /proc/sysrq-trigger
sleep 30
""",
        encoding="utf-8",
    )
    (work / "bin").mkdir()
    (work / "bin" / "modprobe").symlink_to(loader)
    for script in (loader, init):
        script.chmod(0o755)
    return init


def _boot(init: Path, work: Path, memory: str, limit: float, *, stream: bool) -> bool:
    """Run the kernel until it powers off; kill it with all that it started when it takes too long.

    Returns:
        whether it ended by itself.
    """
    arguments = [
        KERNEL,
        f"mem={memory}",
        *("root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", f"init={init}"),
        *("con=null", "con0=null,fd:1", "ssl=null", "quiet", "selinux=0", "panic=-1", f"uml_dir={work}", "umid=lab"),
    ]
    with (work / "console").open("wb") as console:
        kernel = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return _wait(kernel, work / "output", limit, stream=stream)
        finally:
            _end_session(kernel.pid)
            kernel.wait()


def _wait(kernel: "subprocess.Popen[bytes]", output: Path, limit: float, *, stream: bool) -> bool:
    """Wait for the kernel's end and copy the output meanwhile; return whether it came in time."""
    end = time.monotonic() + limit
    shown = 0
    while True:
        left = end - time.monotonic()
        try:
            kernel.wait(min(left, STREAM_INTERVAL) if stream else left)
        except subprocess.TimeoutExpired:
            if time.monotonic() >= end:
                return False
        ended = kernel.returncode is not None
        if stream and output.exists():
            text = output.read_bytes()[shown:]
            shown += len(text)
            sys.stdout.write(text.decode("utf-8", "replace"))
            sys.stdout.flush()
        if ended:
            return True


def _end_session(session: int) -> None:
    """Kill what is left of a session: the kernel's process, and one for each address space inside it."""
    ends = []
    for process in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        try:
            if os.getsid(process) == session:
                ends.append(os.pidfd_open(process))
                os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
    for end in ends:  # a process that was killed may take a moment to be gone
        select.select([end], [], [], DEATH_LIMIT)
        os.close(end)


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
