# The programs of make bench: what their figures rest on.
if(KP_BENCH)
  foreach(name histogram frames)
    kp_unit_test(bench_${name} SOURCES unit/bench/test_${name}.c
      LINK kp_bench_wire kp_test_kafka)
  endforeach()
endif()
