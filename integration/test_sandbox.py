# SPDX-License-Identifier: Apache-2.0
"""The worker's sandbox in a running node: who it is, what it may, what happens
when it does something else.

That all traffic gets through it every other test shows: kproxy_rig fails when a
worker died of a forbidden system call. Builds with sanitizers have no sandbox.
"""

import contextlib
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import subprocess

import pytest

from fake_broker import API_VERSIONS, Client, FakeBroker
from kproxy_rig import Kproxy, wait_until
from test_processes import is_alive, restart_waits, run

IS_ROOT = os.geteuid() == 0

# Loaded into all three processes, but only the worker calls these functions:
# the first when it serves a connection, the second when it enters its sandbox.
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
WHILE_ENTERING = """
#define _GNU_SOURCE
#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
int
setrlimit(__rlimit_resource_t what, const struct rlimit *limit)
{
	errno = EPERM;
	return what == RLIMIT_CORE ? -1 : (int)syscall(
	    SYS_prlimit64, 0, what, limit, (void *)0);
}
"""
OPEN = 'open("/etc/passwd", O_RDONLY)'
EXECVE = 'char *none[] = { 0 }; execve("/bin/true", none, none)'


@pytest.fixture
def broker():
    with FakeBroker() as one:
        yield one


def ids_of(name):
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


def default_ids():
    """The identity of a worker when nothing is said."""
    if not IS_ROOT:
        return os.geteuid(), os.getegid()
    try:
        return ids_of("kproxy")
    except KeyError:
        return ids_of("nobody")


def status(pid):
    """Fields of /proc/PID/status."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(re.findall(r"^(\w+):\t(.*)$", text, re.M))


def limits(pid, what):
    """(soft, hard) of a line of /proc/PID/limits."""
    text = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return re.search(rf"^{what} +(\w+) +(\w+)", text, re.M).groups()


def assert_is(pid, ids, seccomp="2"):
    found = status(pid)
    for field, number in zip(("Uid", "Gid"), ids):
        assert found[field].split() == [str(number)] * 4
    for field in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(found[field], 16) == 0, field
    assert found["NoNewPrivs"] == "1" and found["Seccomp"] == seccomp
    if IS_ROOT:
        assert int(found["CapBnd"], 16) == 0
        if ids[0] != 0:
            assert found["Groups"].split() == []
    # the files of a process that is not dumpable belong to root
    assert os.stat(f"/proc/{pid}/environ").st_uid == 0


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


@contextlib.contextmanager
def lowered(*kinds):
    """Soft limits below the hard ones, for processes started meanwhile."""
    before = [resource.getrlimit(kind) for kind in kinds]
    try:
        for kind, (_, hard) in zip(kinds, before):
            soft = 20000 if hard == resource.RLIM_INFINITY else hard - 1
            resource.setrlimit(kind, (soft, hard))
        yield
    finally:
        for kind, both in zip(kinds, before):
            resource.setrlimit(kind, both)


def test_the_worker_is_nobody_and_has_no_privileges(broker):
    with lowered(resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC), \
            Kproxy(broker.address) as proxy:
        assert ask(proxy)
        worker = proxy.child("worker")
        assert_is(worker, default_ids())
        assert '"event":"sandbox_entered","mode":"on"' in proxy.text()
        # what it needs many of is as much as the system allows
        for what in ("Max open files", "Max processes"):
            soft, hard = limits(worker, what)
            assert soft == hard
        assert limits(worker, "Max core file size") == ("0", "0")
        # the others stay who they were: they read files and bind ports
        for pid in (proxy.child("agent"), proxy.process.pid):
            assert status(pid)["Uid"].split()[1] == str(os.geteuid())


def test_a_new_worker_is_nobody_again(broker):
    with Kproxy(broker.address) as proxy:
        first = proxy.child("worker")
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: proxy.child("worker") not in (None, first))
        wait_until(lambda: ask(proxy), what="traffic")
        assert_is(proxy.child("worker"), default_ids())


def test_who_the_worker_is_can_be_said(broker):
    """Without root there is only one answer."""
    if not IS_ROOT:
        refused = run("--config", "x", "--user", "root")
        assert refused.returncode == 2 and "only root" in refused.stderr
        return
    for user, ids in (("daemon", ids_of("daemon")), ("1234:77", (1234, 77)),
                      ("root", (0, 0))):
        with Kproxy(broker.address, args=["--user", user]) as proxy:
            assert ask(proxy)
            assert_is(proxy.child("worker"), ids)
            assert ('"worker_is_root"' in proxy.text()) == (user == "root")


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
        dead = 0
        while restart_waits(proxy)[-3:] != [100, 200, 400]:
            assert dead < 30, restart_waits(proxy)
            with Client(proxy) as client:
                assert client.is_closed()
            dead += 1
            wait_until(lambda: len(restart_waits(proxy)) == dead,
                       what="the end of it")


@pytest.mark.parametrize("call", [OPEN, EXECVE], ids=["open", "execve"])
def test_in_log_mode_it_goes_on(broker, tmp_path, call):
    environment = plant(tmp_path, WHILE_SERVING, call)
    with Kproxy(broker.address, args=["--sandbox=log"],
                env=environment) as proxy:
        worker = proxy.child("worker")
        assert ask(proxy) and ask(proxy)
        assert proxy.child("worker") == worker
        assert_is(worker, default_ids())
        assert '"event":"sandbox_entered","mode":"log"' in proxy.text()
        assert re.search(r'"level":"warn".*"sandbox_only_logs".*'
                         r'not for production', proxy.text())


def test_a_worker_that_cannot_enter_ends_the_node(broker, tmp_path):
    proxy = Kproxy(broker.address, wait=False,
                   env=plant(tmp_path, WHILE_ENTERING))
    try:
        proxy.start()
        assert proxy.process.wait(60) == 1
        assert re.search(r'"worker_failed","reason":"could not give up '
                         r'privileges: Operation not permitted"', proxy.text())
        assert '"process_restart"' not in proxy.text()
    finally:
        proxy.kill()
        shutil.rmtree(proxy.folder)


def test_a_stuck_worker_does_not_outlive_the_supervisor(broker):
    """Becoming another user makes the kernel forget to end it."""
    proxy = Kproxy(broker.address).start()
    worker = proxy.child("worker")
    try:
        os.kill(worker, signal.SIGSTOP)
        proxy.kill()
        wait_until(lambda: not is_alive(worker), 5, "the end")
    finally:
        proxy.kill()
        if is_alive(worker):
            os.kill(worker, signal.SIGKILL)
        shutil.rmtree(proxy.folder)
