// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"

	"kproxy/clients/shared"

	"github.com/IBM/sarama"
)

// governed makes calls of which policies allow one part and refuse the other.
// Where ClusterAdmin takes one topic at a time, a broker is asked about both.
type governed struct {
	admin      sarama.ClusterAdmin
	controller *sarama.Broker
	name       string // what the names of topics and groups begin with
	lines      []string
}

func runGoverned(name string) []string {
	admin, err := sarama.NewClusterAdmin(shared.Bootstrap(), settings())
	shared.Fail("admin", err)
	defer admin.Close()
	controller, err := admin.Controller()
	shared.Fail("controller", err)
	g := &governed{admin: admin, controller: controller, name: name + "-"}
	g.topics()
	g.configs()
	g.acls()
	g.deletions()
	return g.lines
}

func (g *governed) add(what, name string, err error) {
	code, message := "", ""
	var failed sarama.KError
	if errors.As(err, &failed) && failed != sarama.ErrNoError {
		code, message = fmt.Sprint(int16(failed)), err.Error()
	}
	g.lines = append(g.lines, shared.Outcome(what,
		strings.TrimPrefix(name, g.name), code, message))
}

func (g *governed) topics() {
	detail := &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: -1}
	config := settings()
	made, err := g.controller.CreateTopics(sarama.NewCreateTopicsRequest(
		config.Version, map[string]*sarama.TopicDetail{
			g.name + "bad": detail, g.name + "made": detail},
		config.Admin.Timeout, false))
	shared.Fail("createTopics", err)
	for name, failed := range made.TopicErrors {
		g.add("createTopics", name, failed)
	}
	wanted := &sarama.TopicPartition{Count: 4}
	grown, err := g.controller.CreatePartitions(
		&sarama.CreatePartitionsRequest{Version: 3,
			TopicPartitions: map[string]*sarama.TopicPartition{
				g.name + "kept": wanted, g.name + "grown": wanted},
			Timeout: config.Admin.Timeout})
	shared.Fail("createPartitions", err)
	for name, failed := range grown.TopicPartitionErrors {
		g.add("createPartitions", name, failed)
	}
}

func (g *governed) configs() {
	messages, bytes := "7", "5000"
	for _, part := range []string{"kept", "grown"} {
		g.add("alterConfigs", part, g.admin.AlterConfig(
			sarama.TopicResource, g.name+part,
			map[string]*string{"flush.messages": &messages}, false))
		g.add("incrementalAlterConfigs", part,
			g.admin.IncrementalAlterConfig(sarama.TopicResource,
				g.name+part,
				map[string]sarama.IncrementalAlterConfigsEntry{
					"max.message.bytes": {Value: &bytes}},
				false))
	}
}

func (g *governed) acls() {
	request := &sarama.CreateAclsRequest{Version: 1}
	for _, principal := range []string{"User:*", "User:carol"} {
		request.AclCreations = append(request.AclCreations,
			&sarama.AclCreation{
				Resource: sarama.Resource{
					ResourceType:        sarama.AclResourceTopic,
					ResourceName:        strings.TrimSuffix(g.name, "-"),
					ResourcePatternType: sarama.AclPatternLiteral},
				Acl: sarama.Acl{Principal: principal, Host: "*",
					Operation:      sarama.AclOperationRead,
					PermissionType: sarama.AclPermissionAllow}})
	}
	found, err := g.controller.CreateAcls(request)
	if found == nil {
		shared.Fail("createAcls", err)
	}
	for i, one := range found.AclCreationResponses {
		failed := error(one.Err)
		if one.ErrMsg != nil {
			failed = fmt.Errorf("%w: %s", one.Err, *one.ErrMsg)
		}
		g.add("createAcls", request.AclCreations[i].Principal, failed)
	}
}

func (g *governed) deletions() {
	config := settings()
	topics, err := g.controller.DeleteTopics(sarama.NewDeleteTopicsRequest(
		config.Version, []string{g.name + "kept", g.name + "gone"},
		config.Admin.Timeout))
	shared.Fail("deleteTopics", err)
	for name, code := range topics.TopicErrorCodes {
		failed := error(code)
		if text := topics.TopicErrorMessages[name]; text != nil {
			failed = fmt.Errorf("%w: %s", code, *text)
		}
		g.add("deleteTopics", name, failed)
	}
	for _, part := range []string{"kept", "gone"} {
		g.add("deleteGroups", part,
			g.admin.DeleteConsumerGroup(g.name+part))
	}
}
