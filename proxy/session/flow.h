/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes in one direction of a connection. A flow reads from one stream into a
 * window (a buffer of the pool, held only while bytes are in it), cuts it into
 * frames, and writes what is to go on to the other stream: mostly the same
 * bytes by reference, in few writes. What a frame needs is decided at its
 * beginning by the flow's owner (kp_flow_begin_fn).
 *
 * A flow never reads while it has something to write, so a slow reader holds
 * back the sender and nothing piles up. Nothing it refers to moves or is freed
 * before it is written. @thread connection
 */
#ifndef KP_PROXY_SESSION_FLOW_H
#define KP_PROXY_SESSION_FLOW_H

#include "proto/kafka/header.h"
#include "proto/kafka/walker.h"
#include "proxy/net/pipe.h"
#include "proxy/net/stream.h"

enum kp_flow_mode {
	KP_FLOW_BEGIN,   /* at the first byte of a frame */
	KP_FLOW_PASS,    /* frame_left bytes go on as they are */
	KP_FLOW_DISCARD, /* frame_left bytes are left out */
	KP_FLOW_PIECES,  /* the body is walked as it comes */
	KP_FLOW_COLLECT, /* all of frame_left is needed at once */
};

/* What kp_flow_run came to. */
enum kp_flow_status {
	KP_FLOW_WANTS_READ,
	KP_FLOW_WANTS_WRITE,
	KP_FLOW_HELD,   /* begin said so: call again when that has changed */
	KP_FLOW_YIELD,  /* had its turn; there may be more */
	KP_FLOW_CLOSED, /* the sender has closed; everything is written */
	KP_FLOW_FAILED, /* reading, or what was read; err */
	KP_FLOW_BROKEN, /* writing; err */
};

/* What begin came to. */
enum kp_begin {
	KP_BEGIN_OK, /* the flow is set up, or something was added */
	KP_BEGIN_MORE,
	KP_BEGIN_HOLD,
	KP_BEGIN_FAILED,
};

/* What may come next. */
enum kp_ready {
	KP_READY,      /* the next frame */
	KP_READY_DUE,  /* something of the owner's: ask begin at once */
	KP_READY_HOLD, /* nothing, and nothing is read */
};

struct kp_flow;

struct kp_flow_owner {
	enum kp_ready (*ready)(void *session);
	/*
	 * begin looks at the bytes at the start of a frame and sets up the flow
	 * for it with kp_flow_pass and the like; or it adds something of its
	 * own that comes before that frame (there may be no bytes then).
	 */
	enum kp_begin (*begin)(void *session, struct kp_flow *flow,
	    const uint8_t *data, size_t len, struct kp_error *err);
	/*
	 * collected gets a frame that begin asked to collect, and adds what
	 * goes on instead of it with kp_flow_add…; frame stays until that is
	 * written.
	 */
	bool (*collected)(void *session, struct kp_flow *flow,
	    struct kp_bytes frame, struct kp_error *err);
	void *session;
	enum kp_memory_part part; /* that frames which are held belong to */
};

#define KP_FLOW_SPANS 12
/* Enough for nearly every header, little to copy. */
#define KP_FLOW_PEEK_LEN 4096
/* The longest head of our own: a request of ours with nothing in it. */
#define KP_FLOW_HEAD_LEN KP_EMPTY_REQUEST_LEN
/* A frame that moves less than this in requestTimeout is stuck, and so is a
 * reader that takes less in writeTimeout. */
#define KP_FLOW_PROGRESS_LEN (64u * 1024)

struct kp_flow {
	struct kp_flow_owner owner;
	struct kp_stream *from, *to;
	const int64_t *now_ns; /* when the thread last woke up */
	struct kp_share *share;
	struct kp_pipes *pipes;

	uint8_t *window; /* KP_BUFFER_LEN bytes, or NULL while empty */
	size_t start, end;
	struct kp_pipe *pipe; /* what is in it goes on next; mostly NULL */

	enum kp_flow_mode mode;
	size_t frame_left; /* of the frame, prefix included, not yet taken */
	bool is_bulky;     /* the newest frame was a long one */
	bool is_tail;      /* what is collected is the tail of a walk */
	struct kp_walker walker;
	struct kp_visitor tail_visitor; /* lengths may change in the tail */
	uint8_t *large; /* a frame that does not fit into the window */
	size_t large_len, large_have;

