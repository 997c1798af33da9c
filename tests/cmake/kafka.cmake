# The codec: reader, writer, headers, own answers, walker.
kp_library(kp_test_kafka
  support/sample.c
  support/walks.c)
target_link_libraries(kp_test_kafka PUBLIC kp_kafka)
kp_not_fuzzed(
  support/sample.c fuzz/messages.c fuzz/messages_mutator.c)

foreach(name IN ITEMS header properties reader walker walker_feed
    walker_tail writer rewrite verdicts tree)
  kp_unit_test(${name} SOURCES unit/proto/test_${name}.c LINK kp_test_kafka)
endforeach()

kp_fuzz_test(frame SEEDS SOURCES fuzz/fuzz_frame.c LINK kp_test_kafka)
kp_fuzz_test(walker SEEDS
  SOURCES fuzz/fuzz_walker.c fuzz/messages.c fuzz/messages_mutator.c
  LINK kp_test_kafka)
