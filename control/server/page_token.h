/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a list goes on: the revision that all pages are of, and the last name
 * of the page before, bound to what was asked for. To clients it is a text
 * without meaning; a text that we did not make, or for another list, is found
 * out.
 * @thread any
 */
#ifndef KP_CONTROL_SERVER_PAGE_TOKEN_H
#define KP_CONTROL_SERVER_PAGE_TOKEN_H

#include <stdint.h>

#include "base/error.h"
#include "control/server/store.h"

struct kp_page_token {
	uint64_t revision;
	char kind[KP_STORE_MAX_NAME_LEN + 1];
	char name[KP_STORE_MAX_NAME_LEN + 1];
};

/* Digits for a digest, a number, two names and what separates them. */
#define KP_PAGE_TOKEN_SIZE (2 * (16 + 8 + 2 * (KP_STORE_MAX_NAME_LEN + 1)) + 1)

/* kp_page_token_write: question is all that the list was asked with. */
void kp_page_token_write(const struct kp_page_token *token,
    const char *question, char out[KP_PAGE_TOKEN_SIZE]);

/* kp_page_token_read fails with KP_ERR_PROTOCOL. */
bool kp_page_token_read(struct kp_page_token *out, const char *text,
    const char *question, struct kp_error *err) KP_MUST_CHECK;

#endif
