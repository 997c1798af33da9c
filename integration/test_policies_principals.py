# SPDX-License-Identifier: Apache-2.0
"""Is the principal that policies see the one that brokers see? Clients say who
they are in tokens which brokers accept, and may put other names into these."""
import base64
import itertools
import json
import time

import kafka_wire
import kproxy_rig
import pytest
import rig
from test_policies import (
    NO_ERROR, POLICY_VIOLATION, connection_to, create, direct, exists, policy, topic)

LONGEST = 255
POLICIES = policy(
    "alice", "CreateTopics",
    ("!topic.name.endsWith('-of-alice') || principal.name == 'alice'",
     "it is hers"),
    ("!topic.name.endsWith('-of-others') || principal.name != 'alice'",
     "it is not hers"),
)

numbers = itertools.count()


@pytest.fixture(scope="module")
def guarded(cluster):
    with rig.proxy_for(cluster, rig.SECURITY["plain"]) as one:
        one.write(POLICIES, "policies.yaml")
        kproxy_rig.wait_until(lambda: is_in_force(cluster, one), what="policies")
        yield one


def is_in_force(cluster, one):
    with connection_to(cluster, one) as connection:
        login(connection, jwt({"sub": "alice"}))
        return outcome(connection, "others") == POLICY_VIOLATION


@pytest.fixture
def connection(cluster, guarded):
    with connection_to(cluster, guarded) as opened:
        yield opened


def jwt(claims):
    """Unsigned, as the brokers of tests accept them; claims: a dict, or JSON."""
    def part(text):
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    now = int(time.time())
    if isinstance(claims, dict):
        claims = json.dumps({**claims, "iat": now, "exp": now + 600})
    return f"{part(json.dumps({'alg': 'none'}))}.{part(claims)}."


def first_message(token, more=""):
    """RFC 7628; more: other pairs."""
    return f"n,,\x01{more}auth=Bearer {token}\x01\x01".encode()


def login(connection, *message):
    body = connection.login("OAUTHBEARER", first_message(*message))
    assert body["ErrorCode"] == NO_ERROR, body


def outcome(connection, whose):
    name = f"principals-{next(numbers)}-of-{whose}"
    return create(connection, [topic(name)], validateOnly=True)[name]


def test_who_has_logged_in_is_the_principal(connection):
    login(connection, jwt({"sub": "alice"}))
    assert outcome(connection, "alice") == NO_ERROR
    assert outcome(connection, "others") == POLICY_VIOLATION


def test_a_token_in_an_extension_is_not_looked_at(connection):
    """KIP-342: brokers accept extensions that they do not know."""
    alice = jwt({"sub": "alice"})
    login(connection, jwt({"sub": "mallory"}), f"more=auth=Bearer {alice}\x01")
    assert outcome(connection, "alice") == POLICY_VIOLATION


@pytest.mark.parametrize("claims", [
    {"act": {"sub": "alice"}, "sub": "mallory"},
    {"groups": ["sub", "alice"], "sub": "mallory"},
    {"note": '"sub":"alice"', "sub": "mallory"},
    {"Sub": "alice", "sub": "mallory"},
    {"sub": "alice\u0301"},
])
def test_no_other_claim_is_the_principal(connection, claims):
    login(connection, jwt(claims))
    assert outcome(connection, "alice") == POLICY_VIOLATION


@pytest.mark.parametrize("claims", [
    '{"iat":%d,"exp":%d,"s\\u0075b":"\\u0061lice"}',
    '\n{ "much" : ["%s"],\t"iat" : %d , "exp" : %d , "sub" : "alice" }\r\n',
], ids=["escaped", "long, and with space"])
def test_the_principal_is_found_wherever_it_is(connection, claims):
    now = int(time.time())
    more = ("x" * 4000,) if "%s" in claims else ()
    login(connection, jwt(claims % (*more, now, now + 600)))
    assert outcome(connection, "alice") == NO_ERROR
    assert outcome(connection, "others") == POLICY_VIOLATION


def expect_closed(connection, one, why, before):
    """By one, and its log says why."""
    with pytest.raises(kafka_wire.Closed):
        for _ in range(3):
            connection.receive()
    kproxy_rig.wait_until(lambda: why in one.log.read_text()[before:], 5, why)


def test_what_comes_before_the_broker_accepts_is_nobodys(
        connection, guarded, direct):
    """Brokers take requests that follow the last token at once."""
    name = f"principals-{next(numbers)}-of-others"
    before = len(guarded.log.read_text())
    connection.send(
        connection.encode("SaslHandshake", 1, {"Mechanism": "PLAIN"})
        + connection.encode("SaslAuthenticate", 2, {
            "AuthBytes": b"\0alice\0alice-secret"})
        + connection.encode("CreateTopics", 5, {
            "Topics": [topic(name)], "timeoutMs": 10000}))
    expect_closed(connection, guarded, "before the broker said who sends it",
                  before)
    assert not exists(direct, name)


def test_a_name_that_is_too_long_is_not_cut(cluster, connection, guarded):
    before = len(guarded.log.read_text())
    login(connection, jwt({"sub": "m" * LONGEST}))
    assert outcome(connection, "others") == NO_ERROR
    with connection_to(cluster, guarded) as other:
        other.call("SaslHandshake", 1, {"Mechanism": "OAUTHBEARER"})
        other.send(other.encode("SaslAuthenticate", 2, {
            "AuthBytes": first_message(jwt({"sub": "m" * (LONGEST + 1)}))}))
        expect_closed(other, guarded, "a name of more than 255 bytes", before)
