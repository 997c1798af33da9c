# SPDX-License-Identifier: Apache-2.0
"""kpctl trace: is all said that policies say of a request, and nothing else?
That it is what a node says is in test_policies.py."""
import json

import pytest
import yaml

from test_kpctl import ESCAPE, POLICY, QUICKSTART, bad, home, policies, run

__all__ = ["home", "policies"]  # fixtures


def traced(home, code, *args, **more):
    result = run(home, "trace", *args, "-o", "json", **more)
    assert (result.returncode, result.stderr) == (code, ""), result
    return json.loads(result.stdout)


def test_a_trace_says_all_of_it(home):
    (home / "p.yaml").write_text(POLICY + """---
apiVersion: kproxy/v1
kind: Policy
metadata: {name: owner}
spec:
  nodes: {site: fra}
  match: {apis: [CreateTopics], virtualClusters: [shop]}
  variables:
    - {name: days, expression: "int(topic.configs['retention.ms']) / 86400000"}
    - {name: team, expression: "topic.name.split('.')[0]"}
    - {name: other, expression: "'x'"}
  validations:
    - expression: principal.name == variables.team
      messageExpression: "'only ' + variables.team"
    - {expression: variables.days <= 7}
    - {expression: "topic.name != '' || variables.other == ''"}
  action: warn
  failurePolicy: ignore
""")
    said = ["--as", "alice", "--api", "CreateTopics", "--topic", "bob.a",
            "--replication-factor", 2, "-f", "p.yaml"]
    assert run(home, "trace", *said, "--virtual-cluster=shop").stdout == (
        """CreateTopics, version 7, of alice in virtual cluster shop
policy "hygiene", p.yaml:1: asked
  false  topic.replicationFactor >= 3
         at least 3
  -> refuses (action: deny)
policy "owner", p.yaml:9: asked
  only on nodes with site=fra
  variables.days: error: there is no such key
  variables.team: "bob"
  variables.other: not needed
  false  principal.name == variables.team
         only bob
  error  variables.days <= 7
         1:10: there is no such key
          | variables.days <= 7
          | .........^
  true   topic.name != '' || variables.other == ''
  -> lets pass, and is logged (action: warn, failurePolicy: ignore)
refused with POLICY_VIOLATION (44); the client is told:
policy "hygiene": at least 3
""")
    result = run(home, "trace", *said)
    assert 'policy "owner", p.yaml:9: not asked, its virtualClusters are shop' \
        in result.stdout.splitlines()
    passed = run(home, "trace", *said, "--replication-factor=3",
                 "--virtual-cluster=shop")
    assert (passed.returncode, passed.stderr) == (0, "")
    assert passed.stdout.endswith(
        "allowed, with warnings in the log of the node\n")
    result = run(home, "trace", *said, "--version", 0)
    assert result.returncode == 3 and "no place for a text" in result.stdout


def test_json_of_a_trace_is_stable(policies):
    said = ["--api", "CreateTopics", "--topic", "t", "--replication-factor=1",
            "--client-id=app", "--as=alice", "--address=::0:1",
            "--listener=public", "--virtual-cluster=shop", "-f", "p.yaml"]
    (policies / "q.yaml").write_text(POLICY.replace(
        "[CreateTopics]", "[DeleteTopics]").replace(
        "topic.replicationFactor >= 3", "'true'").replace("hygiene", "other"))
    wanted = {
        "decision": "deny", "code": 44, "error": "POLICY_VIOLATION",
        "sentence": 'policy "hygiene": at least 3', "told": True,
        "changed": False,
        "request": {"api": "CreateTopics", "version": 7, "principal": "alice",
                    "clientId": "app", "virtualCluster": "shop",
                    "listener": "public", "address": "::1"},
        "server": "", "revision": 0,
        "policies": [
            {"name": "hygiene", "file": "p.yaml", "line": 1, "nodes": {},
             "asked": True, "notMatched": "", "action": "deny",
             "failurePolicy": "fail", "variables": [], "overrides": [],
             "validations": [{"expression": "topic.replicationFactor >= 3",
                              "result": "false", "message": "at least 3"}],
             "decision": "deny"},
            {"name": "other", "file": "q.yaml", "line": 1, "nodes": {},
             "asked": False, "notMatched": "apis", "action": "deny",
             "failurePolicy": "fail", "variables": [], "overrides": [],
             "validations": [], "decision": "allow"}],
    }
    assert traced(policies, 3, *said, "-f", "q.yaml") == wanted
    again = run(policies, "trace", *said, "-f", "q.yaml", "-o", "yaml")
    assert yaml.safe_load(again.stdout) == wanted
    allowed = traced(policies, 0, *said, "--replication-factor=3")
    assert (allowed["decision"], allowed["code"], allowed["error"],
            allowed["sentence"], allowed["told"]) == ("allow", 0, "", "", False)


