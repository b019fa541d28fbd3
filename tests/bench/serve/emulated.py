"""A Linux that is emulated so that an instruction is a nanosecond: what programs cost, their kernel's work included.

QEMU without acceleration, with `-icount shift=0`, lets its one processor's time go on by 1 ns an instruction, and
jump where nothing runs. The kernel is Debian's own for such machines; it takes its time from the processor's counter, so
the processor time of a process, which it accounts at every switch by that counter, counts instructions. The disk is an
archive in memory of the programs, the libraries that they are linked with, and a first program (guest.c) that follows a plan.

Counted alike on every host, and whatever else the host does. Not seen: how long an instruction takes, caches, other processors.
A repeated string instruction counts once each round, so the emulated processor says that it has no fast ones
and nobody chooses them for long copies. The timer's interrupts (250 a second, one in four million instructions) fall on
who runs.
"""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
EMULATOR = "qemu-system-x86_64"
PROCESSOR = "max,-erms,-fsrm"
MEMORY_MB = 1024
BOOT_S = 1800  # until the emulator is ended, whatever it does


def find_kernel():
    """JML_KERNEL, else what scripts/setup --emulated fetched, else an installed one that can be read; or None."""
    if os.environ.get("JML_KERNEL"):
        return pathlib.Path(os.environ["JML_KERNEL"])
    for folder in (ROOT / "build/kernel/boot", pathlib.Path("/boot")):
        for kernel in sorted(folder.glob("vmlinuz-*"), reverse=True):
            if os.access(kernel, os.R_OK):
                return kernel
    return None


def what_is_missing():
    """A sentence, or None if the machine can be emulated."""
    if os.uname().machine != "x86_64":
        return f"the emulated machine is an x86_64, this is {os.uname().machine}"
    if shutil.which(EMULATOR) is None:
        return f"no {EMULATOR} here (scripts/setup --emulated)"
    if find_kernel() is None:
        return "no kernel in build/kernel or /boot that can be read (scripts/setup --emulated)"
    return None


def libraries_of(program):
    """What the dynamic linker would load, and the linker itself."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"^\s*(?:\S+ => )?(/\S+) \(", done.stdout, re.M)


class Archive:
    """A file tree as the kernel unpacks it at its start (cpio, "newc")."""

    def __init__(self):
        self.bytes = bytearray()
        self.names = set()

    def _entry(self, name, mode, data=b""):
        if name in self.names:
            return
        self.names.add(name)
        folder = os.path.dirname(name)
        if folder and folder not in self.names:
            self._entry(folder, stat.S_IFDIR | 0o755)
        number = len(self.names)
        path = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
        self.bytes += b"070701" + b"".join(b"%08X" % field for field in fields)
        for part in (path, data):
            self.bytes += part
            self.bytes += bytes(-len(self.bytes) % 4)

    def add(self, name, data, mode=0o644):
        self._entry(name.lstrip("/"), stat.S_IFREG | mode, data)

    def add_program(self, path, name):
        self.add(name, pathlib.Path(path).read_bytes(), 0o755)
        for library in libraries_of(path):
            self.add(library, pathlib.Path(library).read_bytes(), 0o755)

    def add_tree(self, folder, name):
        for path in sorted(pathlib.Path(folder).rglob("*")):
            there = name + "/" + str(path.relative_to(folder))
            if path.is_dir():
                self._entry(there.lstrip("/"), stat.S_IFDIR | path.stat().st_mode & 0o777)
            elif path.is_file():
                self.add(there, path.read_bytes(), path.stat().st_mode & 0o777)

    def write(self, path):
        self._entry("TRAILER!!!", 0)
        pathlib.Path(path).write_bytes(self.bytes)


def follow(archive, plan):
    """Boots with this archive and plan; answers {label: (server, asker, switches)} of its counts."""
    archive.add("/plan", "".join(line + "\n" for line in plan).encode())
    with tempfile.TemporaryDirectory(prefix="jml-emulated") as work:
        archive.write(f"{work}/archive")
        console = subprocess.run(
            [EMULATOR, "-machine", "pc", "-accel", "tcg", "-icount", "shift=0,sleep=off", "-cpu", PROCESSOR, "-smp", "1",
             "-m", str(MEMORY_MB), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
             "-kernel", str(find_kernel()), "-initrd", f"{work}/archive",
             "-append", "console=ttyS0 quiet tsc=reliable panic=-1 rdinit=/init"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=BOOT_S, check=False)
    lines = console.stdout.replace("\r", "").splitlines()
    if "all right" not in lines:
        raise SystemExit("the emulated machine failed: " + "\n".join(lines[-20:]) + console.stderr[-2000:])
    _, ran, counted = next(line.split() for line in lines if line.startswith("proof "))
    if not int(ran) <= int(counted) <= int(ran) * 1.02:
        raise SystemExit(f"{ran} instructions were counted as {counted} by the emulated machine")
    return {words[1]: tuple(int(word) for word in words[2:])
            for words in (line.split() for line in lines) if words[:1] == ["count"]}
