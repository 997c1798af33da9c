/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/govern/page.h"

#include <string.h>

#include "rules/explain.h"
#include "rules/govern/cases.h"
#include "rules/govern/policy_priv.h"

/* clang-format off */
static const char head[] =
"# Policies\n"
"\n"
"A policy says what requests that change something must be like. It is asked about\n"
"every such request of every client, before a broker sees it; whoever is refused reads\n"
"in his own client's error which policy refused him, and why. The model is Kubernetes'\n"
"ValidatingAdmissionPolicy; expressions are in [CEL](cel.md).\n"
"\n"
"```yaml\n"
"apiVersion: kproxy/v1\n"
"kind: Policy\n"
"metadata: {name: topic-hygiene}\n"
"spec:\n"
"  match: {apis: [CreateTopics], topics: [\"*\"]}\n"
"  variables:\n"
"    - {name: rf, expression: topic.replicationFactor}\n"
"  validations:\n"
"    - expression: variables.rf >= 3\n"
"      messageExpression: >-\n"
"        'replication factor is ' + string(variables.rf) + ', at least 3 is required'\n"
"    - expression: topic.name.matches('^[a-z0-9-]+[.][a-z0-9-]+$')\n"
"      message: name must be team.dataset\n"
"  action: deny\n"
"  failurePolicy: fail\n"
"```\n"
"\n"
"    $ kafka-topics.sh --create --topic orders --replication-factor 1 ...\n"
"    Error while executing topic command : policy \"topic-hygiene\": replication factor\n"
"    is 1, at least 3 is required; policy \"topic-hygiene\": name must be team.dataset\n"
"\n"
"Every field is in [resources.md](resources.md). `kpctl validate` checks policies\n"
"offline: an expression that does not fit what it is asked about is refused where it is\n"
"written, with the place.\n"
"\n";
static const char judging[] =
"## How a request is judged\n"
"\n"
"- A request may have several items: topics to create, ACLs to delete. Each is judged by\n"
"  itself. What is refused does not reach the broker, the rest does, and the answer tells\n"
"  of all of them in the order of the request. `validateOnly` is judged as well.\n"
"- All policies that match an item are asked, and all validations of each: the answer\n"
"  has every message, not the first. A validation without message says its expression.\n"
"- The code is POLICY_VIOLATION (44), for producers and ends of transactions\n"
"  TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53); members of groups, commits, topics of\n"
"  transactions and topics that brokers create have others, below. In versions of a\n"
"  request whose answer has no place for a text (topics to delete before version 5,\n"
"  groups to delete before Kafka 4.4, moves of replicas, delegation tokens) the client\n"
"  gets the code alone. Some libraries drop the text that they get: kafkajs always,\n"
"  kafka-python for ACLs, sarama's ClusterAdmin for ACLs and for topics to delete. The log\n"
"  has the sentence.\n"
"- `match.topics` and `match.virtualClusters` are names in which `*` is any text; case\n"
"  counts. A topic that is named by its id may be any topic: policies are asked, and\n"
"  `topic.name` is an error.\n"
"- `action: warn` lets pass what is not so, and logs and counts it: for a policy that is\n"
"  to be watched before it is enforced. It sets nothing.\n"
"- An expression that cannot be evaluated (a key that is not there, a text that is not\n"
"  UTF-8, a setting that is there twice, too many steps) means what `failurePolicy` says:\n"
"  `fail`, it counts as false; `ignore`, it is logged and counted.\n"
"- Replicas that a client assigns itself are counted, so that `topic.partitions` and\n"
"  `topic.replicationFactor` hold for them as well. Where a client leaves them to the\n"
"  cluster both are -1: say `topic.replicationFactor == -1 || ...` if that is welcome.\n"
"- A request that cannot be decoded, or that is longer than `limits.governedRequest`,\n"
"  is not passed on: its connection is closed.\n"
"- An election of leaders of all partitions is one item that names no topic: policies\n"
"  are asked, whatever `match.topics` says. Refused, it has the code for the whole answer\n"
"  and the sentence in a row of no topic, partition -1; in version 0 the row is all.\n"
"- Where a broker answers in no order (moves of replicas between its folders, SCRAM\n"
"  credentials, features), what is refused stands first. A topic or user of whom\n"
"  something is refused and something is not is there twice.\n"
"- Updates of features are all or nothing from version 2 on: one that is refused ends\n"
"  them all, and the answer has the sentence about the first.\n"
"- Of delegation tokens and SCRAM credentials policies see neither tokens nor salts and\n"
"  passwords. Who asks is `principal.name`.\n"
"- A new policy is asked about every request that begins after it is in force;\n"
"  connections stay.\n"
"\n"
"`policy_denied` and `policy_warned` in the log name client, item, policy and reason;\n"
"`kproxy_policy_decisions_total` counts.\n"
"\n";
static const char setting[] =
"## Setting values\n"
"\n"
"`overrides` set a value in the request instead of refusing it: what a client leaves out,\n"
"or what it is not to decide.\n"
"\n"
"```yaml\n"
"spec:\n"
"  match: {apis: [CreateTopics]}\n"
"  overrides:\n"
"    - field: topic.replicationFactor\n"
"      expression: \"3\"\n"
"      when: topic.assignments.size() == 0 && request.api != 'Metadata'\n"
"    - field: topic.configs['min.insync.replicas']\n"
"      expression: \"'2'\"\n"
"      when: request.api != 'Metadata'\n"
"```\n"
"\n"
"- `expression` is the value: an int for a number, a string for a setting. `when` says for\n"
"  which items; without it for all that the policy matches. Both see the item, the facts\n"
"  and the policy's variables. A policy may have overrides, validations or both.\n"
"- Overrides of all policies come first, in the order of the names of policies and in each\n"
"  from above downwards; each sees what those before it have set. Then all validations of\n"
"  all policies judge the item as it is now, and that is what the broker gets. Its answer\n"
"  is the client's, so a client is told what became of its topic.\n"
"- A field that has the value already is not set. If no field is, the request goes on byte\n"
"  for byte.\n"
"- What cannot be set (an expression without a value, a number that Kafka's field does not\n"
"  hold, replicas that the client assigns itself, a setting that is there twice) means what\n"
"  `failurePolicy` says: `fail`, the item is refused; `ignore`, it goes on without that\n"
"  value, and is logged and counted. An item that would make the request longer than\n"
"  `limits.governedRequest`, or take more memory than it may, is refused in any case.\n"
"  Nothing goes on of which only a part could be set.\n"
"- With `action: warn` nothing is set: the log says what would be.\n"
"- A topic that a broker creates by itself ([below](#topics-that-brokers-create-by-themselves))\n"
"  has nothing but its name, and what a policy for CreateTopics would set cannot be set: it\n"
"  is not created. `when: request.api != 'Metadata'` lets it pass as it is.\n"
"- A node of a version without overrides refuses the policy; it does not leave out what it\n"
"  does not know.\n"
"\n"
"`policy_overrode` in the log (info) names client, item, policy, field and value of what\n"
"went on; `kproxy_policy_decisions_total{decision=\"overridden\"}` counts such items. What\n"
"the client had said is not logged: it may be a password.\n"
"\n"
"| API | field | type | |\n"
"|---|---|---|---|\n";
static const char tracing[] =
"## Why was this refused?\n"
"\n"
"`kpctl trace` asks policies about one request, files' or those of the server, with the\n"
"code of a node, and shows how they come to what they say:\n"
"\n"
"    $ kpctl trace --as alice --api CreateTopics --topic orders --replication-factor 1 -f policies/\n"
"    CreateTopics, version 7, of alice\n"
"    policy \"topic-hygiene\", policies/topic-hygiene.yaml:1: asked\n"
"      variables.rf: 1\n"
"      false  variables.rf >= 3\n"
"             replication factor is 1, at least 3 is required\n"
"      false  topic.name.matches('^[a-z0-9-]+[.][a-z0-9-]+$')\n"
"             name must be team.dataset\n"
"      -> refuses (action: deny)\n"
"    refused with POLICY_VIOLATION (44); the client is told:\n"
"    policy \"topic-hygiene\": replication factor is 1, at least 3 is required; policy\n"
"    \"topic-hygiene\": name must be team.dataset\n"
"\n"
"- Policies stand in the order in which a node asks them. One that is not asked says what\n"
"  of its `match` does not fit.\n"
"- Variables are evaluated when they are needed: a variable that is `not needed` has\n"
"  changed nothing; after something was set, again. Long texts and lists are shown in\n"
"  part.\n"
"- What a policy sets stands before its validations: `set`, with the value before, `same`,\n"
"  `would` (it only warns), `unmet` (`when` is not so) or `error`.\n"
"- An `error` has its place below it, and `failurePolicy` says what it meant.\n"
"- What a client sent is in the log of the node, `policy_denied`: api, item, principal,\n"
"  virtual cluster. Say the same to `kpctl trace`, above all `--virtual-cluster` and\n"
"  `--version`; a policy with `spec.nodes` is asked on those nodes only.\n"
"\n"
"[kpctl.md](kpctl.md#why-was-this-refused) has more.\n"
"\n";
static const char members[] =
"## Members of groups\n"
"\n"
"Whoever joins a group says so with JoinGroup (classic groups, Connect and others),\n"
"ConsumerGroupHeartbeat, ShareGroupHeartbeat or StreamsGroupHeartbeat, as the group and\n"
"his library are. A policy about who may be in which group names all four:\n"
"\n"
"```yaml\n"
"  match:\n"
"    apis: [JoinGroup, ConsumerGroupHeartbeat, ShareGroupHeartbeat, StreamsGroupHeartbeat]\n"
"  validations:\n"
"    - expression: member.groupId.startsWith(principal.name + '.')\n"
"      message: groups begin with the name of their principal\n"
"```\n"
"\n"
"- Every request is judged by itself. A member of a classic group sends JoinGroup when it\n"
"  joins and at each rebalance; members of the others send a heartbeat every few seconds,\n"
"  and each is judged. The first (`memberEpoch` 0) says everything. Later ones always say\n"
"  `groupId` and `memberEpoch`, and of the rest what has changed: what they do not say is\n"
"  not set, a list that is not set is empty, and `rebalanceTimeoutMs` is -1. So\n"
"  `member.subscribedTopicNames.all(...)` is right for each, and of what may be missing\n"
"  say `!has(member.subscribedTopicRegex) || ...`.\n"
"- The code is GROUP_AUTHORIZATION_FAILED (30), which every library tells its application\n"
"  at once, as an error of its own; some try again afterwards. The answer to JoinGroup has\n"
"  no place for a text. Of heartbeats franz-go tells the sentence; Java's consumers name\n"
"  the group instead, and librdkafka's neither. The log has it.\n"
"- A new policy refuses members that are there already: those of classic groups at the\n"
"  next rebalance, all others with their next heartbeat. A broker that hears nothing of\n"
"  a member any more gives its partitions to others after the session timeout.\n"
"- Members that leave say so with a negative `memberEpoch`, and are judged as well:\n"
"  `member.memberEpoch < 0 || ...` lets everybody leave at once. Where the policy keeps\n"
"  strangers out of a group it also lets them send away whose member id they know.\n"
"- What members of classic groups subscribe to, and topologies of Streams, are not seen.\n"
"\n";
static const char offsets[] =
"## Offsets of groups\n"
"\n"
"OffsetCommit, TxnOffsetCommit, OffsetDelete, AlterShareGroupOffsets and\n"
"DeleteShareGroupOffsets are judged topic by topic; each topic knows the group.\n"
"\n"
"- Consumers commit every few seconds. `offsets.generation` tells members, who have one,\n"
"  from tools that set offsets (-1); consumers that assign partitions to themselves have\n"
"  none either.\n"
"- Java's newest consumers name topics by id (OffsetCommit since version 10), so policies\n"
"  about `offsets.topic` cannot tell and refuse; `failurePolicy: ignore`, or\n"
"  `request.version > 9 || ...`, lets them pass. What is said of `offsets.groupId` holds\n"
"  for all.\n"
"- The code of OffsetCommit is TOPIC_AUTHORIZATION_FAILED (29), which consumers take for\n"
"  final and name the topic with, of the others POLICY_VIOLATION. There is a place for a\n"
"  text in the answers about share groups only.\n"
"- TxnOffsetCommit says what is committed as part of a transaction, as programs do which\n"
"  read and write exactly once: a policy about what a group may commit names both. The code\n"
"  is GROUP_AUTHORIZATION_FAILED (30), with which a producer aborts the transaction.\n"
"\n"
"## Topics of transactions\n"
"\n"
"AddPartitionsToTxn says which partitions become part of a transaction, and is judged topic\n"
"by topic; the code is TOPIC_AUTHORIZATION_FAILED (29), with which a producer aborts the\n"
"transaction. Since Kafka 4.0 producers of its own library do not send it where the brokers\n"
"do this by themselves (`transaction.version` 2): then there is nothing to judge. Versions\n"
"from 4 on are for brokers; where a policy is asked about this request they are refused.\n"
"\n";
static const char creation[] =
"## Topics that brokers create by themselves\n"
"\n"
"With `auto.create.topics.enable`, which is Kafka's default, a broker creates a topic\n"
"because a client names it in a Metadata request, and producers and most consumers do so\n"
"with every topic that they use. Policies for CreateTopics are asked about these names as\n"
"well, so that no client gets around them; one for Metadata is asked about these alone.\n"
"`topic` is a [NewTopic](#newtopic) with nothing but its name: `partitions` and\n"
"`replicationFactor` are -1, and `request.api` is `\"Metadata\"`. So a policy that wants\n"
"replicas or settings to be said refuses such topics; `request.api == 'Metadata' || ...`\n"
"lets them pass.\n"
"\n"
"- A topic that exists stays usable, whatever policies say of its name. If one of a\n"
"  request may not be created, the request goes on with auto-creation switched off:\n"
"  topics that exist are described as ever, all others are UNKNOWN_TOPIC_OR_PARTITION (3),\n"
"  as with a broker that creates none. A Java producer waits `max.block.ms` for such a\n"
"  topic and says then that it is not present; librdkafka says \"Unknown topic or\n"
"  partition\" after `topic.metadata.propagation.max.ms`.\n"
"- If others of the same request may be created, another request that names only these\n"
"  goes before it, with auto-creation, and its answer is left out. The client is answered\n"
"  the whole request: a new topic may be UNKNOWN_TOPIC_OR_PARTITION at first, as brokers\n"
"  say of topics that they have begun to create, and clients ask again. If the broker did\n"
"  not create it (because the client may not, say), they get that code as well, and not\n"
"  the broker's reason.\n"
"- Before version 4 a request cannot switch auto-creation off. It goes on as version 4\n"
"  then, and the answer is turned into one of the client's version.\n"
"- Log and counter have what policies say once the broker's answer says that the topic\n"
"  does not exist, for each request that names it; of topics that exist they have nothing.\n"
"  Names that may be created are not counted.\n"
"\n"
"Topics that brokers make for groups of Kafka Streams (KIP-1071) are not among these, and\n"
"are not judged.\n"
"\n";
static const char testing[] =
"## Testing policies\n"
"\n"
"`kpctl test` asks policies about requests that a file describes, with the code of a\n"
"node and without one: for the pipeline that policies go through before they are pushed.\n"
"\n"
"```yaml\n"
"cases:\n"
"  - name: one replica is refused\n"
"    request: {api: CreateTopics, principal: alice}\n"
"    item: {name: team.orders, partitions: 3, replicationFactor: 1}\n"
"    expect: deny\n"
"    policies: [topic-hygiene]\n"
"    message: at least 3 is required\n"
"  - name: three replicas are fine\n"
"    request: {api: CreateTopics}\n"
"    item: {name: team.orders, replicationFactor: 3, configs: {retention.ms: 60000}}\n"
"    expect: allow\n"
"```\n"
"\n"
"    $ kpctl test -f policies/ -f tests/topic-hygiene.yaml\n"
"    ok    tests/topic-hygiene.yaml:2: one replica is refused\n"
"    ok    tests/topic-hygiene.yaml:8: three replicas are fine\n"
"    2 cases, all as expected\n"
"\n"
"`overrides` of a case are the fields that policies set, as they name them, and the\n"
"values: `overrides: {topic.partitions: \"6\"}`. Nothing is set in what is refused.\n"
"\n"
"The exit code is 0 if everything came as expected, 1 if not, and 3 if a file is wrong:\n"
"then nothing was asked. A file of cases is no resource, and no server takes one.\n";
static const char after_cases[] =
"\n"
"`item` has the fields of its type, as listed below. One that is not said is not set, or\n"
"has Kafka's default; partitions and replicas of a new topic are left to the cluster\n"
"(-1). Names, words and numbers that Kafka has no default for must be said.\n"
"\n"
"[examples/policies/](../examples/policies/README.md) has policies to begin with, each\n"
"with its cases: names, replicas, partitions, retention, what is not deleted, ACLs,\n"
"topics that brokers create by themselves.\n"
"\n"
"## What it costs\n"
"\n";
static const char middle[] =
"\n"
"## What expressions can name\n"
"\n"
"| name | type |\n"
"|---|---|\n";
static const char rest[] =
"\n"
"`principal.name` is whom the broker has accepted: the name in a login with PLAIN or SCRAM\n"
"(with a delegation token that is the token's id, not its owner), the claim `sub` of a\n"
"token with OAUTHBEARER, whatever other claim brokers are told to look at; `ANONYMOUS`\n"
"where nobody is known. Names of more than 255 bytes are not let in, and requests that\n"
"policies are asked about are not before the broker has accepted a login.\n"
"`variables.NAME` are the policy's own, from above downwards. Beside these there is one\n"
"object for the item, by the request:\n"
"\n"
"| API | variable | type | `match.topics` |\n"
"|---|---|---|---|\n";
/* clang-format on */

