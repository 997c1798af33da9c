/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of a test's own, with files in it. A failure ends the test. */
#ifndef KP_TESTS_SUPPORT_FOLDER_H
#define KP_TESTS_SUPPORT_FOLDER_H

#include <stdio.h>

#define KP_TEST_PATH_LEN 512

/* kp_test_folder makes a new one and fills out with its path. */
void kp_test_folder(char out[KP_TEST_PATH_LEN]);

/* kp_test_folder_remove removes it with all that is in it. */
void kp_test_folder_remove(const char *path);

/* kp_test_path joins folder and name. */
void kp_test_path(
    char out[KP_TEST_PATH_LEN], const char *folder, const char *name);

/* kp_test_write replaces the file folder/name in place. */
void kp_test_write(const char *folder, const char *name, const char *text);

#endif
