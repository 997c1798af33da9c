// SPDX-License-Identifier: Apache-2.0

// Command franz-go: modes classic, txn, governed and joining.
package main

import (
	"context"
	"fmt"
	"sort"
	"time"

	"kproxy/clients/shared"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// For anything to happen; machines are shared.
const deadline = 180 * time.Second

func mechanism(login shared.Login) sasl.Mechanism {
	auth := scram.Auth{User: login.User, Pass: login.Password}
	switch login.Mechanism {
	case "SCRAM-SHA-256":
		return auth.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return auth.AsSha512Mechanism()
	}
	return plain.Auth{User: login.User, Pass: login.Password}.AsMechanism()
}

func client(more ...kgo.Opt) *kgo.Client {
	options := append(more, kgo.SeedBrokers(shared.Bootstrap()...))
	if login := shared.Credentials(); login.Mechanism != "" {
		options = append(options, kgo.SASL(mechanism(login)))
	}
	if config := shared.TLS(); config != nil {
		options = append(options, kgo.DialTLSConfig(config))
	}
	made, err := kgo.NewClient(options...)
	shared.Fail("client", err)
	return made
}

func create(ctx context.Context, topic string) []string {
	admin := kadm.NewClient(client())
	defer admin.Close()
	_, err := admin.CreateTopic(ctx, shared.Partitions, -1, nil,
		topic+"-made")
	shared.Fail("create", err)
	found, err := admin.BrokerMetadata(ctx)
	shared.Fail("metadata", err)
	ids := found.Brokers.NodeIDs()
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return []string{fmt.Sprint("nodes ", ids)}
}

func produce(ctx context.Context, mode, topic string) []string {
	var more []kgo.Opt
	if mode == "txn" {
		more = append(more, kgo.TransactionalID(topic+"-id"))
	}
	producer := client(more...)
	defer producer.Close()
	if mode == "txn" {
		shared.Fail("begin", producer.BeginTransaction())
		aborted := &kgo.Record{Topic: topic, Key: []byte("k"),
			Value: []byte("aborted")}
		shared.Fail("produce",
			producer.ProduceSync(ctx, aborted).FirstErr())
		shared.Fail("abort", producer.EndTransaction(ctx, kgo.TryAbort))
		shared.Fail("begin", producer.BeginTransaction())
	}
	lines := send(ctx, producer, topic)
	if mode == "txn" {
		shared.Fail("commit", producer.EndTransaction(ctx, kgo.TryCommit))
	}
	return lines
}

func send(ctx context.Context, producer *kgo.Client, topic string) []string {
	var records []*kgo.Record
	for _, record := range shared.Records() {
		records = append(records, &kgo.Record{Topic: topic,
			Key: []byte(record.Key), Value: []byte(record.Value)})
	}
	var lines []string
	for _, result := range producer.ProduceSync(ctx, records...) {
		shared.Fail("produce", result.Err)
		lines = append(lines, shared.Produced(string(result.Record.Key),
			result.Record.Partition, result.Record.Offset))
	}
	return lines
}

func consume(ctx context.Context, mode, topic string) []string {
	group := topic + "-group"
	consumer := client(kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DisableAutoCommit())
	defer consumer.Close()
	var lines []string
	for len(lines) < len(shared.Records()) {
		fetches := consumer.PollFetches(ctx)
		for _, failed := range fetches.Errors() {
			shared.Fail("fetch", failed.Err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			lines = append(lines,
				shared.Consumed(r.Key, r.Value, r.Partition, r.Offset))
		})
	}
	if mode == "txn" {
		return lines // the offset may or may not count the end marker
	}
	shared.Fail("commit", consumer.CommitUncommittedOffsets(ctx))
	offsets, err := kadm.NewClient(consumer).FetchOffsets(ctx, group)
	shared.Fail("offsets", err)
	offsets.Each(func(at kadm.OffsetResponse) {
		lines = append(lines, shared.Committed(at.Partition, at.At))
	})
	return lines
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	shared.Main(func(mode, topic string) []string {
		if mode == "governed" {
			return runGoverned(ctx, topic)
		}
		if mode == "joining" {
			return runJoining(ctx, topic)
		}
		lines := create(ctx, topic)
		lines = append(lines, produce(ctx, mode, topic)...)
		return append(lines, consume(ctx, mode, topic)...)
	})
}
