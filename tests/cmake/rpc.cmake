# Messages for tests, and what reads them.
kp_protobuf_c(kp_test_rpc_proto support/rpc_test.proto)
kp_unit_test(unpack SOURCES unit/control/test_unpack.c
  LINK kp_unpack kp_test_rpc_proto)
