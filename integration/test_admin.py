# SPDX-License-Identifier: Apache-2.0
"""What administrators do: the same answers through kproxy as directly."""


def test_admin_operations_answer_the_same(cluster, clients, proxy):
    # One after the other: both look at the whole cluster.
    direct = clients.run("java", cluster, cluster.bootstrap(), ["admin"])
    through = clients.run("java", cluster, proxy.address, ["admin"])
    assert "transaction state" in direct
    assert through == direct
    assert proxy.relay.hits == []
