"""`manage.py demo`: starts everything, ends everything, and says clearly what is wrong."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo_crm.demo.children import Child, ChildEnded, Children
from demo_crm.demo.ports import free_port, is_free
from demo_crm.demo.stage import AlreadyRunning, Stage, last_microsoft_port, locked

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60


def environment(folder):
    return {"PATH": os.environ["PATH"], "DEMO_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}


def demo(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", *arguments], cwd=ROOT, env=environment(folder), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)


def python(tmp_path, program, title="The child"):
    return Child(title, [sys.executable, "-c", program], {"PATH": os.environ["PATH"]}, tmp_path, tmp_path / "child.log")


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(holds):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.serial
@pytest.mark.timeout(300)
def test_the_check_goes_the_whole_way(tmp_path):
    process = demo(tmp_path, "--check")
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    assert "went from the CRM to Outlook" in output and "went from Outlook to the CRM" in output
    assert "All is well." in output
    assert not list(tmp_path.glob("demo.sqlite3*"))         # its data are its own


@pytest.mark.slow
@pytest.mark.serial
@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_starts_and_ends_with_all_it_started(tmp_path, number):
    ports = free_port(), free_port()
    process = demo(tmp_path, "--port", str(ports[0]), "--microsoft-port", str(ports[1]))
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            break
    told = "".join(lines)
    assert f"http://127.0.0.1:{ports[0]}/" in told and f"http://127.0.0.1:{ports[1]}/outlook/" in told
    assert all(f"{name}-demo" in told for name in ("ada", "ben", "cleo", "admin"))
    assert not any(is_free(port) for port in ports)
    os.kill(process.pid, number)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and rest.endswith("Everything has stopped.\n")
    assert all(is_free(port) for port in ports)
    assert last_microsoft_port(tmp_path) == ports[1]


def test_a_port_that_was_asked_for_and_is_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = demo(tmp_path, "--port", str(port))
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Port {port} is in use" in output and "Traceback" not in output


@pytest.mark.parametrize("port", ["0", "70000", "x"])
def test_what_is_no_port(tmp_path, port):
    process = demo(tmp_path, "--port", port)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2 and "Traceback" not in output


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path):
    with locked(tmp_path), pytest.raises(AlreadyRunning, match="running already"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_child_that_dies_is_named_with_its_last_words(tmp_path):
    child = python(tmp_path, "print('the disk is full'); raise SystemExit(3)", "The worker")
    child.process.wait()
    with pytest.raises(ChildEnded, match=r"The worker has ended with code 3(.|\n)*the disk is full"):
        Children().add(child) or child.check()
        child.check()
    child.stop()


def test_watching_ends_when_a_child_does(tmp_path):
    children = Children()
    children.add(python(tmp_path, "import time; time.sleep(0.3)"))
    with pytest.raises(ChildEnded):
        children.watch(pause_s=0.02)
    children.stop()


def test_stopping_leaves_nothing_of_a_childs_group(tmp_path):
    child = python(tmp_path, (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)\n"
        "time.sleep(600)\n"))
    wait_until(lambda: child.log.read_text().strip())
    grandchild = int(child.log.read_text())
    child.stop(patience_s=0.3)
    assert child.process.returncode == -signal.SIGKILL
    wait_until(lambda: not is_alive(grandchild))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Only Linux tells children of their parent's death.")
def test_children_end_when_the_supervisor_is_killed(tmp_path):
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom demo_crm.demo.children import Child\n"
        f"child = Child('x', [sys.executable, '-c', 'import time; time.sleep(600)'], {{}}, Path({str(tmp_path)!r}), "
        f"Path({str(tmp_path / 'log')!r}))\nprint(child.process.pid, flush=True)\ntime.sleep(600)\n")
    supervisor = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    child = int(supervisor.stdout.readline())
    assert is_alive(child)
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not is_alive(child))


def test_the_children_get_the_demos_addresses_and_nobody_elses(tmp_path, monkeypatch):
    monkeypatch.setenv("MS365_CLIENT_ID", "real")
    monkeypatch.setenv("MS365_PUBLIC_URL", "https://crm.example")
    monkeypatch.setenv("DATABASE_URL", "postgres://db.example/real")
    found = Stage(tmp_path, 1, 2).environment
    assert found["MS365_GRAPH_URL"] == found["MS365_LOGIN_URL"] == "http://127.0.0.1:2"
    assert found["MS365_CLIENT_ID"] != "real" and "MS365_PUBLIC_URL" not in found
    assert found["DATABASE_URL"] == "postgres://db.example/real"
    assert "DATABASE_URL" not in Stage(tmp_path, 1, 2, alone=True).environment


def test_beginning_anew_keeps_the_keys(tmp_path):
    for name in ("keys.json", "demo.sqlite3", "demo.sqlite3-wal", "microsoft.json"):
        (tmp_path / name).write_text("")
    Stage(tmp_path, 1, 2).clear()
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
