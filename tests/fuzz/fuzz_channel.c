/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process that an attacker took over may send: any bytes, cut anywhere.
 * The first byte says how many go into each write.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/control/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads all there is; false once the channel has failed. */
static bool
read_all(struct kp_channel *channel)
{
	struct kp_channel_message message;
	enum kp_channel_result result;
	struct kp_error err;

	do {
		result = kp_channel_receive(channel, &message, 0, &err);
		kp_channel_message_fini(&message);
	} while (result == KP_CHANNEL_MESSAGE);
	return result == KP_CHANNEL_NOTHING;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_channel channel;
	struct kp_error err;
	size_t step, at = 1;
	int fds[2];

	if (size < 2)
		return 0;
	if (!kp_channel_pair(fds, &err))
		abort();
	step = (size_t)data[0] + 1;
	kp_channel_init(&channel, fds[1], 4096);
	while (at < size) {
		size_t len = size - at < step ? size - at : step;

		if (write(fds[0], data + at, len) != (ssize_t)len)
			abort();
		at += len;
		if (!read_all(&channel))
			break;
	}
	(void)close(fds[0]);
	if (read_all(&channel) && at == size)
		abort(); /* the end of the stream was not noticed */
	kp_channel_fini(&channel);
	return 0;
}