SETTING = """apiVersion: kproxy/v1
kind: Policy
metadata: {name: setting}
spec:
  match: {apis: [CreateTopics]}
  overrides:
    - {field: topic.partitions, expression: "6"}
    - {field: topic.replicationFactor, expression: "1"}
    - field: topic.configs['retention.ms']
      expression: "'1000'"
    - field: topic.configs['a']
      expression: "'b'"
      when: topic.partitions > 6
  validations:
    - {expression: topic.partitions == 6}
---
apiVersion: kproxy/v1
kind: Policy
metadata: {name: watched}
spec:
  match: {apis: [CreateTopics]}
  overrides:
    - {field: topic.partitions, expression: "3"}
  action: warn
"""
FAILING = """apiVersion: kproxy/v1
kind: Policy
metadata: {name: failing}
spec:
  match: {apis: [CreateTopics]}
  overrides:
    - {field: topic.partitions, expression: "int(topic.configs['n'])"}
    - {field: topic.replicationFactor, expression: "40000"}
"""


def test_a_trace_says_what_is_set(home):
    (home / "p.yaml").write_text(SETTING)
    said = ["--api", "CreateTopics", "--topic", "t", "--partitions=3",
            "--replication-factor=1", "-f", "p.yaml"]
    result = run(home, "trace", *said)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == """CreateTopics, version 7, of ANONYMOUS
policy "setting", p.yaml:1: asked
  set    topic.partitions: 6, was 3
  same   topic.replicationFactor
  set    topic.configs['retention.ms']: 1000
  unmet  topic.configs['a']
         topic.partitions > 6
  true   topic.partitions == 6
  -> allows (action: deny)
policy "watched", p.yaml:17: asked
  would  topic.partitions: 3, is 6
  -> lets pass, and is logged (action: warn)
allowed, with what policies set, with warnings in the log of the node
"""
    found = traced(home, 0, *said)
    assert found["changed"] and found["decision"] == "warn"
    setting, watched = found["policies"]
    assert setting["overrides"] == [
        {"field": "topic.partitions", "result": "set", "before": "3", "value": "6",
         "message": ""},
        {"field": "topic.replicationFactor", "result": "same", "before": "",
         "value": "", "message": ""},
        {"field": "topic.configs['retention.ms']", "result": "set", "before": "",
         "value": "1000", "message": ""},
        {"field": "topic.configs['a']", "result": "unmet", "before": "",
         "value": "", "message": ""}]
    assert watched["overrides"] == [
        {"field": "topic.partitions", "result": "would", "before": "6",
         "value": "3", "message": "would set topic.partitions to 3"}]


