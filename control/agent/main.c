/* SPDX-License-Identifier: Apache-2.0 */
/* The program kpagent, without gRPC: for a node with policy servers it becomes
 * kpagent-grpc. */
#include <stddef.h>

#include "control/agent/command.h"

int
main(int argc, char **argv)
{
	return kp_agent_command(argc, argv, NULL);
}
