/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look into the worker's sandbox, always from a child process: there is no
 * way out. @thread main
 */
#ifndef KP_TESTS_SUPPORT_INSIDE_H
#define KP_TESTS_SUPPORT_INSIDE_H

#include <netinet/in.h>
#include <stdbool.h>

#include "proxy/link/sandbox.h"

#define KP_NOBODY 65534
/* Exit code of a child that could not enter. */
#define KP_NOT_ENTERED 100

/* What is done inside; what it returns is the child's exit code. */
typedef int kp_inside_fn(void);

/*
 * kp_inside_usual is how the worker of whoever runs the tests is started: root
 * becomes nobody.
 */
struct kp_sandbox kp_inside_usual(bool is_log_only);

/* kp_inside_run returns the status of waitpid of a child. */
int kp_inside_run(const struct kp_sandbox *sandbox, kp_inside_fn *function);

bool kp_was_killed_by(int status, int number);
bool kp_has_exited_with(int status, int code);

/*
 * A listener on loopback, made outside, and a connection to it, made inside: a
 * non-blocking socket, or -1.
 */
extern int kp_inside_listener;
extern struct sockaddr_in kp_inside_address;
void kp_inside_listen(void);
int kp_inside_connect(void);

#endif
