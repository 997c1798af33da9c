/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client is told of an item that policies refuse: one sentence of all
 * that they say against it, and one of Kafka's errors. @thread any
 */
#ifndef KP_RULES_GOVERN_SENTENCE_H
#define KP_RULES_GOVERN_SENTENCE_H

#include "rules/govern/judge.h"

/* Bytes of a sentence. */
#define KP_SENTENCE_MAX_LEN 4096

/*
 * kp_sentence_add adds a finding to the sentence about an item, if it is a
 * denial. What has no room is left out, and is no failure.
 */
void kp_sentence_add(struct kp_buf *sentence, const struct kp_finding *finding);

/* kp_sentence_has_place: do answers of that version have one for it? */
bool kp_sentence_has_place(const struct kp_object_api *api, int16_t version);

/* kp_sentence_error is Kafka's name of the code of an API (objects.h):
 * "POLICY_VIOLATION". */
const char *kp_sentence_error(int16_t code);

#endif