def test_a_trace_says_what_could_not_be_set(home):
    (home / "p.yaml").write_text(FAILING)
    result = run(home, "trace", "--api=CreateTopics", "--topic=t", "-f", "p.yaml")
    assert (result.returncode, result.stderr) == (3, "")
    assert result.stdout == """CreateTopics, version 7, of ANONYMOUS
policy "failing", p.yaml:1: asked
  error  topic.partitions
         1:18: there is no such key
          | int(topic.configs['n'])
          | .................^
  error  topic.replicationFactor
         topic.replicationFactor cannot be set: Kafka has no such numbers there
  -> refuses (action: deny, failurePolicy: fail)
refused with POLICY_VIOLATION (44); the client is told:
policy "failing": topic.partitions cannot be set: there is no such key; """ + """\
policy "failing": topic.replicationFactor cannot be set: Kafka has no such numbers there
"""


SEEN = """apiVersion: kproxy/v1
kind: Policy
metadata: {name: seen}
spec:
  match: {apis: [API]}
  variables: [{name: v, expression: OBJECT}]
  validations: [{expression: dyn(variables.v) == 1 || true}]
"""


@pytest.mark.parametrize("api, variable, args, shown", [
    ("CreateTopics", "topic",
     ["--topic=t", "--partitions=3", "--replication-factor=2",
      "--config=a.b=c=d", "--config", "e="],
     'NewTopic{name: "t", partitions: 3, replicationFactor: 2, '
     'assignments: [], configs: {"a.b": "c=d", "e": ""}, '
     'validateOnly: false}'),
    ("CreatePartitions", "topic", ["--topic=t", "--partitions=9"],
     'NewPartitions{name: "t", partitions: 9, assignments: [], '
     'validateOnly: false}'),
    ("DeleteGroups", "group", ["--group=g"], 'DeletedGroup{name: "g"}'),
    ("AlterConfigs", "config", ["--group=g", "--config=a=b"],
     'Config{resourceType: "group", name: "g", configs: {"a": "b"}, '
     'validateOnly: false}'),
    ("IncrementalAlterConfigs", "config", ["--topic=t", "--config=a=b"],
     'ChangedConfig{resourceType: "topic", name: "t", changes: '
     '[ConfigChange{name: "a", operation: "set", value: "b"}], '
     'validateOnly: false}'),
    ("AddRaftVoter", "voter", ["--item={id: 7}"], "Voter{id: 7}"),
    ("CreateAcls", "acl",
     ["--item", '{resourceType: topic, resourceName: "*", patternType: '
      'literal, principal: "User:a", host: "*", operation: read, '
      'permission: allow}'],
     'Acl{resourceType: "topic", resourceName: "*", patternType: "literal", '
     'principal: "User:a", host: "*", operation: "read", permission: '
     '"allow"}'),
])
def test_flags_are_the_item_that_policies_see(home, api, variable, args, shown):
    text = SEEN.replace("API", api).replace("OBJECT", variable)
    found = traced(home, 0, "--api", api, *args, "-f", "-", stdin=text)
    assert found["policies"][0]["variables"] == [
        {"name": "v", "needed": True, "value": shown, "error": ""}]


