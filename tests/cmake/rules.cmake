# What operators write: YAML, resources, node configuration, rule tables.
foreach(name IN ITEMS glob text utf8 yaml yaml_write)
  kp_unit_test(${name} SOURCES unit/base/test_${name}.c LINK kp_test_support)
endforeach()

kp_library(kp_test_rules support/declared.c support/many.c)
target_link_libraries(kp_test_rules PUBLIC kp_rules)
kp_library(kp_test_governed support/governed.c)
target_link_libraries(kp_test_governed PUBLIC kp_test_rules)
kp_program(kp_measure_rules support/measure_rules.c)
target_link_libraries(kp_measure_rules PRIVATE kp_test_rules)

foreach(name IN ITEMS compile diagnostics explain labels many node_config print
    resource server_config tables)
  kp_unit_test(${name} SOURCES unit/rules/test_${name}.c LINK kp_test_rules)
endforeach()
# Hardened, it has another name.
if(NOT KP_HARDEN)
  kp_unit_test(wipe SOURCES unit/rules/test_wipe.c LINK kp_test_rules)
  target_link_options(test_wipe PRIVATE -Wl,--wrap=explicit_bzero)
endif()
kp_unit_test(limits
  SOURCES unit/rules/test_limits.c LINK kp_test_rules kp_control)
foreach(name IN ITEMS claims kinds)
  kp_unit_test(${name}
    SOURCES unit/rules/kinds/test_${name}.c LINK kp_test_rules)
endforeach()

foreach(name IN ITEMS cases judge objects override)
  kp_unit_test(${name}
    SOURCES unit/rules/govern/test_${name}.c LINK kp_test_governed)
endforeach()
# What is written down is what the data plane does.
kp_unit_test(trace
  SOURCES unit/rules/govern/test_trace.c LINK kp_govern kp_test_rules)

foreach(name IN ITEMS check cost moment parse source)
  kp_unit_test(cel_${name}
    SOURCES unit/rules/cel/test_${name}.c LINK kp_cel)
endforeach()
foreach(name IN ITEMS eval ext)
  kp_unit_test(cel_${name}
    SOURCES unit/rules/cel/test_${name}.c support/cel_host.c LINK kp_cel)
endforeach()
kp_unit_test(regex SOURCES unit/rules/regex/test_regex.c LINK kp_regex)
# For tests/differential.
kp_program(kp_regex_answers programs/regex_answers.c support/hex.c)
target_link_libraries(kp_regex_answers PRIVATE kp_regex)
# For tests/conformance.
kp_program(kp_cel_conformance programs/cel_conformance.c support/hex.c)
target_link_libraries(kp_cel_conformance PRIVATE kp_cel)

kp_fuzz_test(yaml SOURCES fuzz/fuzz_yaml.c LINK kp_base)
kp_fuzz_test(resources SOURCES fuzz/fuzz_resources.c LINK kp_rules)
kp_fuzz_test(print SOURCES fuzz/fuzz_print.c LINK kp_rules)
kp_fuzz_test(cases SOURCES fuzz/fuzz_cases.c LINK kp_rules)
kp_fuzz_test(cel SOURCES fuzz/fuzz_cel.c LINK kp_cel)
kp_fuzz_test(regex SOURCES fuzz/fuzz_regex.c LINK kp_regex)
kp_fuzz_test(selector SOURCES fuzz/fuzz_selector.c LINK kp_rules)
kp_fuzz_test(tables SOURCES fuzz/fuzz_tables.c LINK kp_rules)
