# gRPC against itself over loopback, in one process.
kp_protobuf_c(kp_test_rpc_proto support/rpc_test.proto)
kp_library(kp_test_rpc support/rpc_raw.c support/rpc_world.c)
target_link_libraries(kp_test_rpc PUBLIC
  kp_rpc kp_test_certs kp_test_support kp_test_rpc_proto PkgConfig::GRPC)

# The misbehaving policy server of integration/test_control_peers.py.
kp_program(kp_sync_peer support/sync_peer.c)
target_link_libraries(kp_sync_peer PRIVATE kp_test_pushes kp_rpc)

kp_library(kp_test_sync support/sync_world.c)
target_link_libraries(kp_test_sync PUBLIC
  kp_agent_link kp_test_pushes kp_test_rpc)
foreach(name IN ITEMS agent_link agent_link_faults)
  kp_unit_test(${name}
    SOURCES unit/control/test_${name}.c LINK kp_test_sync)
  kp_test_beside_grpc(unit.${name})
endforeach()

foreach(name IN ITEMS faults hostile status stream tls unary)
  kp_unit_test(rpc_${name}
    SOURCES unit/control/rpc/test_${name}.c LINK kp_test_rpc)
  kp_test_beside_grpc(unit.rpc_${name})
endforeach()
kp_unit_test(unpack SOURCES unit/control/test_unpack.c
  LINK kp_unpack kp_test_rpc_proto)
kp_fuzz_test(rpc SOURCES fuzz/fuzz_rpc.c
  LINK kp_rpc kp_test_rpc_proto PkgConfig::GRPC)

# The hub of the policy server, with its agents.
kp_library(kp_test_hub support/hub_world.c)
target_link_libraries(kp_test_hub PUBLIC
  kp_server kp_test_certs kp_test_folder)
if(KP_TEST_STANDIN)
  target_include_directories(kp_test_hub BEFORE PUBLIC support/standin)
endif()
kp_unit_test(hub SOURCES unit/control/server/test_hub.c LINK kp_test_hub)
kp_test_beside_grpc(unit.hub)
kp_fuzz_test(hub SOURCES fuzz/fuzz_hub.c LINK kp_server PkgConfig::GRPC)

# A whole policy server in one process with its clients.
kp_library(kp_test_server support/server_world.c)
target_link_libraries(kp_test_server PUBLIC
  kp_server kp_test_certs kp_test_folder)
if(KP_TEST_STANDIN)
  target_include_directories(kp_test_server BEFORE PUBLIC support/standin)
endif()
foreach(name IN ITEMS hub_faults service_faults)
  kp_unit_test(${name} SOURCES unit/control/server/test_${name}.c
    LINK kp_test_server)
  kp_test_beside_grpc(unit.${name})
endforeach()
kp_unit_test(kpctl_faults SOURCES unit/cli/test_kpctl_faults.c
  LINK kp_cli kp_test_server)
kp_test_beside_grpc(unit.kpctl_faults)

# The pages of both that have some.
kp_library(kp_test_http support/http.c)
target_link_libraries(kp_test_http PUBLIC kp_base)
kp_unit_test(pages_faults SOURCES unit/control/host/test_pages_faults.c
  LINK kp_test_http kp_test_port kp_test_server kp_agent)
kp_test_beside_grpc(unit.pages_faults)
