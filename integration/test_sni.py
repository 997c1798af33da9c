# SPDX-License-Identifier: Apache-2.0
"""A real client where one port serves all brokers, told apart by name.

The names are known to nobody but the Java client, from a file of its own.
"""
import rig

BOOTSTRAP = "kafka.sni.internal"
BROKER = "b{}.sni.internal"
SECURITY = rig.Security("SSL", "PLAINTEXT", is_tls=True)


def resources(proxy, cluster):
    """As the rig writes them, with a port for all in place of ports."""
    names = [BOOTSTRAP, *(BROKER.format(b.id) for b in cluster.brokers)]
    own = cluster.authority.issue("sni", *(f"DNS:{name}" for name in names))
    lines = proxy.resources(cluster.bootstrap().split(",")).splitlines()
    kept = [line for line in lines
            if "ports:" not in line and "advertisedHost:" not in line]
    at = next(i for i, line in enumerate(kept) if "bind:" in line)
    kept[at + 1:at + 1] = [
        f"  sni: {{port: {proxy.port}, bootstrap: {BOOTSTRAP}, "
        f"broker: \"{BROKER.format('{node}')}\"}}",
        f'  tls: {{certificate: {{file: "{own.bundle}"}}, '
        f'key: {{file: "{own.key}"}}}}']
    return "\n".join(kept) + "\n", names


def test_java_through_one_port(cluster, clients, tmp_path):
    proxy = rig.Proxy(cluster.bootstrap())
    text, names = resources(proxy, cluster)
    proxy.write(text)
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in names))
    modes = ["classic", "txn"]
    with proxy:
        through = clients.run(
            "java", cluster, f"{BOOTSTRAP}:{proxy.port}", modes, SECURITY,
            cluster.authority.ca,
            {"JDK_JAVA_OPTIONS": f"-Djdk.net.hosts.file={hosts}"})
    direct = clients.run("java", cluster, cluster.bootstrap("SSL"), modes,
                         SECURITY, cluster.authority.ca)
    assert through == direct
