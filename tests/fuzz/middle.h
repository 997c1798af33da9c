/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two streams with somebody in between who changes bytes on their way. All of
 * it is one thread: each call does what can be done now. @thread main
 */
#ifndef KP_TESTS_FUZZ_MIDDLE_H
#define KP_TESTS_FUZZ_MIDDLE_H

#include "proto/kafka/reader.h"
#include "proxy/net/stream.h"
#include "proxy/net/tls.h"

enum kp_edit_kind {
	KP_EDIT_SET,
	KP_EDIT_FLIP,
	KP_EDIT_INSERT,
	KP_EDIT_DROP, /* so many bytes */
	KP_NUM_EDITS,
};

/* What happens to the byte at some place of one direction. */
struct kp_edit {
	bool is_to_server;
	enum kp_edit_kind kind;
	uint16_t at;
	uint8_t value;
};

#define KP_MAX_EDITS 16

struct kp_middle {
	struct kp_stream client, server;
	enum kp_io client_io, server_io; /* of the handshake */
	int client_fd, server_fd;        /* the ends in between */
	size_t to_client_len, to_server_len;
	struct kp_edit edits[KP_MAX_EDITS];
	unsigned num_edits;
};

/* kp_middle_init connects both; edits come from script, 4 bytes each. */
void kp_middle_init(struct kp_middle *out, struct kp_tls_server *server,
    struct kp_tls_client *client, struct kp_reader *script);
void kp_middle_fini(struct kp_middle *middle);

/* kp_middle_greet goes on until both handshakes are done or have failed. */
void kp_middle_greet(struct kp_middle *middle);

/*
 * kp_middle_say sends text, of which nothing but a prefix may arrive. True if
 * all of it did.
 */
bool kp_middle_say(
    struct kp_middle *middle, bool is_to_server, struct kp_bytes text);

#endif
