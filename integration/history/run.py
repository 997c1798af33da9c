# SPDX-License-Identifier: Apache-2.0
"""A run from start to verdict: clients at work through kproxy, faults, healing,
the whole log read again, and everything judged. README.md says how it is put
together.
"""
import collections
import concurrent.futures
import contextlib
import itertools
import threading
import time

import kafka
import kproxy_rig
import leaders
import rig
from history import (checker, faults, fetches, memory, programs, record,
                     wire)

RELAYS = "127.78.0.{}"  # of a node id; behind kproxy
LISTENER = "NAMED"      # the listener of the brokers that advertises them
PROGRAMS = {"java": "java", "python": "confluent"}  # theirs: rig.Clients'
READERS = {  # group, begins with its program: (members, is read_committed)
    "java-classic": (2, True), "java-consumer": (2, False),
    "python-classic": (1, False), "python-consumer": (1, True)}
PRODUCERS = ("java-plain", "java-idempotent", "java-transactional",
             "python-retrying")
ISOLATIONS = ("read_committed", "read_uncommitted")
FLOWING_S, STOP_S, FINISH_S, IDLE_S = 90, 180, 600, 30
STEADY_S = 0.5
PATIENCE_S = 120
GAUGES = ("kproxy_connections", "kproxy_requests_in_flight",
          "kproxy_buffer_bytes")
UNCOMMITTED, COMMITTED = 0, 1
NOT_LEADER_YET = (5, 6, 78)  # and OFFSET_NOT_AVAILABLE
LATEST = -1
LOOK_S = 1

unique = itertools.count(1)


class Cluster(kafka.Cluster):
    """Whoever begins with listener NAMED sees no address but the relays'.

    Brokers end with the thread that started them, so all are started by one
    that lasts as long as the cluster.
    """

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.starter = concurrent.futures.ThreadPoolExecutor(1)

    def spawn(self, broker):
        self.starter.submit(super().spawn, broker).result()

    def stop(self):
        super().stop()
        self.starter.shutdown()

    def configuration(self, broker):
        return {**super().configuration(broker), "advertised.listeners":
                broker.listeners(RELAYS.format(broker.id))}

    def relays(self):
        return [f"{RELAYS.format(broker.id)}:{broker.ports[LISTENER]}"
                for broker in self.brokers]


