/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between creation.c, which judges names and writes notes, and creation_told.c,
 * which reads them. Notes are a kp_notes_head, the client id, and for each
 * topic of which something is said a kp_note_head, its name, and for each
 * finding that there was room for its action, whether it is a failure (a byte
 * each), policy and text (with NUL).
 */
#ifndef KP_PROXY_GOVERN_CREATION_PRIV_H
#define KP_PROXY_GOVERN_CREATION_PRIV_H

#include "proxy/govern/creation.h"

#define KP_NOTE_MARKS 2

struct kp_notes_head {
	uint32_t client_id_len;
	uint32_t num;    /* topics */
	int16_t version; /* of the request that the broker answers */
};

struct kp_note_head {
	uint32_t len; /* of all of it */
	uint32_t name_len;
	uint32_t num_warned;
	bool is_denied;
};

#endif
