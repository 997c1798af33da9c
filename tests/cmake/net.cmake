# Sockets and TLS against themselves, in one process.
kp_library(kp_test_certs support/certs.c)
target_link_libraries(kp_test_certs PUBLIC kp_rules boringssl_crypto)

kp_library(kp_test_net
  support/socketpair.c
  support/streams.c
  support/tls_world.c)
target_link_libraries(kp_test_net PUBLIC
  kp_test_certs kp_net boringssl_ssl)

foreach(name IN ITEMS address dial pipe pool proxy_header stream
    stream_tls tickets tls)
  kp_unit_test(${name} SOURCES unit/proxy/net/test_${name}.c LINK kp_test_net)
endforeach()

kp_fuzz_test(proxy_header SOURCES fuzz/fuzz_proxy_header.c LINK kp_net)