static void
add_cost(struct kp_buf *out)
{
	kp_buf_printf(out,
	    "An expression may take %d steps and %u KiB, all expressions of "
	    "one "
	    "request together\n%d steps; a step is about one operation, or 16 "
	    "bytes of a text. A policy has at most\n%d variables, %d overrides "
	    "and %d validations.\n",
	    KP_JUDGE_MAX_STEPS, KP_JUDGE_MAX_MEMORY >> 10,
	    KP_JUDGE_MAX_REQUEST_STEPS, KP_POLICY_MAX_VARIABLES,
	    KP_POLICY_MAX_OVERRIDES, KP_POLICY_MAX_VALIDATIONS);
}

static void
add_overrides(struct kp_buf *out, const struct kp_object_api *api)
{
	const struct kp_object_override *one = api->overrides;

	for (; one != NULL && one->how != KP_OBJECT_SET_END; one++) {
		bool is_setting = kp_object_is_setting(one);

		kp_buf_printf(out, "| %s | `%s.%s%s` | %s | %s |\n",
		    kp_api_name(api->key), api->variable, one->field,
		    is_setting ? "['NAME']" : "", is_setting ? "string" : "int",
		    one->help);
	}
}

static void
add_words(struct kp_buf *out, const struct kp_object_word *words)
{
	for (size_t i = 0; words[i].word != NULL; i++)
		kp_buf_printf(
		    out, "%s`%s`", i > 0 ? ", " : " One of ", words[i].word);
	kp_buf_add_text(out, ".");
}

