/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of kpagent, the same for both of its programs. */
#ifndef KP_CONTROL_AGENT_COMMAND_H
#define KP_CONTROL_AGENT_COMMAND_H

struct kp_link_api;

/* kp_agent_command is main; link_api is NULL in the program without gRPC. */
int kp_agent_command(int argc, char **argv, const struct kp_link_api *link_api);

#endif
