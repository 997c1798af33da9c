/* SPDX-License-Identifier: Apache-2.0 */
/* Tags in builds without ThreadSanitizer: nothing to say. */
#include "control/rpc/core_priv.h"

void
kp_rpc_tag_sent(void *tag)
{
	(void)tag;
}

void
kp_rpc_tag_came(void *tag)
{
	(void)tag;
}
