/* SPDX-License-Identifier: Apache-2.0 */
/* The agent process from its first to its last line. @thread main */
#ifndef KP_CONTROL_AGENT_AGENT_H
#define KP_CONTROL_AGENT_AGENT_H

/* Exit code for a configuration that is refused. */
#define KP_AGENT_EXIT_REFUSED 3

struct kp_link_api;

struct kp_agent_start {
	const char *config_path;
	int supervisor_fd, metrics_fd; /* taken over */
	/* NULL in a program without gRPC, which becomes the one with it
	 * (kpagent-grpc, beside this one) for a node that has policy servers */
	const struct kp_link_api *link_api;
};

/*
 * kp_agent_main serves the node until the supervisor says stop. Returns the
 * exit code: 0, 1 if something failed, KP_AGENT_EXIT_REFUSED if there is
 * nothing to serve from.
 */
int kp_agent_main(const struct kp_agent_start *start);

/* kp_agent_check says what is wrong with the files; returns the exit code. */
int kp_agent_check(const char *config_path, const struct kp_link_api *link_api);

#endif
