# SPDX-License-Identifier: Apache-2.0
"""The worker's sandbox in a running node: what happens when it does something
that it may not.

That all traffic gets through it every other test shows: kproxy_rig fails when a
worker died of a forbidden system call. Builds with sanitizers have no sandbox.
"""

import pathlib
import re
import subprocess

import pytest

from fake_broker import API_VERSIONS, Client, FakeBroker
from kproxy_rig import Kproxy, wait_until

# Loaded into all three processes, but only the worker calls this function, when
# it serves a connection.
WHILE_SERVING = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
int
ppoll(struct pollfd *fds, nfds_t num, const struct timespec *timeout,
    const sigset_t *mask)
{
	{ %s; }
	return (int)syscall(SYS_ppoll, fds, num, timeout, mask, 8);
}
"""
OPEN = 'open("/etc/passwd", O_RDONLY)'
EXECVE = 'char *none[] = { 0 }; execve("/bin/true", none, none)'


@pytest.fixture
def broker():
    with FakeBroker() as one:
        yield one


def status(pid):
    """Fields of /proc/PID/status."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(re.findall(r"^(\w+):\t(.*)$", text, re.M))


def plant(folder, source, *values):
    """Compiles a library; returns the environment that loads it."""
    code, library = folder / "plant.c", folder / "plant.so"
    code.write_text(source % values if values else source)
    subprocess.run(["gcc", "-shared", "-fPIC", "-Werror", "-o", library, code],
                   check=True)
    return {"LD_PRELOAD": str(library)}


def ask(proxy):
    with Client(proxy) as client:
        return client.ask(API_VERSIONS, 0, 1)[:4] == b"\0\0\0\1"


def test_the_worker_is_in_its_sandbox(broker):
    with Kproxy(broker.address) as proxy:
        assert ask(proxy)
        found = status(proxy.child("worker"))
        assert found["NoNewPrivs"] == "1" and found["Seccomp"] == "2"
        assert '"event":"sandbox_entered","mode":"on"' in proxy.text()


@pytest.mark.parametrize("call", [OPEN, EXECVE], ids=["open", "execve"])
def test_a_planted_call_ends_the_worker(broker, tmp_path, call):
    environment = plant(tmp_path, WHILE_SERVING, call)
    with Kproxy(broker.address, env=environment) as proxy:
        proxy.bad_log = ()
        first = proxy.child("worker")
        with Client(proxy) as client:
            assert client.is_closed()
        wait_until(lambda: proxy.child("worker") not in (None, first),
                   what="a new worker")
        assert re.search(r'"process_ended","name":"worker","pid":%d,'
                         r'"signal":"SYS"' % first, proxy.text())
        assert proxy.metric(
            'kproxy_process_restarts_total{process="worker"}') == 1


def test_workers_that_die_of_it_are_started_more_and_more_slowly(
        broker, tmp_path):
    environment = plant(tmp_path, WHILE_SERVING, OPEN)
    with Kproxy(broker.address, env=environment) as proxy:
        proxy.bad_log = ()
        for _ in range(5):
            with Client(proxy) as client:
                assert client.is_closed()
        waits = wait_until(lambda: len(found := [int(wait) for wait in (
            re.findall(r'"process_restart","name":"worker","wait_ms":(\d+)',
                       proxy.text()))]) == 5 and found)
        assert waits == sorted(waits) and waits[4] > waits[2] >= 100


@pytest.mark.parametrize("call", [OPEN, EXECVE], ids=["open", "execve"])
def test_in_log_mode_it_goes_on(broker, tmp_path, call):
    environment = plant(tmp_path, WHILE_SERVING, call)
    with Kproxy(broker.address, args=["--sandbox=log"],
                env=environment) as proxy:
        worker = proxy.child("worker")
        assert ask(proxy) and ask(proxy)
        assert proxy.child("worker") == worker
        assert status(worker)["Seccomp"] == "2"
        assert '"event":"sandbox_entered","mode":"log"' in proxy.text()
        assert re.search(r'"level":"warn".*"sandbox_only_logs".*'
                         r'not for production', proxy.text())