class Run:
    """One run in a folder of its own: see test_history.py for its steps. At
    the end verdict, history, stored, hidden, ledger, watch and faults.counts
    tell what happened.

    say is called with lines of progress. make_wire may put relays between that
    do more than faults: for tests of all this.
    """

    def __init__(self, cluster, commands, folder, seed, say,
                 make_wire=wire.Wire):
        self.cluster, self.commands, self.folder = cluster, commands, folder
        self.seed, self.say = seed, say
        self.began = time.monotonic()
        self.name = f"run-{next(unique)}"
        self.topic = f"{self.name}-history"
        node = folder / "kproxy"
        node.mkdir()
        self.proxy = rig.Proxy(",".join(cluster.relays()), folder=node,
                               advertised=rig.RELAY_ADDRESS)
        known = rig.definitions(cluster.version)
        self.ledger = wire.Ledger({key: known.name(key)
                                   for key in known.requests})
        self.fetches = fetches.Fetches(known)
        self.wire = make_wire(self.routes())
        self.faults = faults.Faults(cluster, self.proxy, self.wire, self.note)
        self.programs = []
        self.watch = memory.Watch(self.proxy)
        self.verdict = checker.Verdict()
        self.stack = contextlib.ExitStack()

    def routes(self):
        """Ways from clients to kproxy, and from kproxy to brokers."""
        ports = range(self.proxy.port, self.proxy.port + rig.NODE_PORTS + 1)
        before = [wire.Route(f"port {port}", (rig.RELAY_ADDRESS, port),
                             (self.proxy.host, port), self.note_sent)
                  for port in ports]
        behind = [wire.Route(
            str(broker.id), (RELAYS.format(broker.id), broker.ports[LISTENER]),
            (broker.address, broker.ports[LISTENER]),
            self.ledger.note_arrived) for broker in self.cluster.brokers]
        return before + behind

    def note_sent(self, frame):
        self.ledger.note_sent(frame)
        self.fetches.note(frame)

    def note(self, text):
        self.say(f"{time.monotonic() - self.began:7.1f} s  {text}")

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.wire)
            stack.enter_context(self.proxy)
            rig.make_topics(self.cluster, [self.topic])
            self.idle = self.look_idle()
            for name, client in PROGRAMS.items():
                one = programs.Program(name, self.command(
                    client, self.proxy.address, "history"), self.folder)
                self.programs.append(one)
                stack.callback(one.close)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *why):
        return self.stack.__exit__(*why)

    def look_idle(self):
        """What the processes hold before clients come; of those that have just
        answered for the first time a connection may not be gone yet."""
        def held():
            self.watch.look()
            return {name: (now.fds, now.threads)
                    for name, now in self.watch.newest().items()}

        def is_steady():
            before = held()
            time.sleep(STEADY_S)
            return before.keys() == {*memory.PROCESSES} and before == held()
        kproxy_rig.wait_until(is_steady, IDLE_S, "idle before clients come")
        return self.watch.newest()

    def command(self, name, bootstrap, mode):
        return [*self.commands[name], bootstrap, self.name, mode]

    # -- at work

    def wait_flowing(self):
        """Until every reader got something, so that every producer is at
        work: all of them write to all partitions."""
        def is_flowing():
            for one in self.programs:
                one.check()
                one.count()
            readers = {reader.rpartition("-")[0] for one in self.programs
                       for reader in one.readers}
            return readers == READERS.keys() and self.counts()["committed"]
        kproxy_rig.wait_until(is_flowing, FLOWING_S, "records flow")
        self.note("records flow")

    def counts(self):
        """Events of all programs until now."""
        return sum((one.count() for one in self.programs),
                   collections.Counter())

    def disturb(self, seconds, is_enough, report_s=60):
        """Faults for so long, until each kind had its turn, and until clients
        have done enough for it to prove something, which a slow machine is
        given PATIENCE_S more for. is_enough is asked with counts()."""
        self.fault_began = time.monotonic() - self.watch.began
        begin = time.monotonic()
        was_enough = threading.Event()

        def is_over():
            passed = time.monotonic() - begin
            return passed > seconds + PATIENCE_S or (
                passed > seconds and was_enough.is_set())

        def look():
            if is_enough(self.counts()):
                was_enough.set()

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            lanes = [pool.submit(
                self.faults.run_lane, self.seed, kinds, is_over,
                lambda: time.monotonic() < begin + seconds / 3)
                for kinds in (faults.BROKERS, faults.OTHERS)]
            reloads = pool.submit(self.faults.reload, lambda: all(
                lane.done() for lane in lanes))
            try:
                self.watch_over([*lanes, reloads], look, report_s)
            finally:
                self.faults.is_cancelled.set()
        self.fault_ended = time.monotonic() - self.watch.began

    def watch_over(self, lanes, look, report_s):
        """Until all of them are done or one of them failed."""
        next_report = time.monotonic() + report_s
        while not all(lane.done() for lane in lanes):
            for lane in lanes:
                if lane.done():
                    lane.result()
            for one in self.programs:
                one.check()
            self.watch.look()
            look()
            if time.monotonic() > next_report:
                next_report += report_s
                self.note(self.progress())
            concurrent.futures.wait(
                lanes, LOOK_S, concurrent.futures.FIRST_EXCEPTION)
        for lane in lanes:
            lane.result()

    def progress(self):
        counts = self.counts()
        processes = ", ".join(
            f"{name} {one.rss_kib} KiB {one.fds} fds {one.pipes} pipes "
            f"{one.threads} threads"
            for name, one in self.watch.newest().items())
        return (f"{counts['acked']} acknowledged, {counts['unknown']} unknown,"
                f" {counts['committed']} committed, {counts['read']} read, "
                f"{self.faults.counts.total()} faults; {processes}")

    # -- afterwards

    def settle(self):
        """Everything heals, producers stop, readers read to the end."""
        self.faults.heal()
        self.faults.wait_whole()
        kproxy_rig.wait_until(
            lambda: self.proxy.metric("kproxy_config_valid") == 1, 10,
            "resources are valid again")
        self.note("all is whole")
        for one in self.programs:
            one.tell()
        for one in self.programs:
            one.wait_for("stopped", STOP_S)
        self.note("producers have stopped")
        kproxy_rig.wait_until(self.are_ended, STOP_S, "transactions end")
        for one in self.programs:
            one.tell()
        for one in self.programs:
            one.wait_end(FINISH_S)
        self.note("readers are at the end")

    def are_ended(self):
        committed = self.ends(COMMITTED)
        return committed is not None and committed == self.ends(UNCOMMITTED)

    def ends(self, isolation):
        """{partition: offset at the end}, asked of the brokers directly; None
        if one that was asked does not lead, or does not know it yet."""
        with self.faults.connect() as connection:
            led = {partition: entry["LeaderId"] for (_, partition), entry
                   in leaders.partitions(connection, [self.topic]).items()}
        ends = {}
        for partition, node in led.items():
            with rig.connect_to(self.cluster,
                                self.cluster.broker(node)) as connection:
                body = connection.call("ListOffsets", 7, {
                    "ReplicaId": -1, "IsolationLevel": isolation,
                    "Topics": [{"Name": self.topic, "Partitions": [
                        {"PartitionIndex": partition,
                         "Timestamp": LATEST}]}]}).body
            found = body["Topics"][0]["Partitions"][0]
            if found["ErrorCode"] in NOT_LEADER_YET:
                return None
            assert found["ErrorCode"] == 0, found
            ends[partition] = found["Offset"]
        return ends

    def read_log(self, where, bootstrap, isolation):
        path = self.folder / f"log-{where}-{isolation}.jsonl"
        command = self.command("confluent", bootstrap, f"log-{isolation}")
        return record.log_of(record.events_of(
            programs.read_log(command, path), "log"))

    def judge(self):
        """Reads the log and judges it and all readers."""
        history = record.History()
        for one in self.programs:
            history.read(one.lines())
        committed, log = (
            self.read_log("direct", self.cluster.bootstrap(), isolation)
            for isolation in ISOLATIONS)
        checker.judge_log(self.verdict, history, log, committed)
        for isolation, expected in zip(ISOLATIONS, (committed, log)):
            got = self.read_log("through", self.proxy.address, isolation)
            checker.judge_same(self.verdict, f"through kproxy, {isolation}",
                               expected, got)
        views = checker.View(log), checker.View(committed)
        for group, (members, is_committed) in READERS.items():
            self.judge_group(history, views, group, members, is_committed)
        self.history, self.stored = history, len(views[0])
        self.hidden = self.stored - len(views[1])
        self.note("judged")

    def judge_group(self, history, views, group, members, is_committed):
        lines = next(one.lines for one in self.programs
                     if group.startswith(one.name))
        seen = [checker.judge_reader(
            self.verdict, history, views, name, is_committed,
            record.events_of(lines(), name), self.fetches.of(name))
            for name in (f"{group}-{i}" for i in range(members))]
        checker.judge_group(self.verdict, group, views[is_committed], seen)

    @property
    def generation(self):
        """How many changes of the resources were put in force."""
        return self.proxy.text().count('"event":"resources_applied"')

    @property
    def refused(self):
        return self.proxy.text().count('"event":"resources_refused"')

    @property
    def restarts(self):
        return {name: int(self.proxy.metric(
            f'kproxy_process_restarts_total{{process="{name}"}}'))
            for name in memory.CHILDREN}

    def wait_idle(self):
        """Until kproxy is as it was before clients came: no connection, no
        buffer, no more descriptors and threads than then."""
        self.proxy.write(self.faults.resources)

        def is_quiet():
            status, page = self.proxy.get("/metrics")
            return status == 200 and all(
                f"\n{name} 0\n" in page for name in GAUGES)
        kproxy_rig.wait_until(is_quiet, IDLE_S, f"{', '.join(GAUGES)} 0")

        def is_idle():
            self.watch.look()
            return all(memory.is_as_before(now, self.idle[name])
                       for name, now in self.watch.newest().items())
        try:
            kproxy_rig.wait_until(is_idle, IDLE_S, "idle as before")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.idle}, now "
                                 f"{self.watch.newest()}") from None
