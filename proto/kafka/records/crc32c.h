/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two checksums of record batches: CRC-32C (Castagnoli) of magic 2, and
 * CRC-32 (the gzip polynomial) of magic 0 and 1. ISA-L picks the fastest code
 * for the processor. @thread any
 */
#ifndef KP_PROTO_KAFKA_RECORDS_CRC32C_H
#define KP_PROTO_KAFKA_RECORDS_CRC32C_H

#include "base/bytes.h"

uint32_t kp_crc32c(struct kp_bytes bytes);
uint32_t kp_crc32(struct kp_bytes bytes);

#endif
