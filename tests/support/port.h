/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports for those who cannot listen on port 0. kp_test_port is one of 127.0.0.1
 * that nobody listens on, below those that the kernel takes for connections: it
 * may be listened on later, and anew. @thread any
 */
#ifndef KP_TESTS_SUPPORT_PORT_H
#define KP_TESTS_SUPPORT_PORT_H

#include <stdint.h>

uint16_t kp_test_port(void);

#endif
