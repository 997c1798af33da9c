/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of all APIs that a broker listener speaks, one file each. An API
 * that is not in the list is neither advertised nor forwarded. To add one:
 * write its file after a similar one, declare it here, enter it in apis.c and
 * in CMakeLists.txt; tests/protocol/test_definitions.py then compares it with
 * Kafka's own definition. @thread any: all of it is constant
 */
#ifndef KP_PROTO_KAFKA_APIS_H
#define KP_PROTO_KAFKA_APIS_H

#include "proto/kafka/schema.h"

/* By key; NULL where no API of the broker listener has it. */
extern const struct kp_api *const kp_apis[KP_MAX_API_KEY + 1];

extern const struct kp_api kp_api_produce;
extern const struct kp_api kp_api_fetch;
extern const struct kp_api kp_api_list_offsets;
extern const struct kp_api kp_api_metadata;
extern const struct kp_api kp_api_offset_commit;
extern const struct kp_api kp_api_offset_fetch;
extern const struct kp_api kp_api_find_coordinator;
extern const struct kp_api kp_api_join_group;
extern const struct kp_api kp_api_heartbeat;
extern const struct kp_api kp_api_leave_group;
extern const struct kp_api kp_api_sync_group;
extern const struct kp_api kp_api_describe_groups;
extern const struct kp_api kp_api_list_groups;
extern const struct kp_api kp_api_sasl_handshake;
extern const struct kp_api kp_api_api_versions;
extern const struct kp_api kp_api_create_topics;
extern const struct kp_api kp_api_delete_topics;
extern const struct kp_api kp_api_delete_records;
extern const struct kp_api kp_api_init_producer_id;
extern const struct kp_api kp_api_offset_for_leader_epoch;
extern const struct kp_api kp_api_add_partitions_to_txn;
extern const struct kp_api kp_api_add_offsets_to_txn;
extern const struct kp_api kp_api_end_txn;
extern const struct kp_api kp_api_write_txn_markers;
extern const struct kp_api kp_api_txn_offset_commit;
extern const struct kp_api kp_api_describe_acls;
extern const struct kp_api kp_api_create_acls;
extern const struct kp_api kp_api_delete_acls;
extern const struct kp_api kp_api_describe_configs;
extern const struct kp_api kp_api_alter_configs;
extern const struct kp_api kp_api_alter_replica_log_dirs;
extern const struct kp_api kp_api_describe_log_dirs;
extern const struct kp_api kp_api_sasl_authenticate;
extern const struct kp_api kp_api_create_partitions;
extern const struct kp_api kp_api_create_delegation_token;
extern const struct kp_api kp_api_renew_delegation_token;
extern const struct kp_api kp_api_expire_delegation_token;
extern const struct kp_api kp_api_describe_delegation_token;
extern const struct kp_api kp_api_delete_groups;
extern const struct kp_api kp_api_elect_leaders;
extern const struct kp_api kp_api_incremental_alter_configs;
extern const struct kp_api kp_api_alter_partition_reassignments;
extern const struct kp_api kp_api_list_partition_reassignments;
extern const struct kp_api kp_api_offset_delete;
extern const struct kp_api kp_api_describe_client_quotas;
extern const struct kp_api kp_api_alter_client_quotas;
extern const struct kp_api kp_api_describe_user_scram_credentials;
extern const struct kp_api kp_api_alter_user_scram_credentials;
extern const struct kp_api kp_api_describe_quorum;
extern const struct kp_api kp_api_update_features;
extern const struct kp_api kp_api_describe_cluster;
extern const struct kp_api kp_api_describe_producers;
extern const struct kp_api kp_api_unregister_broker;
extern const struct kp_api kp_api_describe_transactions;
extern const struct kp_api kp_api_list_transactions;
extern const struct kp_api kp_api_consumer_group_heartbeat;
extern const struct kp_api kp_api_consumer_group_describe;
extern const struct kp_api kp_api_get_telemetry_subscriptions;
extern const struct kp_api kp_api_push_telemetry;
extern const struct kp_api kp_api_list_config_resources;
extern const struct kp_api kp_api_describe_topic_partitions;
extern const struct kp_api kp_api_share_group_heartbeat;
extern const struct kp_api kp_api_share_group_describe;
extern const struct kp_api kp_api_share_fetch;
extern const struct kp_api kp_api_share_acknowledge;
extern const struct kp_api kp_api_add_raft_voter;
extern const struct kp_api kp_api_remove_raft_voter;
extern const struct kp_api kp_api_initialize_share_group_state;
extern const struct kp_api kp_api_read_share_group_state;
extern const struct kp_api kp_api_write_share_group_state;
extern const struct kp_api kp_api_delete_share_group_state;
extern const struct kp_api kp_api_read_share_group_state_summary;
extern const struct kp_api kp_api_streams_group_heartbeat;
extern const struct kp_api kp_api_streams_group_describe;
extern const struct kp_api kp_api_describe_share_group_offsets;
extern const struct kp_api kp_api_alter_share_group_offsets;
extern const struct kp_api kp_api_delete_share_group_offsets;
extern const struct kp_api kp_api_streams_group_topology_description_update;
extern const struct kp_api kp_api_unregister_controller;

#endif
