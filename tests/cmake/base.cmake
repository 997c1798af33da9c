kp_library(kp_test_support support/process.c)
target_link_libraries(kp_test_support PUBLIC kp_base)
kp_library(kp_test_port support/port.c)
target_link_libraries(kp_test_port PUBLIC kp_base)

foreach(name IN ITEMS alloc arena bytes clock error log mutex priority)
  kp_unit_test(${name} SOURCES unit/base/test_${name}.c LINK kp_test_support)
endforeach()
