/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: binds the node's ports, starts worker and agent, starts
 * either again when it dies, hands sockets and channels on, and does what
 * signals say. It reads no file and sees no byte of Kafka. One thread. @thread
 * main
 */
#ifndef KP_PROXY_SUPERVISOR_SUPERVISOR_H
#define KP_PROXY_SUPERVISOR_SUPERVISOR_H

/* Command lines of both children; argv[0] is the program; NULL at the end. */
struct kp_supervisor_options {
	const char *const *worker_argv;
	const char *const *agent_argv;
};

/* Exit code of an agent that refuses what it was configured with. */
#define KP_EXIT_REFUSED 3

/*
 * kp_supervisor_main returns the exit code of the program: 0 after SIGTERM or
 * SIGINT, the agent's own if it gave up before anything was served.
 */
int kp_supervisor_main(const struct kp_supervisor_options *options);

#endif
