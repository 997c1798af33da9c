# SPDX-License-Identifier: Apache-2.0
"""A policy server for tests, and a client of another language to talk to it.

    with Server(tmp_path) as server:
        server.admin_user().apply(text)

makes a folder with `kpserver init`, puts kpserver on ports that are free, and at
the end stops it with SIGTERM and asserts exit code 0 and a log without sanitizer
output. The client is Python's grpcio, with stubs made from the very proto files;
clients/install.sh installs it.
"""
import functools
import glob
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from kproxy_rig import (BAD_LOG, BUILD, PATIENCE, free_ports, page, replace,
                        wait_until, whole_lines)

ROOT = pathlib.Path(__file__).resolve().parent.parent
KPSERVER = BUILD / "bin" / "kpserver"
PROTOS = ["v1/types", "v1/resources", "v1/nodes", "health", "store"]

CLUSTER = """apiVersion: kproxy/v1
kind: Cluster
metadata: {{name: {name}, labels: {{{labels}}}}}
spec: {{bootstrap: ["{host}:9092"]}}
"""


def cluster(name, labels="", host="broker"):
    return CLUSTER.format(name=name, labels=labels, host=host)


@functools.cache
def stubs():
    """The generated modules: types, resources, nodes and their services, and
    what lies in etcd."""
    done = subprocess.run(
        [ROOT / "integration" / "clients" / "install.sh", "grpc"],
        stdout=subprocess.PIPE, text=True, check=True)
    venv = pathlib.Path(done.stdout.strip()) / "venv"
    out = pathlib.Path(tempfile.mkdtemp(prefix="kp-stubs-"))
    subprocess.run(
        [venv / "bin" / "python", "-m", "grpc_tools.protoc", f"-I{ROOT}",
         f"--python_out={out}", f"--grpc_python_out={out}",
         *(f"proto/control/{name}.proto" for name in PROTOS)],
        cwd=ROOT, check=True)
    sys.path[:0] = [str(out), *glob.glob(str(venv / "lib/python3*/site-packages"))]
    import grpc
    from proto.control import health_pb2, health_pb2_grpc, store_pb2
    from proto.control.v1 import (nodes_pb2, nodes_pb2_grpc, resources_pb2,
                                  resources_pb2_grpc, types_pb2)
    shutil.rmtree(out)

    class Stubs:
        pass
    for name, value in list(locals().items()):
        setattr(Stubs, name, value)
    return Stubs


def options(**more):
    """Of a channel: no proxy of the environment, and no channel shared."""
    found = {"grpc.enable_http_proxy": 0,
             "grpc.use_local_subchannel_pool": 1,
             "grpc.max_receive_message_length": 64 << 20,
             "grpc.max_send_message_length": 64 << 20, **more}
    return list(found.items())


class User:
    """One identity's connection, with the services as attributes."""

    def __init__(self, server, ca, certificate, key, **more):
        made = stubs()
        self.pb = made.resources_pb2
        self.types = made.types_pb2
        self.nodes_pb = made.nodes_pb2
        self.code = made.grpc.StatusCode
        self.RpcError = made.grpc.RpcError
        has_pair = certificate is not None
        credentials = made.grpc.ssl_channel_credentials(
            pathlib.Path(ca).read_bytes(),
            pathlib.Path(key).read_bytes() if has_pair else None,
            pathlib.Path(certificate).read_bytes() if has_pair else None)
        self.channel = made.grpc.secure_channel(
            server.address, credentials, options(**more))
        self.resources = made.resources_pb2_grpc.ResourcesStub(self.channel)
        self.nodes = made.nodes_pb2_grpc.NodesStub(self.channel)
        self.health = made.health_pb2_grpc.HealthStub(self.channel)
        self.health_pb = made.health_pb2

    def close(self):
        self.channel.close()

    def call(self, method, request, seconds=30):
        return getattr(self.resources, method)(request, timeout=seconds)

    def begin(self, method, request, seconds=30):
        """A call under way, a future."""
        return getattr(self.resources, method).future(request, timeout=seconds)

    def apply(self, *texts, deletions=(), preconditions=(), **more):
        files = [self.pb.File(name=f"f{i}.yaml", text=t.encode())
                 for i, t in enumerate(texts)]
        return self.call("Apply", self.pb.ApplyRequest(
            files=files, deletions=[self.name(*d) for d in deletions],
            preconditions=[self.pb.Precondition(
                kind=k, name=n, resource_version=v)
                for k, n, v in preconditions], **more))

    def name(self, kind, name):
        return self.types.ResourceName(kind=kind, name=name)

    def get(self, kind, name, **more):
        return self.call("Get", self.pb.GetRequest(
            kind=kind, name=name, **more)).resource

    def list(self, **more):
        return self.call("List", self.pb.ListRequest(**more))

    def refused(self, code, method, request, seconds=30):
        """The sentence with which a call is refused."""
        try:
            answer = self.call(method, request, seconds)
        except self.RpcError as error:
            assert error.code() == getattr(self.code, code), error
            return error.details()
        raise AssertionError(f"was not refused: {answer}")


