/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SASL frames of a client: handshake, tokens bare and inside requests, in any
 * order and of any content. The first byte chooses what the rest is.
 */
#include <stdlib.h>

#include "proxy/admit/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One step of an exchange; what is refused changes nothing that matters. */
static bool
step(struct kp_sasl *sasl, uint8_t choice, struct kp_bytes bytes)
{
	int16_t version = (int16_t)(choice >> 4 & 1);
	struct kp_error err;

	switch (choice % 6) {
	case 0:
		return kp_sasl_on_handshake(sasl, version, bytes, &err);
	case 1:
		return kp_sasl_on_handshake_answer(sasl, version, bytes, &err);
	case 2:
		return kp_sasl_on_authenticate(sasl, version, bytes, &err);
	case 3:
		return kp_sasl_on_authenticate_answer(
		    sasl, version, bytes, &err);
	case 4:
		return kp_sasl_on_token(sasl, bytes, &err);
	default:
		return kp_sasl_is_token(sasl, bytes, bytes.len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_sasl sasl = { .phase = KP_SASL_NONE };

	/* steps of one length byte, one choice, and that many bytes */
	while (size > 2) {
		size_t len = data[0] < size - 2 ? data[0] : size - 2;
		struct kp_bytes bytes = { data + 2, len };

		(void)step(&sasl, data[1], bytes);
		if (memchr(sasl.principal, '\0', sizeof(sasl.principal)) ==
		    NULL)
			abort();
		data += 2 + len;
		size -= 2 + len;
	}
	return 0;
}
