/* SPDX-License-Identifier: Apache-2.0 */
/* Tags for ThreadSanitizer, which does not see into gRPC. */
#include <sanitizer/tsan_interface.h>

#include "control/rpc/core_priv.h"

void
kp_rpc_tag_sent(void *tag)
{
	__tsan_release(tag);
}

void
kp_rpc_tag_came(void *tag)
{
	__tsan_acquire(tag);
}
