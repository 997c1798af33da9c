/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node measures: the table behind the shared segment (base/metrics.h).
 * The worker writes nearly all of it, the supervisor the restarts, the agent
 * the refusals; the agent renders it. A new row is one line of KP_NODE_METRICS,
 * a new reason one line of the list it belongs to. @thread any: all of it is
 * constant
 */
#ifndef KP_PROTO_CONTROL_NODE_METRICS_H
#define KP_PROTO_CONTROL_NODE_METRICS_H

#include <stdint.h>

#include "base/metrics.h"

/* clang-format off */

/* Why a client connection ended. X(id, label) */
#define KP_CLOSE_REASONS(X) \
	X(CLIENT_CLOSED,         "client_closed") \
	X(BROKER_CLOSED,         "broker_closed") \
	X(IDLE_TIMEOUT,          "idle_timeout") \
	X(FIRST_REQUEST_TIMEOUT, "first_request_timeout") \
	X(HANDSHAKE_TIMEOUT,     "handshake_timeout") \
	X(REQUEST_TIMEOUT,       "request_timeout") \
	X(WRITE_TIMEOUT,         "write_timeout") \
	X(PROTOCOL_ERROR,        "protocol_error") \
	X(UNSUPPORTED_API,       "unsupported_api") \
	X(FRAME_TIMEOUT,         "frame_timeout") \
	X(FRAME_TOO_LARGE,       "frame_too_large") \
	X(MEMORY_LIMIT,          "memory_limit") \
	X(CONNECTION_MEMORY,     "connection_memory_limit") \
	X(CONNECTION_LIMIT,      "connection_limit") \
	X(ADDRESS_LIMIT,         "address_limit") \
	X(OPENING_LIMIT,         "opening_limit") \
	X(VIRTUAL_CLUSTER_LIMIT, "virtual_cluster_limit") \
	X(TLS_ERROR,             "tls_error") \
	X(UPSTREAM_UNAVAILABLE,  "upstream_unavailable") \
	X(UNKNOWN_NODE,          "unknown_node") \
	X(PROXY_PROTOCOL,        "proxy_protocol") \
	X(DRAIN,                 "drain") \
	X(INTERNAL,              "internal")

/* Why the proxy answered a request itself. X(id, label) */
#define KP_LOCAL_ANSWERS(X) \
	X(UNSUPPORTED_VERSION, "unsupported_version") \
	X(UNSUPPORTED_API,     "unsupported_api") \
	X(KNOWN_ANSWER,        "known_answer") \
	X(REFUSED,             "refused")

/* What policies said of items of requests. X(id, label) */
#define KP_DECISIONS(X) \
	X(ALLOWED,    "allowed") \
	X(WARNED,     "warned") \
	X(DENIED,     "denied") \
	X(OVERRIDDEN, "overridden")

/* What was rewritten in answers. X(id, label) */
#define KP_REWRITES(X) \
	X(ADDRESS,  "address") \
	X(TEXT,     "text") \
	X(LEFT_OUT, "left_out")

#define KP_TRAFFIC_DIRECTIONS(X) \
	X(REQUEST, "request") \
	X(ANSWER,  "response")

/* How record batches are compressed. X(id, label), in the order of Kafka. */
#define KP_CODEC_LABELS(X) \
	X(NONE,    "none") \
	X(GZIP,    "gzip") \
	X(SNAPPY,  "snappy") \
	X(LZ4,     "lz4") \
	X(ZSTD,    "zstd") \
	X(UNKNOWN, "unknown")

/* Who shook hands with us. */
#define KP_TLS_SIDES(X) \
	X(CLIENT, "client") \
	X(BROKER, "broker")

#define KP_TLS_RESULTS(X) \
	X(OK,      "ok",    "false") \
	X(RESUMED, "ok",    "true") \
	X(FAILED,  "error", "false")

/* The processes that the supervisor starts again when they die. */
#define KP_CHILDREN(X) \
	X(WORKER, "worker") \
	X(AGENT,  "agent")

/*
 * X(id, name, kind, series, labels, is_sparse, help); labels is a function of
 * node_metrics.c or NULL.
 */
