// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// runJoining has consumers of groups that a policy refuses: see
// JoiningMode.java.
func runJoining(ctx context.Context, name string) []string {
	classic := kgo.ConsumerGroup(name + "-refused")
	lines := []string{
		refused(ctx, name, "classic", classic),
		refused(ctx, name, "consumer", classic, kgo.ServerSideBalancer(),
			kgo.Balancers(kgo.RangeBalancer())),
		refused(ctx, name, "share", kgo.ShareGroup(name+"-refused")),
	}
	return append(lines, fenced(ctx, name))
}

func refused(ctx context.Context, topic, protocol string,
	more ...kgo.Opt) string {
	consumer := client(append(more, kgo.ConsumeTopics(topic))...)
	defer consumer.Close()
	return outcomeOf(ctx, protocol+" refused", consumer)
}

func fenced(ctx context.Context, topic string) string {
	assigned := func(context.Context, *kgo.Client, map[string][]int32) {
		fmt.Println("running")
	}
	consumer := client(kgo.ConsumeTopics(topic),
		kgo.ConsumerGroup(topic+"-fenced"), kgo.ServerSideBalancer(),
		kgo.Balancers(kgo.RangeBalancer()),
		kgo.OnPartitionsAssigned(assigned))
	defer consumer.Close()
	return outcomeOf(ctx, "consumer fenced", consumer)
}

// outcomeOf polls until there is an error.
func outcomeOf(ctx context.Context, what string, consumer *kgo.Client) string {
	for {
		for _, failed := range consumer.PollFetches(ctx).Errors() {
			code := "none"
			var of *kerr.Error
			if errors.As(failed.Err, &of) {
				code = of.Message
			}
			return fmt.Sprintf("%s: %s: %s", what, code, failed.Err)
		}
	}
}
