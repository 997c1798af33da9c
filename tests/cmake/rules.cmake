# What operators write: YAML, resources, node configuration, rule tables.
foreach(name IN ITEMS text yaml)
  kp_unit_test(${name} SOURCES unit/base/test_${name}.c LINK kp_base)
endforeach()

foreach(name IN ITEMS resource diagnostics)
  kp_unit_test(${name}
    SOURCES unit/rules/test_${name}.c support/declared.c LINK kp_rules)
endforeach()
