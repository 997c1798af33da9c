/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free text that may name a broker: error messages and configuration values.
 * Known addresses are replaced by the ones clients know; what cannot be mapped
 * is blanked. @thread connection
 */
#ifndef KP_PROXY_RENAME_SCRUB_H
#define KP_PROXY_RENAME_SCRUB_H

#include "proxy/rename/view.h"

/* Texts longer than this are cut: no broker writes such. */
#define KP_SCRUB_MAX_TEXT 65536

struct kp_scrub {
	const struct kp_tables_listener *listener;
	struct kp_topology *topology;
};

/*
 * kp_scrub_text writes text to out with every address of a known node or
 * bootstrap server replaced by the one clients are given for it. Returns false,
 * with out untouched, if text names none.
 */
bool kp_scrub_text(
    const struct kp_scrub *scrub, struct kp_bytes text, struct kp_buf *out);

/*
 * kp_scrub_in_place overwrites such addresses with '*' where the length may not
 * change. Returns true if it found any.
 */
bool kp_scrub_in_place(const struct kp_scrub *scrub, uint8_t *text, size_t len);

/*
 * kp_scrub_is_address_config tells whether a broker configuration of that name
 * has endpoints as its value (advertised.listeners and the like).
 */
bool kp_scrub_is_address_config(struct kp_bytes name);

/*
 * kp_scrub_listeners writes a list "NAME://host:port,…" to out with every
 * endpoint replaced by the address that clients are given for node id; or
 * nothing if that node has none.
 */
void kp_scrub_listeners(const struct kp_scrub *scrub, int32_t id,
    struct kp_bytes value, struct kp_buf *out);

#endif
