"""A PostgreSQL of the bench's own: in a folder of its own, on a socket there, of a user without rights."""
import contextlib
import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import time

START_S = 60
SETTINGS = {
    "listen_addresses": "''", "shared_buffers": "'2GB'", "work_mem": "'256MB'", "fsync": "off",
    "max_parallel_workers_per_gather": "0", "max_parallel_maintenance_workers": "0",
    "autovacuum": "off", "max_wal_size": "'8GB'", "random_page_cost": "1.1", "max_connections": "5",
    "wal_level": "minimal", "max_wal_senders": "0", "huge_pages": "try",
}


def find_programs():
    """The folder with initdb and postgres, as Debian has it or on the path; None if not installed."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
                     key=lambda path: int(path.parent.name))
    for folder in reversed(folders):
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    found = shutil.which("postgres")
    return pathlib.Path(found).resolve().parent if found and shutil.which("psql") else None


def as_nobody():
    """Keywords of Popen that give up root's rights; PostgreSQL refuses to run with them."""
    if os.getuid() != 0:
        return {}
    names = [entry.pw_name for entry in pwd.getpwall()]
    user = "postgres" if "postgres" in names else "nobody"
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def end_with_us():
    """In the child: it gets SIGINT (a fast shutdown) if this process ends, however it does."""
    ctypes.CDLL(None).prctl(1, signal.SIGINT)


@contextlib.contextmanager
def server(programs, folder):
    """Starts one below `folder`, gives the folder of its socket, and stops it whatever happens."""
    cluster = os.path.join(folder, "cluster")
    socket = os.path.join(folder, "socket")
    rights = as_nobody()
    for path in (cluster, socket):
        os.mkdir(path, 0o700)
        if rights:
            os.chown(path, pwd.getpwnam(rights["user"]).pw_uid, rights["group"])
    subprocess.run([programs / "initdb", "-D", cluster, "-U", "bench", "-A", "trust", "--no-sync",
                    "--locale=C", "--encoding=UTF8"], check=True, cwd=folder,
                   stdout=subprocess.DEVNULL, **rights)
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value.strip(chr(39))}")]
    with open(os.path.join(folder, "postgres.log"), "wb") as log:
        process = subprocess.Popen([programs / "postgres", "-D", cluster, "-k", socket, *options],
                                   cwd=folder, stdout=log, stderr=log, preexec_fn=end_with_us, **rights)
    try:
        wait_until_ready(programs, socket, process, folder)
        yield socket
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(programs, socket, process, folder):
    deadline = time.monotonic() + START_S
    while subprocess.run([programs / "pg_isready", "-q", "-h", socket], check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            log = pathlib.Path(folder, "postgres.log").read_text(encoding="utf-8", errors="replace")
            raise SystemExit(f"postgres did not start: {log[-2000:]}")
        time.sleep(0.05)


class Session:
    """One connection, through psql; it counts the CPU time of the process that serves it."""

    END = "-- end of answer --"

    def __init__(self, programs, socket):
        self.psql = subprocess.Popen(
            [programs / "psql", "-X", "-q", "-A", "-t", "-F", ",", "-v", "ON_ERROR_STOP=1",
             "-h", socket, "-U", "bench", "postgres"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.pid = int(self.ask("SELECT pg_backend_pid()")[0])

    def ask(self, statement):
        """The lines of its answer, cells parted by commas."""
        end = "" if statement.startswith("\\") else ";"
        self.psql.stdin.write(f"{statement}{end}\n\\echo {self.END}\n")
        self.psql.stdin.flush()
        lines = []
        while True:
            line = self.psql.stdout.readline()
            if line == "":
                raise SystemExit(f"psql: {self.psql.stderr.read()[-2000:]}")
            if line.rstrip("\n") == self.END:
                return lines
            lines.append(line.rstrip("\n"))

    def cpu_ns(self):
        with open(f"/proc/{self.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0])

    def timed(self, statement):
        """CPU nanoseconds of the server, and the answer."""
        before = self.cpu_ns()
        lines = self.ask(statement)
        return self.cpu_ns() - before, lines

    def close(self):
        self.psql.stdin.close()
        self.psql.wait(60)
        self.psql.stdout.close()
        self.psql.stderr.close()
