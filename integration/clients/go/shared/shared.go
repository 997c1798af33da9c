// SPDX-License-Identifier: Apache-2.0

// Package shared has what both programs need: arguments, records, output.
//
// Usage: PROGRAM BOOTSTRAP NAME MODE...
// The topics NAME-MODE, with three partitions, must be there already; for mode
// governed NAME-MODE-grown, NAME-MODE-kept and NAME-MODE-gone.
// Environment: CLIENT_SASL=MECHANISM:USER:PASSWORD, CLIENT_CA=FILE.
package shared

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sort"
	"strings"
)

// Partitions of every topic that a program creates.
const Partitions = 3

// Record is a key and a value as every client program sends them.
type Record struct{ Key, Value string }

// Login is a mechanism with its user and password; empty without SASL.
type Login struct{ Mechanism, User, Password string }

// Fail ends the program when err is set.
func Fail(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, what+":", err)
		os.Exit(1)
	}
}

// Bootstrap returns the addresses of the first argument.
func Bootstrap() []string {
	return strings.Split(os.Args[1], ",")
}

// Credentials returns the login that the environment asks for.
func Credentials() Login {
	part := strings.SplitN(os.Getenv("CLIENT_SASL"), ":", 3)
	if len(part) < 3 {
		return Login{}
	}
	return Login{part[0], part[1], part[2]}
}

// TLS returns nil when the environment names no CA.
func TLS() *tls.Config {
	file := os.Getenv("CLIENT_CA")
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	Fail("ca", err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool}
}

// Records returns small records and a large one.
func Records() []Record {
	var records []Record
	for i := 0; i < 10; i++ {
		records = append(records,
			Record{fmt.Sprint("k", i), fmt.Sprint("v", i)})
	}
	var large strings.Builder
	for i := 0; i < 100000; i++ {
		fmt.Fprintf(&large, "%d ", i)
	}
	return append(records, Record{"large", large.String()})
}

func shown(value []byte) string {
	if len(value) < 100 {
		return string(value)
	}
	sum := sha256.Sum256(value)
	return fmt.Sprintf("%d characters, hash %x", len(value), sum[:8])
}

// Produced is the line for a record that was sent.
func Produced(key string, partition int32, offset int64) string {
	return fmt.Sprintf("produced %s partition %d offset %d", key, partition,
		offset)
}

// Consumed is the line for a record that was read.
func Consumed(key, value []byte, partition int32, offset int64) string {
	return fmt.Sprintf("consumed %s = %s partition %d offset %d", key,
		shown(value), partition, offset)
}

// Committed is the line for an offset of a group.
func Committed(partition int32, offset int64) string {
	return fmt.Sprintf("committed partition %d offset %d", partition, offset)
}

// Outcome is the line for a part of a call; no code: it succeeded.
func Outcome(what, name, code, message string) string {
	if code == "" {
		return fmt.Sprintf("%s %s: ok", what, name)
	}
	return fmt.Sprintf("%s %s: %s: %s", what, name, code, message)
}

// Main runs each mode with a topic of its own and prints its sorted lines.
func Main(run func(mode, topic string) []string) {
	for _, mode := range os.Args[3:] {
		fmt.Println("==", mode)
		lines := run(mode, os.Args[2]+"-"+mode)
		sort.Strings(lines)
		for _, line := range lines {
			fmt.Println(line)
		}
	}
}