	/* what the owner wants to remember of the frame */
	int16_t api_key, api_version;
	size_t header_len;              /* without the prefix */
	uint8_t head[KP_FLOW_HEAD_LEN]; /* what goes on instead of its head */

	struct kp_rewrite rewrite;
	size_t charged_len; /* for it */
	struct kp_buf kept; /* owned bytes that are being written */
	struct iovec inline_spans[KP_FLOW_SPANS];
	struct iovec *spans; /* inline_spans or heap */
	size_t max_spans, num_spans, next_span;
	bool is_sealed; /* nothing more is added before all is written */

	int64_t read_ns;      /* when the newest bytes came */
	int64_t begun_ms;     /* when the frame at hand began; 0 outside */
	int64_t progress_ms;  /* last good progress inside a frame; 0 outside */
	size_t progress_len;  /* since then */
	int64_t blocked_ms;   /* since when the reader takes too little; 0 */
	size_t blocked_len;   /* what it took since then */
	uint64_t written_len; /* in all */
	unsigned num_begun;   /* frames begun since the last complete write */
	int64_t added_ns;     /* how long the last complete write took since its
			       * bytes came; 0 once the owner has noted it */
};

void kp_flow_init(struct kp_flow *flow, const struct kp_flow_owner *owner,
    struct kp_stream *from, struct kp_stream *to, struct kp_share *share,
    struct kp_pipes *pipes, const int64_t *now_ns);
void kp_flow_fini(struct kp_flow *flow); /* also a second time */

/* kp_flow_run goes on until it has to wait for something. */
enum kp_flow_status kp_flow_run(struct kp_flow *flow, struct kp_error *err);

/* kp_flow_is_idle: between frames, nothing read and nothing to write. */
bool kp_flow_is_idle(const struct kp_flow *flow);
bool kp_flow_has_unwritten(const struct kp_flow *flow);

/*
 * kp_flow_take_head, for begin: the first head_len bytes of the frame, which
 * are there, go on as they are (or, if new_len is not 0, the first new_len
 * bytes of flow->head instead of them). What follows is said of the rest of the
 * frame.
 */
void kp_flow_take_head(struct kp_flow *flow, size_t head_len, size_t new_len);

/* For begin: what happens to the frame of frame_len bytes, prefix included. */
void kp_flow_pass(struct kp_flow *flow, size_t frame_len);
void kp_flow_discard(struct kp_flow *flow, size_t frame_len);
/* Fails with KP_ERR_LIMIT when there is no memory for it. */
bool kp_flow_collect(
    struct kp_flow *flow, size_t frame_len, struct kp_error *err) KP_MUST_CHECK;
/*
 * After kp_flow_take_head: the body of that message (of the flow's api_version)
 * is walked by visitor; if tail_visitor is not NULL its tail is walked whole by
 * that.
 */
void kp_flow_pieces(struct kp_flow *flow, size_t body_len,
    const struct kp_message *message, const struct kp_visitor *visitor,
    const struct kp_visitor *tail_visitor);

/* kp_flow_add appends bytes that stay until they are written. */
void kp_flow_add(struct kp_flow *flow, const void *data, size_t len);

/*
 * kp_flow_add_head appends the first len bytes of flow->head; of what comes
 * after this frame nothing is added before that is written.
 */
void kp_flow_add_head(struct kp_flow *flow, size_t len);

/*
 * kp_flow_add_rewrite appends the spans of flow->rewrite; nothing else is added
 * before they are written. Fails with KP_ERR_LIMIT when that takes more memory
 * than there may be.
 */
bool kp_flow_add_rewrite(
    struct kp_flow *flow, struct kp_error *err) KP_MUST_CHECK;

/* kp_flow_add_answer appends the content of buf and takes it over. */
void kp_flow_add_answer(struct kp_flow *flow, struct kp_buf *buf);

/*
 * kp_flow_keep takes buf over until all is written, for what is added of it.
 * Returns its content.
 */
struct kp_bytes kp_flow_keep(struct kp_flow *flow, struct kp_buf *buf);

#endif
