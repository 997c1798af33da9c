// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"strings"

	"kproxy/clients/shared"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// governed makes calls of which policies allow one part and refuse the other.
type governed struct {
	ctx   context.Context
	admin *kadm.Client
	name  string // what the names of topics and groups begin with
	lines []string
}

func runGoverned(ctx context.Context, name string) []string {
	g := &governed{ctx: ctx, admin: kadm.NewClient(client()), name: name + "-"}
	defer g.admin.Close()
	g.topics()
	g.configs()
	g.acls()
	g.deletions()
	return g.lines
}

func (g *governed) named(first, second string) []string {
	return []string{g.name + first, g.name + second}
}

func (g *governed) add(what, name string, err error, message string) {
	code := ""
	var failed *kerr.Error
	if errors.As(err, &failed) {
		code = failed.Message
	}
	g.lines = append(g.lines, shared.Outcome(what,
		strings.TrimPrefix(name, g.name), code, message))
}

func (g *governed) topics() {
	made, err := g.admin.CreateTopics(g.ctx, 2, -1, nil,
		g.named("bad", "made")...)
	shared.Fail("createTopics", err)
	for name, one := range made {
		g.add("createTopics", name, one.Err, one.ErrMessage)
	}
	grown, err := g.admin.UpdatePartitions(g.ctx, 4,
		g.named("kept", "grown")...)
	shared.Fail("createPartitions", err)
	for name, one := range grown {
		g.add("createPartitions", name, one.Err, one.ErrMessage)
	}
}

func (g *governed) configs() {
	names := g.named("kept", "grown")
	found, err := g.admin.AlterTopicConfigsState(g.ctx, []kadm.AlterConfig{
		{Name: "flush.messages", Value: kadm.StringPtr("7")}}, names...)
	shared.Fail("alterConfigs", err)
	for _, one := range found {
		g.add("alterConfigs", one.Name, one.Err, one.ErrMessage)
	}
	found, err = g.admin.AlterTopicConfigs(g.ctx, []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "max.message.bytes",
			Value: kadm.StringPtr("5000")}}, names...)
	shared.Fail("incrementalAlterConfigs", err)
	for _, one := range found {
		g.add("incrementalAlterConfigs", one.Name, one.Err,
			one.ErrMessage)
	}
}

func (g *governed) acls() {
	wanted := kadm.NewACLs().Topics(strings.TrimSuffix(g.name, "-")).
		Allow("User:*", "User:carol").Operations(kadm.OpRead)
	found, err := g.admin.CreateACLs(g.ctx, wanted)
	shared.Fail("createAcls", err)
	for _, one := range found {
		g.add("createAcls", one.Principal, one.Err, one.ErrMessage)
	}
}

func (g *governed) deletions() {
	names := g.named("kept", "gone")
	topics, err := g.admin.DeleteTopics(g.ctx, names...)
	shared.Fail("deleteTopics", err)
	for name, one := range topics {
		g.add("deleteTopics", name, one.Err, one.ErrMessage)
	}
	groups, err := g.admin.DeleteGroups(g.ctx, names...)
	shared.Fail("deleteGroups", err)
	for name, one := range groups {
		g.add("deleteGroups", name, one.Err, one.ErrMessage)
	}
}
