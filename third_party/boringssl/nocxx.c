/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BoringSSL is C++ without exceptions; its archives name two functions of the
 * C++ library: the sized delete (in vtables only, BoringSSL frees through
 * OPENSSL_free) and a throw (string_view::substr out of range).
 * scripts/boringssl.sh renames both to the names below and fails when a new
 * version needs a third one. Defining operator delete itself here would hand it
 * to every other library of the process as well.
 */
#include <stdlib.h>

void kp_nocxx_delete(void *p, size_t size);
void kp_nocxx_throw(const char *fmt, ...);

void
kp_nocxx_delete(void *p, size_t size)
{
	(void)p;
	(void)size;
	abort();
}

void
kp_nocxx_throw(const char *fmt, ...)
{
	(void)fmt;
	abort();
}
