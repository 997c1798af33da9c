# kpctl, and what of base it brought along.
kp_unit_test(files SOURCES unit/base/test_files.c LINK kp_test_folder)
foreach(name IN ITEMS args commands diff news table)
  kp_unit_test(${name} SOURCES unit/cli/test_${name}.c LINK kp_cli)
endforeach()
foreach(name IN ITEMS escape targets times views)
  kp_unit_test(cli_${name} SOURCES unit/cli/test_${name}.c LINK kp_cli)
endforeach()

# kpctl as a process, against a server that says what a test wants.
kp_library(kp_test_policy support/policy.c)
target_link_libraries(kp_test_policy PUBLIC
  kp_api kp_rpc kp_test_certs kp_test_folder kp_test_support kp_test_rpc_proto)
target_compile_definitions(kp_test_policy
  PRIVATE KP_TEST_KPCTL="$<TARGET_FILE:kpctl>")
add_dependencies(kp_test_policy kpctl)
foreach(name IN ITEMS changes connection lists watch)
  kp_unit_test(kpctl_${name}
    SOURCES unit/cli/test_kpctl_${name}.c LINK kp_test_policy)
endforeach()
kp_unit_test(kpctl_nodes
  SOURCES unit/cli/test_kpctl_nodes.c LINK kp_test_policy kp_test_hub)
kp_fuzz_test(kpctl SOURCES fuzz/fuzz_kpctl.c LINK kp_cli)
