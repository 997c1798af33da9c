/* SPDX-License-Identifier: Apache-2.0 */
/* The program kpagent-grpc: kpagent with a link to policy servers. */
#include "control/agent/command.h"
#include "control/agent/link.h"

int
main(int argc, char **argv)
{
	return kp_agent_command(argc, argv, &kp_link_grpc);
}
