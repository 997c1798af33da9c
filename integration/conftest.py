# SPDX-License-Identifier: Apache-2.0
"""Clusters, clients and proxies shared by all tests of a session; a small disk."""
import contextlib
import signal
import subprocess

import kafka
import pytest
import rig

# What runs in the background ignores Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Short enough for every run with OAUTHBEARER to see it.
REAUTHENTICATION = {"listener.name.sasl_plaintext.oauthbearer"
                    ".connections.max.reauth.ms": 3000}


@contextlib.contextmanager
def running_cluster(tmp_path_factory, version, kind=kafka.Cluster,
                    **settings):
    folder = tmp_path_factory.mktemp(f"kafka-{version}") / "cluster"
    with kind(version, folder, **settings) as cluster:
        rig.make_internal_topics(cluster)
        yield cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Kafka 4.3.1: three brokers, every listener, an authorizer."""
    with running_cluster(tmp_path_factory, "4.3.1", brokers=3, sasl=True,
                         tls=True, acl=True,
                         settings=REAUTHENTICATION) as found:
        yield found


@pytest.fixture(scope="session", params=["3.9.2", "4.4.0"])
def other_cluster(request, tmp_path_factory):
    """One broker of the oldest and of the newest version."""
    with running_cluster(tmp_path_factory, request.param,
                         acl=True) as found:
        yield found


@pytest.fixture(scope="session")
def clients():
    return rig.Clients()


@pytest.fixture(scope="session")
def proxies(cluster):
    """Returns the proxy for a security, started when first asked for."""
    with contextlib.ExitStack() as stack:
        started = {}

        def get(security):
            if security not in started:
                started[security] = stack.enter_context(
                    rig.proxy_for(cluster, security))
            return started[security]
        yield get


@pytest.fixture(scope="session")
def proxy(proxies):
    """The plaintext proxy in front of the three brokers."""
    return proxies(rig.SECURITY["plaintext"])


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, of a few hundred KiB, for files to be put on."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder],
                   check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)