#define KP_NODE_METRICS(X) \
	X(CONNECTIONS, "kproxy_connections", GAUGE, 1, NULL, false, \
	    "Client connections that are open.") \
	X(CONNECTIONS_TOTAL, "kproxy_connections_total", COUNTER, 1, NULL, \
	    false, "Client connections that were accepted.") \
	X(CLOSED, "kproxy_connections_closed_total", COUNTER, \
	    KP_NUM_CLOSE_REASONS, close_labels, false, \
	    "Client connections that ended, by reason.") \
	X(REQUESTS, "kproxy_requests_total", COUNTER, KP_NUM_API_SERIES, \
	    api_labels, true, "Requests that clients sent, by API.") \
	X(RESPONSES, "kproxy_responses_total", COUNTER, KP_NUM_API_SERIES, \
	    api_labels, true, "Responses sent to clients, by API.") \
	X(REQUEST_BYTES, "kproxy_request_bytes_total", COUNTER, \
	    KP_NUM_API_SERIES, api_labels, true, \
	    "Bytes of requests as clients sent them, by API.") \
	X(RESPONSE_BYTES, "kproxy_response_bytes_total", COUNTER, \
	    KP_NUM_API_SERIES, api_labels, true, \
	    "Bytes of responses as sent to clients, by API.") \
	X(LOCAL_ANSWERS, "kproxy_local_answers_total", COUNTER, \
	    KP_NUM_LOCAL_ANSWERS, local_labels, false, \
	    "Requests answered by the proxy itself, by reason.") \
	X(ERRORS, "kproxy_errors_total", COUNTER, KP_NUM_ERROR_KINDS, \
	    error_labels, false, "Errors on connections, by kind.") \
	X(IN_FLIGHT, "kproxy_requests_in_flight", GAUGE, 1, NULL, false, \
	    "Requests that have no response yet.") \
	X(IN_FLIGHT_REACHED, "kproxy_in_flight_limit_reached_total", COUNTER, \
	    1, NULL, false, \
	    "Times a client was not read because of limits.inFlight.") \
	X(OPENING, "kproxy_connections_opening", GAUGE, 1, NULL, false, \
	    "Client connections that have not sent a request yet.") \
	X(BUFFER_BYTES, "kproxy_buffer_bytes", GAUGE, 1, NULL, false, \
	    "Bytes in buffers of all connections.") \
	X(BUFFER_LIMIT, "kproxy_buffer_limit_bytes", GAUGE, 1, NULL, false, \
	    "Limit of kproxy_buffer_bytes.") \
	X(ADDED_TIME, "kproxy_frame_added_seconds", HISTOGRAM, \
	    KP_NUM_TRAFFIC_DIRECTIONS, direction_labels, false, \
	    "Time that the proxy added to a frame.") \
	X(TLS_HANDSHAKES, "kproxy_tls_handshakes_total", COUNTER, \
	    KP_NUM_TLS_SIDES * KP_NUM_TLS_RESULTS, tls_labels, false, \
	    "TLS handshakes, by peer and result.") \
	X(SNAPSHOTS_ALIVE, "kproxy_snapshots_alive", GAUGE, 1, NULL, false, \
	    "Rule tables that some connection still holds.") \
	X(SNAPSHOT_GENERATION, "kproxy_snapshot_generation", GAUGE, 1, NULL, \
	    false, "Generation of the rule tables in force.") \
	X(SNAPSHOT_PUBLISHED, "kproxy_snapshot_published_timestamp_seconds", \
	    GAUGE, 1, NULL, false, \
	    "When the rule tables in force were published.") \
	X(NODES_UNMAPPED, "kproxy_nodes_unmapped_total", COUNTER, 1, NULL, \
	    false, "Nodes left out of answers: listener has no address.") \
	X(DECISIONS, "kproxy_policy_decisions_total", COUNTER, \
	    KP_NUM_DECISIONS, decision_labels, false, \
	    "Items of requests that policies were asked about; warned: " \
	    "findings that did not keep an item from passing; overridden: " \
	    "items that passed as policies changed them.") \
	X(REWRITES, "kproxy_address_rewrites_total", COUNTER, \
	    KP_NUM_REWRITES, rewrite_labels, false, \
	    "Places in answers that named a broker, by what was done.") \
	X(BATCHES, "kproxy_record_batches_total", COUNTER, \
	    KP_NUM_TRAFFIC_DIRECTIONS * KP_NUM_CODEC_LABELS, codec_labels, \
	    true, "Record batches in Produce requests and Fetch responses.") \
	X(BATCH_BYTES, "kproxy_record_batch_bytes_total", COUNTER, \
	    KP_NUM_TRAFFIC_DIRECTIONS * KP_NUM_CODEC_LABELS, codec_labels, \
	    true, "Bytes of these batches, compressed as they are.") \
	X(RECORDS, "kproxy_records_total", COUNTER, \
	    KP_NUM_TRAFFIC_DIRECTIONS, direction_labels, false, \
	    "Records in these batches, as their headers say.") \
	X(BATCHES_MALFORMED, "kproxy_record_batches_malformed_total", COUNTER, \
	    KP_NUM_TRAFFIC_DIRECTIONS, direction_labels, false, \
	    "Record fields with bytes that are no batch.") \
	X(RESTARTS, "kproxy_process_restarts_total", COUNTER, \
	    KP_NUM_CHILDREN, child_labels, false, \
	    "Times the supervisor started a process again.") \
	X(CONFIG_REFUSED, "kproxy_config_refused_total", COUNTER, 1, NULL, \
	    false, "Changes of configuration that were refused.")

