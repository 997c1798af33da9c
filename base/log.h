/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured log on stderr: an event name and typed fields, one line per fact;
 * human form on a terminal, JSON lines otherwise. Levels: error = someone must
 * act, warn = we coped, info = state change, debug = per request. Secrets and
 * record contents have no field type. Text from peers is escaped and cut to
 * KP_LOG_MAX_TEXT bytes. @thread any
 *
 * Every event has at least one field.
 *
 *	kp_log(KP_LOG_INFO, "client_connected", KP_STR("peer", peer),
 *	    KP_INT("conn", id));
 */
#ifndef KP_BASE_LOG_H
#define KP_BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define KP_LOG_MAX_TEXT 256

enum kp_log_level { KP_LOG_ERROR, KP_LOG_WARN, KP_LOG_INFO, KP_LOG_DEBUG };
enum kp_log_format { KP_LOG_AUTO, KP_LOG_HUMAN, KP_LOG_JSON };

enum kp_log_field_kind { KP_LOG_END, KP_LOG_TEXT, KP_LOG_NUMBER, KP_LOG_BYTES };

struct kp_log_field {
	enum kp_log_field_kind kind;
	const char *name;
	const char *text;
	int64_t number;
	struct kp_bytes bytes;
};

#define KP_STR(name_, text_) \
	((struct kp_log_field){ \
	    .kind = KP_LOG_TEXT, .name = (name_), .text = (text_) })
#define KP_INT(name_, number_) \
	((struct kp_log_field){ .kind = KP_LOG_NUMBER, \
	    .name = (name_), \
	    .number = (int64_t)(number_) })
#define KP_BYTES(name_, bytes_) \
	((struct kp_log_field){ \
	    .kind = KP_LOG_BYTES, .name = (name_), .bytes = (bytes_) })

/*
 * kp_log_init names the process ("worker") in every line and sets the form; it
 * may be called again to change them. process is borrowed for good. Before the
 * first call: level info, form automatic, no process name.
 */
void kp_log_init(
    const char *process, enum kp_log_format format, enum kp_log_level level);

bool kp_log_is_on(enum kp_log_level level);

/* kp_log_level_of reads "error", "warn", "info" or "debug"; false otherwise. */
bool kp_log_level_of(const char *text, enum kp_log_level *out) KP_MUST_CHECK;
/* kp_log_format_of reads "auto", "human" or "json"; false otherwise. */
bool kp_log_format_of(const char *text, enum kp_log_format *out) KP_MUST_CHECK;

#define kp_log(level, event, ...) \
	do { \
		if (kp_log_is_on(level)) \
			kp_log_write((level), (event), \
			    (const struct kp_log_field[]){ \
				__VA_ARGS__, (struct kp_log_field){ 0 } }); \
	} while (0)

/* kp_log_write writes one line; fields end with kind KP_LOG_END. */
void kp_log_write(enum kp_log_level level, const char *event,
    const struct kp_log_field *fields);

/*
 * A limiter lets KP_LOG_PER_SECOND lines of one event through each second and
 * counts the rest, which the next line reports as suppressed=N. Give each place
 * that a peer can trigger a static one.
 */
#define KP_LOG_PER_SECOND 10
struct kp_log_limiter {
	_Atomic int64_t second;
	atomic_uint lines;
	atomic_uint suppressed;
};

/* kp_log_admit: true if the line may be written; adds what was suppressed. */
bool kp_log_admit(struct kp_log_limiter *limiter, uint64_t *suppressed);

#endif
