kp_unit_test(metrics SOURCES unit/base/test_metrics.c LINK kp_base)
kp_unit_test(channel SOURCES unit/control/test_channel.c LINK kp_control)
kp_unit_test(node_metrics
  SOURCES unit/control/test_node_metrics.c LINK kp_control)
kp_fuzz_test(channel SOURCES fuzz/fuzz_channel.c LINK kp_control)
