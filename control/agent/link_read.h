/* SPDX-License-Identifier: Apache-2.0 */
/* A link's reader: connections, streams, and what comes from them. */
#ifndef KP_CONTROL_AGENT_LINK_READ_H
#define KP_CONTROL_AGENT_LINK_READ_H

/* The reader's thread; arg is the link. */
void *kp_link_read(void *arg);

#endif