/* clang-format on */

#define KP_CLOSE_ID(id, label) KP_CLOSE_##id,
enum kp_close_reason { KP_CLOSE_REASONS(KP_CLOSE_ID) KP_NUM_CLOSE_REASONS };
#undef KP_CLOSE_ID

#define KP_LOCAL_ID(id, label) KP_LOCAL_##id,
enum kp_local_answer { KP_LOCAL_ANSWERS(KP_LOCAL_ID) KP_NUM_LOCAL_ANSWERS };
#undef KP_LOCAL_ID

#define KP_DECIDED_ID(id, label) KP_DECIDED_##id,
enum kp_decision_label { KP_DECISIONS(KP_DECIDED_ID) KP_NUM_DECISIONS };
#undef KP_DECIDED_ID

#define KP_REWRITE_ID(id, label) KP_REWRITE_##id,
enum kp_rewrite_kind { KP_REWRITES(KP_REWRITE_ID) KP_NUM_REWRITES };
#undef KP_REWRITE_ID

#define KP_TRAFFIC_ID(id, label) KP_TRAFFIC_##id,
enum kp_traffic {
	KP_TRAFFIC_DIRECTIONS(KP_TRAFFIC_ID) KP_NUM_TRAFFIC_DIRECTIONS
};
#undef KP_TRAFFIC_ID

#define KP_CODEC_LABEL_ID(id, label) KP_CODEC_LABEL_##id,
enum kp_codec_label { KP_CODEC_LABELS(KP_CODEC_LABEL_ID) KP_NUM_CODEC_LABELS };
#undef KP_CODEC_LABEL_ID

#define KP_TLS_SIDE_ID(id, label) KP_TLS_SIDE_##id,
enum kp_tls_side { KP_TLS_SIDES(KP_TLS_SIDE_ID) KP_NUM_TLS_SIDES };
#undef KP_TLS_SIDE_ID

#define KP_TLS_RESULT_ID(id, result, resumed) KP_TLS_RESULT_##id,
enum kp_tls_result { KP_TLS_RESULTS(KP_TLS_RESULT_ID) KP_NUM_TLS_RESULTS };
#undef KP_TLS_RESULT_ID

#define KP_CHILD_ID(id, label) KP_CHILD_##id,
enum kp_child_role { KP_CHILDREN(KP_CHILD_ID) KP_NUM_CHILDREN };
#undef KP_CHILD_ID

/* One series for each API key, the last one for keys that are none. */
#define KP_NUM_API_SERIES (94 + 2)

#define KP_METRIC_ID(id, ...) KP_M_##id,
enum kp_node_metric { KP_NODE_METRICS(KP_METRIC_ID) KP_NUM_NODE_METRICS };
#undef KP_METRIC_ID

extern const struct kp_metric_table kp_node_metrics;

/* Label of a reason, for log lines that say the same as the counter. */
const char *kp_close_reason_name(enum kp_close_reason reason);

/* The series of an API. */
unsigned kp_metric_of_api(int16_t api_key);

/* The series of a batch; codec is the number in its attributes. */
unsigned kp_metric_of_codec(enum kp_traffic direction, int codec);

/* The series of a TLS handshake. */
unsigned kp_metric_of_tls(enum kp_tls_side side, enum kp_tls_result result);

#endif