def apply_once_possible(user, text):
    """Returns the revision; until then it is refused for one reason alone."""
    def apply():
        try:
            return user.apply(text).revision
        except user.RpcError as error:
            assert error.code() == user.code.UNAVAILABLE, error
            return None
    return wait_until(apply, 60, "a change")


def fill(folder):
    """Leaves not one block."""
    with open(folder / "filler", "ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


SQLITE = "{sqlite: ./kpserver.db}"  # as init writes it


class Server:
    def __init__(self, folder, config="", limit=None, is_made=False,
                 store=SQLITE):
        """config is added to kpserver.yaml; limit is bytes of any file; is_made:
        somebody else has run init."""
        self.folder = pathlib.Path(folder) / "server"
        if not is_made:
            self.run("init", self.folder)
        port = free_ports(2)
        admin = port + 1
        self.address = f"localhost:{port}"
        self.admin = f"127.0.0.1:{admin}"
        self.config = self.folder / "kpserver.yaml"
        self.text = (self.config.read_text()
                     .replace(":9190", f":{port}").replace(":9191", f":{admin}")
                     .replace("0.0.0.0", "127.0.0.1").replace(SQLITE, store)
                     + config)
        self.write(self.text)
        self.log = self.folder / "log"
        self.program, self.process = KPSERVER, None
        self.limit = limit
        self.users = []

    def run(self, *args, ok=True):
        done = subprocess.run([KPSERVER, *map(str, args)], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        assert not ok or done.returncode == 0, done.stderr
        return done

    def write(self, text):
        replace(self.config, text)

    def start(self, *args, wait=True):
        log = open(self.log, "ab")
        limit = ["prlimit", f"--fsize={self.limit}"] if self.limit else []
        self.process = subprocess.Popen(
            [*limit, self.program, "--config", self.config, *args],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        if wait:
            wait_until(self.is_ready, 20, "/readyz")
        return self

    def is_ready(self):
        assert self.process.poll() is None, self.log.read_text()
        return self.get("/readyz")[0] == 200

    def get(self, path):
        """What page() says of an admin page."""
        return page(f"http://{self.admin}{path}")

    def metric(self, series):
        for line in self.get("/metrics")[1].splitlines():
            if line.rpartition(" ")[0] == series:
                return float(line.rpartition(" ")[2])
        return 0.0

    def logged(self, event, **fields):
        """Lines of the log with that event, and with what fields match."""
        found = []
        for line in whole_lines(self.log):
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if said.get("event") == event and all(
                    re.search(v, str(said.get(k))) for k, v in fields.items()):
                found.append(said)
        return found

    def audit(self, path=None):
        """Its lines. That of a change is there before the answer, as are those of
        calls that were not let in; of all others, and of streams, later."""
        path = path or self.folder / "audit.jsonl"
        return [json.loads(x) for x in whole_lines(path)]

    def user(self, name="admin", **more):
        """The identity whose certificate is name.pem, made if it is not there."""
        if not (self.folder / f"{name}.pem").exists():
            self.run("user-cert", self.folder, name)
        found = User(self, self.folder / "ca.pem",
                     self.folder / f"{name}.pem",
                     self.folder / f"{name}.key", **more)
        self.users.append(found)
        return found

    def stranger(self, certificate, key, ca=None):
        found = User(self, ca or self.folder / "ca.pem", certificate, key)
        self.users.append(found)
        return found

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, expect=0, seconds=40 * PATIENCE):
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("did not stop\n"
                                 + self.log.read_text()) from None
        text = self.log.read_text(errors="replace")
        assert code == expect, f"exit code {code}\n{text}"
        for word in BAD_LOG:
            assert word not in text, text

    def stop(self):
        for user in self.users:
            user.close()
        self.users = []
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        self.wait()

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.kill()
            raise

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
        finally:
            self.kill()


def numbered(text, number):
    """Resources that are like no others: what is pushed as it is already makes no
    revision, and so would not be found by its reason."""
    return re.sub(r"(metadata: \{name: [\w-]+)\}",
                  rf'\1, annotations: {{push: "{number}"}}}}', text)


class Pusher:
    """Makes one change after the other until told to stop: push(number, reason)
    says whether it was acknowledged, and by its reason it is found again."""

    def __init__(self, push):
        self.push = push
        self.acknowledged = []
        self.is_done = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        number = 0
        while not self.is_done.is_set():
            number += 1
            reason = f"push {number}"
            if self.push(number, reason):
                self.acknowledged.append(reason)
            self.is_done.wait(0.05)

    def wait_for_more(self, count=3):
        wanted = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= wanted, 20, "pushes")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_done.set()
        self.thread.join()


def reasons(server):
    """Of all revisions that the server knows, the newest first."""
    user, found, before = server.user(), [], 0
    while more := user.call("History", user.pb.HistoryRequest(
            before=before, limit=1000)).revisions:
        found += [one.reason for one in more]
        before = more[-1].number
    return found
