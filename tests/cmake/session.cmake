# The stages of the data path and what holds them together.
kp_library(kp_test_cluster support/cluster.c)

kp_unit_test(account
  SOURCES unit/proxy/account/test_records.c unit/proto/records/sample.c
  LINK kp_account)
kp_unit_test(govern SOURCES unit/proxy/govern/test_govern.c
  LINK kp_govern kp_test_governed)
kp_unit_test(refuse SOURCES unit/proxy/govern/test_refuse.c
  LINK kp_govern kp_test_governed)
kp_unit_test(creation SOURCES unit/proxy/govern/test_creation.c
  LINK kp_govern kp_test_governed)
kp_program(kp_measure_policies support/measure_policies.c)
target_link_libraries(kp_measure_policies PRIVATE kp_govern kp_test_rules)
kp_unit_test(in_flight SOURCES unit/proxy/frame/test_in_flight.c LINK kp_frame)
kp_unit_test(versions SOURCES unit/proxy/frame/test_versions.c LINK kp_frame)
kp_unit_test(roster SOURCES unit/proxy/session/test_roster.c LINK kp_session)
kp_unit_test(session_end SOURCES unit/proxy/session/test_session_end.c
  LINK kp_session kp_test_net kp_test_rules)
kp_unit_test(snapshot SOURCES unit/proxy/session/test_snapshot.c
  LINK kp_session kp_test_net kp_test_rules)
kp_unit_test(worker SOURCES unit/proxy/session/test_worker.c
  LINK kp_session kp_test_rules)
kp_unit_test(jwt SOURCES unit/proxy/admit/test_jwt.c LINK kp_admit)
kp_unit_test(sasl SOURCES unit/proxy/admit/test_sasl.c LINK kp_admit)
kp_unit_test(view SOURCES unit/proxy/rename/test_view.c LINK kp_rename)
kp_unit_test(scrub SOURCES unit/proxy/rename/test_scrub.c
  LINK kp_rename kp_test_cluster)
kp_unit_test(answer SOURCES unit/proxy/rename/test_answer.c
  LINK kp_rename kp_test_cluster)
kp_unit_test(concerns SOURCES unit/proxy/rename/test_concerns.c
  LINK kp_rename kp_test_cluster kp_test_kafka)
kp_unit_test(topology SOURCES unit/proxy/upstream/test_topology.c
  LINK kp_upstream kp_test_cluster)
kp_unit_test(names SOURCES unit/proxy/upstream/test_names.c LINK kp_upstream)

kp_fuzz_test(sasl SOURCES fuzz/fuzz_sasl.c LINK kp_admit)
kp_fuzz_test(govern SEEDS
  SOURCES fuzz/fuzz_govern.c fuzz/messages.c fuzz/messages_mutator.c
  LINK kp_govern kp_test_kafka)
kp_fuzz_test(answer SEEDS
  SOURCES fuzz/fuzz_answer.c fuzz/messages.c fuzz/messages_mutator.c
  LINK kp_rename kp_test_cluster kp_test_kafka)

# Hardened, some system calls have other names (__recv_chk).
if(NOT KP_HARDEN)
  kp_library(kp_test_bridge
    support/bridge.c
    support/calls.c
    support/far.c
    support/frames.c)
  kp_not_fuzzed(support/bridge.c support/calls.c support/far.c support/frames.c
    fuzz/fuzz_session.c fuzz/play.c)
  target_link_libraries(kp_test_bridge
    PUBLIC kp_session kp_test_net kp_test_kafka)
  kp_unit_test(session
    SOURCES unit/proxy/session/test_session.c
      unit/proxy/session/conversation.c
    LINK kp_test_bridge)
  kp_wrap_calls(test_session)
  kp_unit_test(pipe_copies SOURCES unit/proxy/net/test_pipe_copies.c
    LINK kp_test_bridge)
  kp_wrap_calls(test_pipe_copies)

  kp_fuzz_test(session WRAP SEEDS
    SOURCES fuzz/fuzz_session.c fuzz/play.c LINK kp_test_bridge)
endif()

kp_fuzz_test(tls SEEDS
  SOURCES fuzz/fuzz_tls.c fuzz/middle.c LINK kp_rename kp_test_net)
kp_not_fuzzed(fuzz/fuzz_tls.c fuzz/middle.c support/certs.c support/tls_world.c)

if(KP_FUZZ)
  kp_program(kp_make_seeds
    fuzz/messages.c
    fuzz/seeds.c
    fuzz/seeds_messages.c
    fuzz/seeds_session.c
    fuzz/seeds_tls.c)
  target_link_libraries(kp_make_seeds PRIVATE kp_test_kafka kp_test_net)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/seeds/stamp
    COMMAND kp_make_seeds ${CMAKE_BINARY_DIR}/seeds
    COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/seeds/stamp
    DEPENDS kp_make_seeds VERBATIM)
  add_custom_target(kp_seeds ALL DEPENDS ${CMAKE_BINARY_DIR}/seeds/stamp)
endif()