@pytest.mark.parametrize("args, problem", [
    ([], "kpctl: --api API is missing\n"),
    (["--api=CreateTopic"], 'about "CreateTopic"; did you mean "CreateTopics"?'),
    (["--api=Xyzzy"], '"Xyzzy", but about CreateTopics, Metadata, '),
    (["--api=CreateTopics", "--version=99"],
     'CreateTopics has the versions 0 to 7, not "99"'),
    (["--api=CreateTopics", "--version=x"], 'not "x"'),
    (["--api=CreateTopics", "--address=x"], 'must be an IP address, not "x"'),
    (["--api=CreateTopics", "--topic=t", "--partitions=x"],
     'kpctl: --partitions: must be a whole number, not "x"\n'),
    (["--api=CreateTopics", "--topic=t", "--partitions=99999999999"],
     "flags: item.partitions: 99999999999 is out of range"),
    (["--api=CreateTopics", "--topic=t", "--config=x"],
     'kpctl: --config: must be NAME=VALUE, not "x"\n'),
    (["--api=CreateTopics", "--topic=t", "--config=x=1", "--config=x=2"],
     'kpctl: --config: "x" is there twice\n'),
    (["--api=CreateTopics"], 'flags: item: "name" is missing\nkpctl: an item '
     "of CreateTopics has the fields name, partitions, "),
    (["--api=DeleteTopics", "--topic=t", "--partitions=3"],
     "--partitions: there is none in an item of DeleteTopics; that has the "
     "fields name, for --item"),
    (["--api=DeleteRecords", "--topic=t", "--partitions=3"],
     "--partitions: there is none in an item of DeleteRecords"),
    (["--api=CreateAcls", "--topic=t"], "--topic: there is none in an item"),
    (["--api=EndTxn", "--group=g"], "--group: there is none in an item"),
    (["--api=DeleteTopics", "--topic=t", "--config=a=b"],
     "--config: there is none in an item of DeleteTopics"),
    (["--api=AlterConfigs", "--topic=t", "--group=g"],
     "--topic and --group are two items: say one"),
    (["--api=DeleteTopics", "--item={nme: t}"],
     '--item:1:2: item: unknown field "nme"; did you mean "name"?\n'),
    (["--api=DeleteTopics", "--item={name: t"], "--item:2:1: "),
    (["--api=DeleteTopics", "--item="], "must be one YAML document, not 0"),
    (["--api=DeleteTopics", "--item=t"], "item: must be an object, not"),
    (["--api=DeleteTopics", "--item={name: t}", "--topic=t"],
     "kpctl: --item is the whole item: say in it what --topic says\n"),
    (["--api=DeleteTopics", "--item={name: t}", "--config=a=b"],
     "say in it what --config says\n"),
    (["--api=CreateTopics", "--version=2",
      "--item={name: t, partitions: 1, assignments: [{partition: 0, "
      "replicas: [1]}]}"], "is counted from assignments"),
])
def test_a_request_that_is_none_ends_with_2(policies, args, problem):
    assert problem in bad(policies, 2, "trace", *args, "-f", "p.yaml")


def test_nothing_is_asked_with_wrong_policies(policies):
    """Who looks for code 3 must not find it where nobody was refused."""
    said = ["trace", "--api=DeleteTopics", "--topic=t"]
    assert "no file that is named has a Policy" in \
        bad(policies, 1, *said, "-f", QUICKSTART)
    assert "nix.yaml: could not open" in bad(policies, 1, *said, "-f", "nix.yaml")
    (policies / "p.yaml").write_text(POLICY.replace("topic.rep", "topic.req"))
    found = bad(policies, 1, *said, "-f", "p.yaml")
    assert found.startswith("p.yaml:7:20: Policy \"hygiene\": ")
    assert found.endswith("kpctl: nothing was asked\n")


def test_a_trace_does_not_play_with_the_terminal(home):
    text = SEEN.replace("API", "DeleteTopics").replace(
        "OBJECT", "\"topic.name + principal.name + '\\x07'\"").replace(
        "dyn(variables.v) == 1 || true", "variables.v == ''")
    result = run(home, "trace", "--api=DeleteTopics", f"--topic={ESCAPE}[2J",
                 f"--as=a{ESCAPE}\x9b", "--client-id=\udcff", "-f", "-",
                 stdin=text)
    assert result.returncode == 3, result
    assert not set(map(chr, [*range(10), *range(11, 32), *range(127, 160)])) & \
        set(result.stdout), result.stdout
    assert '"\\u001b[2Ja\\u001b' in result.stdout
    long = run(home, "trace", "--api=DeleteTopics", "--topic", "n" * 30000,
               "-f", "-", stdin=text)
    assert "… 30010 bytes" in long.stdout and len(long.stdout) < 1000
    found = run(home, "trace", "--api=DeleteTopics", "--topic=t", "--as=\udcff",
                "-o", "json", "-f", "-", stdin=text)
    said = json.loads(found.stdout)["policies"][0]["variables"][0]
    assert said["error"] == "the principal is not UTF-8"
