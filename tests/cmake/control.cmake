kp_unit_test(metrics SOURCES unit/base/test_metrics.c LINK kp_base)
kp_unit_test(channel SOURCES unit/control/test_channel.c LINK kp_control)
kp_unit_test(node_metrics
  SOURCES unit/control/test_node_metrics.c LINK kp_control)
kp_fuzz_test(channel SOURCES fuzz/fuzz_channel.c LINK kp_control)

foreach(name IN ITEMS link outbox)
  kp_unit_test(${name} SOURCES unit/proxy/test_${name}.c LINK kp_link)
endforeach()
# Other builds have no sandbox (proxy/link/CMakeLists.txt).
if(KP_SANDBOX AND NOT KP_SANITIZE AND NOT KP_COVERAGE)
  kp_library(kp_test_inside support/inside.c)
  target_link_libraries(kp_test_inside PUBLIC kp_link kp_net)
  foreach(name IN ITEMS calls sandbox)
    kp_unit_test(${name} SOURCES unit/proxy/test_${name}.c LINK kp_test_inside)
  endforeach()
endif()
kp_unit_test(supervisor
  SOURCES unit/proxy/test_supervisor.c LINK kp_test_port kp_supervisor)

kp_library(kp_test_folder support/folder.c)
target_link_libraries(kp_test_folder PUBLIC kp_base)
kp_library(kp_test_store support/store.c)
target_link_libraries(kp_test_store PUBLIC kp_test_folder kp_server)
kp_unit_test(watch SOURCES unit/control/host/test_watch.c
  LINK kp_test_folder kp_host)

kp_library(kp_test_pushes support/pushes.c)
target_link_libraries(kp_test_pushes PUBLIC kp_agent)
foreach(name IN ITEMS nodes resolver source state status)
  kp_unit_test(${name} SOURCES unit/control/test_${name}.c
    LINK kp_test_folder kp_test_pushes)
endforeach()

kp_unit_test(follow_faults SOURCES unit/control/test_follow_faults.c
  LINK kp_test_folder kp_test_pushes)
kp_fuzz_test(push SOURCES fuzz/fuzz_push.c LINK kp_agent)
kp_unit_test(intake SOURCES unit/control/test_intake.c LINK kp_test_pushes)

foreach(name IN ITEMS audit catalog desk page_token roles sqlite)
  kp_unit_test(${name} SOURCES unit/control/server/test_${name}.c
    LINK kp_test_store)
endforeach()

kp_unit_test(server_faults SOURCES unit/control/server/test_faults.c
  LINK kp_test_store PkgConfig::SQLITE)

kp_program(kp_measure_catalog support/measure_catalog.c)
target_link_libraries(kp_measure_catalog
  PRIVATE kp_test_folder kp_test_rules kp_server)

kp_unit_test(api SOURCES unit/control/api/test_api.c LINK kp_api)

# The same tests for each kind of store; etcd is a real one.
kp_library(kp_test_etcd support/etcd.c)
target_link_libraries(kp_test_etcd PUBLIC kp_test_port kp_test_store)
kp_unit_test(store_sqlite
  SOURCES unit/control/server/test_store.c support/store_sqlite.c
  LINK kp_test_store)
kp_unit_test(store_etcd
  SOURCES unit/control/server/test_store.c support/store_etcd.c
  LINK kp_test_etcd)
foreach(name IN ITEMS etcd etcd_chores etcd_faults)
  kp_unit_test(${name}
    SOURCES unit/control/server/test_${name}.c LINK kp_test_etcd)
endforeach()
kp_unit_test(etcd_keys SOURCES unit/control/server/test_etcd_keys.c
  LINK kp_test_store)
foreach(name IN ITEMS etcd etcd_chores etcd_faults store_etcd)
  kp_test_beside_grpc(unit.${name})
endforeach()
kp_fuzz_test(etcd SOURCES fuzz/fuzz_etcd.c fuzz/etcd_shelf.c LINK kp_server)
if(KP_FUZZ)
  target_link_options(fuzz_etcd PRIVATE -Wl,--wrap=kp_etcd_read)
endif()

# What integration/test_etcd.py runs several of.
kp_program(kp_store_tool programs/store_tool.c)
target_link_libraries(kp_store_tool PRIVATE kp_server)
# The handlers of the policy server without gRPC: rpc_fake.c takes the place of
# what control/rpc/ says of calls.
kp_fuzz_test(server SOURCES fuzz/fuzz_server.c support/rpc_fake.c
  LINK kp_server)
