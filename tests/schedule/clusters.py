"""Real processes for the tests: a database and a broker of their own, workers, and what became of them."""

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 40


def wait_for(condition, what, most_s=PATIENCE_S):
    """Wait until the condition holds, and return its value. The time is only spent when something is wrong."""
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {most_s} seconds: {what}")


class Remote:
    """A process that has the test's database; see `remote.py`."""

    def __init__(self, env):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.schedule.remote"], cwd=ROOT, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, name, **arguments):
        self.process.stdin.write(json.dumps({"call": name, "with": arguments}) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, "the process ended instead of answering"
        return json.loads(line)

    def call(self, name, **arguments):
        self.send(name, **arguments)
        return self.answer()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Installation:
    """A database and broker, and a remote control to them. `marker` is in the environment of all its workers."""

    def __init__(self, folder, database, redis=""):
        self.folder, self.notes_file, self.marker = folder, folder / "notes", f"cluster-{uuid.uuid4().hex}"
        self.redis, self.name = redis, f"tests-{uuid.uuid4().hex[:8]}"
        self.env = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE":
            "tests.schedule.cluster_settings", "CLUSTER_DATABASE": database, "CLUSTER_REDIS": redis,
            "CLUSTER_NAME": self.name, "CLUSTER_NOTES": str(self.notes_file), "PYTHONUNBUFFERED": "1"}
        self.remote = Remote(self.env)
        self.remote.call("set_up")

    def clear(self):
        self.notes_file.unlink(missing_ok=True)
        self.remote.call("clear")
        if self.redis:
            import redis
            with redis.Redis.from_url(self.redis) as client:
                client.delete(f"django_q:{self.name}:q")

    def end(self):
        self.clear()
        self.remote.end()

    def notes(self, what="begin"):
        """What the cycles noted: (link, process, instant)."""
        if not self.notes_file.exists():
            return []
        lines = [json.loads(line) for line in self.notes_file.read_text().splitlines()]
        return [tuple(line[1:]) for line in lines if line[0] == what]

    def processes(self):
        """The processes of the workers that are still there, zombies not counted."""
        found = []
        for path in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if self.marker.encode() in (path / "environ").read_bytes():
                    found.append(int(path.name))
        return found

    @contextlib.contextmanager
    def worker(self, *options):
        """`ms365_worker`, whose output goes to a file. It is killed in the end, if it is still there."""
        command = [sys.executable, "-m", "django", "ms365_worker", "--beat", "0.5", "--back-off", "0.1",
                   "--silence", "8", "--grace", "10", *options]
        with open(self.folder / "output", "wb") as output:
            running = subprocess.Popen(command, cwd=ROOT, env={**self.env, "MARKER": self.marker}, stdout=output,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            try:
                yield running
            except BaseException:
                print((self.folder / "output").read_text())
                raise
            finally:
                running.kill()
                running.wait()
                for pid in self.processes():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, 9)

    def output(self):
        return (self.folder / "output").read_text()

    def wait_until_finished(self, links):
        wait_for(lambda: self.remote.call("finished", links=links), f"links {links} worked on")

    def wait_for_workers(self, number=1, but_not=()):
        """The process numbers of workers that showed that they live."""
        def seen():
            alive = set(self.processes())
            lives = {int(pid) for pid in self.remote.call("lives")} & alive - set(but_not)
            return lives if len(lives) >= number else None
        return wait_for(seen, f"{number} workers that live")


@contextlib.contextmanager
def postgres_database(url):
    """A database of its own within the server at `url`."""
    import psycopg

    name = f"ms365_cluster_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"create database {name}")
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            server.execute(f"drop database {name} with (force)")
