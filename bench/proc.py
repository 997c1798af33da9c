# SPDX-License-Identifier: Apache-2.0
"""What the kernel says about processes: CPU, memory, whose socket it is.

Reading another process's sockets and memory map needs the same user and, for
kproxy's worker, which forbids it, CAP_SYS_PTRACE: run the benchmark as root.
"""

import os
import pathlib

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
ESTABLISHED = "01"


class GoneError(Exception):
    """A process that is measured has ended."""


def read(path):
    try:
        return pathlib.Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise GoneError(f"{path}: {error}") from None


def cpu_seconds(pid):
    """User and system time of a process with all of its threads, also those
    that have ended."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def busy_seconds():
    """CPU time that the whole machine has used."""
    fields = [int(x) for x in read("/proc/stat").split("\n")[0].split()[1:9]]
    user, nice, system, _idle, _wait, irq, soft_irq, steal = fields
    return (user + nice + system + irq + soft_irq + steal) / TICKS_PER_SECOND


def kib_fields(text):
    """{"Rss": KiB, ...} of the files that look like "Rss:   12 kB"."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if len(words) == 2 and words[1] == "kB":
            found[name] = int(words[0])
    return found


def rss_kib(pid):
    return kib_fields(read(f"/proc/{pid}/smaps_rollup"))["Rss"]


def peak_rss_kib(pid):
    return kib_fields(read(f"/proc/{pid}/status"))["VmHWM"]


def kernel_kib():
    """(stacks, slab) of the whole machine."""
    fields = kib_fields(read("/proc/meminfo"))
    return fields["KernelStack"], fields["Slab"]


def children(pid):
    """Process ids of the children of all threads of a process."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(x) for x in read(task).split()]
        except GoneError:  # a thread that has ended
            continue
    return found


def family(pid):
    """A process and all that come from it."""
    found = [pid]
    for each in found:
        found += children(each)
    return found


def socket_inodes(pid):
    """Inodes of all sockets that a process has open."""
    inodes = set()
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except FileNotFoundError as error:
        raise GoneError(str(error)) from None
    for name in names:
        try:
            target = os.readlink(f"{folder}/{name}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    return inodes


def inodes_by_local_port(remote_ports):
    """{local port: inode} of established connections to one of these ports."""
    found = {}
    for line in read("/proc/net/tcp").splitlines()[1:]:
        words = line.split()
        if words[3] != ESTABLISHED:
            continue
        if int(words[2].rpartition(":")[2], 16) in remote_ports:
            found[int(words[1].rpartition(":")[2], 16)] = words[9]
    return found


def owned_ports(pid, remote_ports):
    """Local ports of a process' connections to one of these ports."""
    inodes = inodes_by_local_port(set(remote_ports))
    owned = socket_inodes(pid)
    return {port for port, inode in inodes.items() if inode in owned}


def machine():
    """What the figures were taken on."""
    model = "unknown"
    for line in read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_mib": kib_fields(read("/proc/meminfo"))["MemTotal"] // 1024,
        "kernel": os.uname().release,
        "load_average": os.getloadavg(),
    }
