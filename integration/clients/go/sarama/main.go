// SPDX-License-Identifier: Apache-2.0

// Command sarama: modes classic and governed.
package main

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"sort"
	"sync"
	"time"

	"kproxy/clients/shared"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// For anything to happen; machines are shared.
const deadline = 180 * time.Second

// conversation gives sarama the SCRAM client that it does not bring along.
type conversation struct {
	hash scram.HashGeneratorFcn
	*scram.ClientConversation
}

func (c *conversation) Begin(user, password, authorization string) error {
	client, err := c.hash.NewClient(user, password, authorization)
	if err != nil {
		return err
	}
	c.ClientConversation = client.NewConversation()
	return nil
}

func settings() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = 45 * time.Second
	config.Producer.Timeout = 30 * time.Second
	config.Admin.Timeout = 30 * time.Second
	config.Net.ReadTimeout = 60 * time.Second
	config.Metadata.Retry.Max = 20
	config.Net.TLS.Config = shared.TLS()
	config.Net.TLS.Enable = config.Net.TLS.Config != nil
	login := shared.Credentials()
	if login.Mechanism == "" {
		return config
	}
	config.Net.SASL.Enable = true
	config.Net.SASL.User = login.User
	config.Net.SASL.Password = login.Password
	config.Net.SASL.Mechanism = sarama.SASLMechanism(login.Mechanism)
	hash := scram.HashGeneratorFcn(sha512.New)
	if login.Mechanism == "SCRAM-SHA-256" {
		hash = sha256.New
	}
	config.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient {
		return &conversation{hash: hash}
	}
	return config
}

func create(topic string) []string {
	admin, err := sarama.NewClusterAdmin(shared.Bootstrap(), settings())
	shared.Fail("admin", err)
	defer admin.Close()
	shared.Fail("create", admin.CreateTopic(topic+"-made", &sarama.TopicDetail{
		NumPartitions: shared.Partitions, ReplicationFactor: -1}, false))
	brokers, _, err := admin.DescribeCluster()
	shared.Fail("cluster", err)
	var ids []int
	for _, broker := range brokers {
		ids = append(ids, int(broker.ID()))
	}
	sort.Ints(ids)
	return []string{fmt.Sprint("nodes ", ids)}
}

func produce(topic string) []string {
	producer, err := sarama.NewSyncProducer(shared.Bootstrap(), settings())
	shared.Fail("producer", err)
	defer producer.Close()
	var lines []string
	for _, record := range shared.Records() {
		partition, offset, err := producer.SendMessage(
			&sarama.ProducerMessage{Topic: topic,
				Key:   sarama.StringEncoder(record.Key),
				Value: sarama.StringEncoder(record.Value)})
		shared.Fail("produce", err)
		lines = append(lines,
			shared.Produced(record.Key, partition, offset))
	}
	return lines
}

// reader collects the lines of all partitions and ends once it has them all.
type reader struct {
	mutex sync.Mutex // guards lines
	lines []string
	done  context.CancelFunc
}

func (r *reader) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (r *reader) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (r *reader) ConsumeClaim(session sarama.ConsumerGroupSession,
	claim sarama.ConsumerGroupClaim) error {
	for m := range claim.Messages() {
		r.mutex.Lock()
		r.lines = append(r.lines,
			shared.Consumed(m.Key, m.Value, m.Partition, m.Offset))
		session.MarkMessage(m, "")
		if len(r.lines) == len(shared.Records()) {
			session.Commit()
			r.done()
		}
		r.mutex.Unlock()
	}
	return nil
}

func consume(topic string) []string {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	r := &reader{done: cancel}
	group, err := sarama.NewConsumerGroup(shared.Bootstrap(),
		topic+"-group", settings())
	shared.Fail("group", err)
	for ctx.Err() == nil {
		err := group.Consume(ctx, []string{topic}, r)
		if ctx.Err() == nil {
			shared.Fail("consume", err)
		}
	}
	shared.Fail("close", group.Close())
	return append(r.lines, committed(topic)...)
}

func committed(topic string) []string {
	admin, err := sarama.NewClusterAdmin(shared.Bootstrap(), settings())
	shared.Fail("admin", err)
	defer admin.Close()
	found, err := admin.ListConsumerGroupOffsets(topic+"-group",
		map[string][]int32{topic: {0, 1, 2}})
	shared.Fail("offsets", err)
	var lines []string
	for partition, block := range found.Blocks[topic] {
		lines = append(lines, shared.Committed(partition, block.Offset))
	}
	return lines
}

func main() {
	shared.Main(func(mode, topic string) []string {
		if mode == "governed" {
			return runGoverned(topic)
		}
		lines := create(topic)
		lines = append(lines, produce(topic)...)
		return append(lines, consume(topic)...)
	})
}