static void
add_type(struct kp_buf *out, const struct kp_object_type *type)
{
	kp_buf_printf(
	    out, "\n### %s\n\n| field | type | |\n|---|---|---|\n", type->name);
	for (const struct kp_object_field *f = type->fields;
	     f->how != KP_OBJECT_END; f++) {
		kp_buf_printf(
		    out, "| `%s` | %s | %s", f->name, f->type, f->help);
		if (f->words != NULL)
			add_words(out, f->words);
		kp_buf_add_text(out, " |\n");
	}
}

void
kp_govern_page(struct kp_buf *out)
{
	kp_buf_add_text(out, head);
	kp_buf_add_text(out, judging);
	kp_buf_add_text(out, setting);
	for (size_t i = 0; i < kp_num_object_apis; i++)
		add_overrides(out, &kp_object_apis[i]);
	kp_buf_add_text(out, "\n");
	kp_buf_add_text(out, creation);
	kp_buf_add_text(out, tracing);
	kp_buf_add_text(out, members);
	kp_buf_add_text(out, offsets);
	kp_buf_add_text(out, testing);
	kp_explain_table(out, kp_cases_setting.fields);
	kp_buf_add_text(out, after_cases);
	add_cost(out);
	kp_buf_add_text(out, middle);
	for (size_t i = 0; i < kp_num_facts; i++)
		kp_buf_printf(out, "| `%s` | %s |\n", kp_facts_table[i].name,
		    kp_facts_table[i].type);
	kp_buf_add_text(out, rest);
	for (size_t i = 0; i < kp_num_object_apis; i++) {
		const struct kp_object_api *api = &kp_object_apis[i];

		kp_buf_printf(out, "| %s | `%s` | [%s](#",
		    kp_api_name(api->key), api->variable, api->type->name);
		for (const char *at = api->type->name; *at != '\0'; at++)
			kp_buf_printf(out, "%c", *at | 0x20);
		kp_buf_printf(
		    out, ") | %s |\n", api->topic == NULL ? "no" : "yes");
	}
	kp_buf_add_text(out,
	    "\nThe fields of these objects have the names of Kafka's Admin "
	    "client. `has()` tells\nwhether one that may be missing is "
	    "there.\n");
	for (size_t i = 0; kp_object_types[i] != NULL; i++)
		add_type(out, kp_object_types[i]);
}
