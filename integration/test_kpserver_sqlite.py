# SPDX-License-Identifier: Apache-2.0
"""The policy server and its file: full disks, damage, backups, and what the
documentation says to do about it."""
import os
import re
import sqlite3
import stat
import subprocess

import pytest

from control_rig import KPSERVER, ROOT, Server, cluster, fill
from kproxy_rig import wait_until


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path) as found:
        yield found


def test_a_full_disk_refuses_changes_and_loses_nothing(tmp_path, small_disk):
    server = Server(tmp_path)
    server.write(server.text.replace("./kpserver.db",
                                     str(small_disk / "kpserver.db")))
    with server:
        admin = server.user()
        admin.apply(cluster("a"))
        fill(small_disk)
        request = admin.pb.ApplyRequest(files=[
            admin.pb.File(name=f"f{i}", text=cluster(f"c{i}").encode())
            for i in range(100)])
        said = admin.refused("UNAVAILABLE", "Apply", request)
        assert "full" in said
        assert [r.name for r in admin.list().resources] == ["a"]
        assert server.get("/readyz")[0] == 503
        (small_disk / "filler").unlink()
        wait_until(server.is_ready)  # although nobody has tried a change
        assert admin.call("Apply", request).revision == 2
        server.stop()
        server.start()
        assert len(server.user().list().resources) == 101
    (small_disk / "kpserver.db").unlink()


def test_a_file_that_may_grow_no_more_is_a_full_disk(tmp_path):
    with Server(tmp_path, limit=300_000) as server:
        admin = server.user()
        made = 0
        with pytest.raises(admin.RpcError) as caught:
            for i in range(1000):
                made = admin.apply(cluster(f"c{i}", host="h" * 60)).revision
        assert caught.value.code() == admin.code.UNAVAILABLE
        assert admin.list(page_size=1).revision == made > 10


@pytest.mark.parametrize("damage", ["cut", "zeros", "other"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    server = Server(tmp_path)
    with server:
        server.user().apply(*(cluster(f"c{i}") for i in range(500)))
    path = server.folder / "kpserver.db"
    text = path.read_bytes()
    path.write_bytes({"cut": text[:len(text) // 2],
                      "zeros": text[:8192] + bytes(16384) + text[24576:],
                      "other": b"no database" * 1000}[damage])
    server.start(wait=False)
    server.wait(expect=1)
    reason = server.logged("start_failed")[-1]["reason"]
    assert "restore it from a backup" in reason, reason


def test_a_second_server_on_the_same_file_is_refused(server):
    text = server.config.read_text()
    second = server.folder / "second.yaml"
    second.write_text(re.sub(r":\d{5}\"", ':1"', text))
    done = subprocess.run([KPSERVER, "--config", second], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 1
    assert "another process has it open" in done.stderr


def test_a_backup_of_a_running_server_can_be_put_back(server, tmp_path):
    admin = server.user()
    admin.apply(cluster("a"))
    admin.apply(cluster("b"))
    out = tmp_path / "backup.db"
    server.run("backup", "--config", server.config, out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = server.run("backup", "--config", server.config, out, ok=False)
    assert again.returncode == 1 and "File exists" in again.stderr
    admin.apply(cluster("c"))
    server.stop()
    db = server.folder / "kpserver.db"
    for old in server.folder.glob("kpserver.db*"):
        old.unlink()
    db.write_bytes(out.read_bytes())
    # and of one that does not run
    server.run("backup", "--config", server.config, tmp_path / "second.db")
    server.start("--restored")
    found = server.user().list()
    assert [r.name for r in found.resources] == ["a", "b"]
    assert found.revision == 2
    assert not list(server.folder.glob("*.part"))


def test_the_backup_socket_is_for_its_owner_alone(server):
    path = server.folder / "kpserver.db.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server.stop()
    assert not path.exists()


def test_the_commands_of_the_documentation_work(tmp_path):
    """The blocks of docs/operations.md, as they stand there."""
    text = (ROOT / "docs" / "operations.md").read_text()
    blocks = re.findall(r"<!-- tested -->\n```sh\n(.*?)```", text, re.S)
    path = f"{KPSERVER.parent}:{os.environ['PATH']}"

    def run(block):
        script = (block.replace("/etc/kpserver", str(tmp_path / "server"))
                  .replace("/var/backups", str(tmp_path)))
        done = subprocess.run(
            ["sh", "-eu", "-c", script], cwd=tmp_path, text=True,
            capture_output=True, env={**os.environ, "PATH": path})
        assert done.returncode == 0, done.stderr + done.stdout
    first, backup = blocks
    run(first)
    with Server(tmp_path, is_made=True) as server:
        server.user().apply(cluster("a"))
        server.user("alice").refused("PERMISSION_DENIED", "List",
                                     server.user().pb.ListRequest())
        run(backup)
    assert (tmp_path / "server" / "node-2.pem").exists()
    with sqlite3.connect(tmp_path / "kpserver-1.db") as store:
        assert store.execute("SELECT newest FROM state").fetchone() == (1,)
    store.close()
