# Google's snappy is for cross-checks only: kproxy does not link it.
foreach(name crc32c compress snappy batch record scan batch_writer vectors)
  kp_unit_test(records_${name}
    SOURCES unit/proto/records/test_${name}.c unit/proto/records/sample.c
    LINK kp_records PkgConfig::LZ4 PkgConfig::ZSTD snappy)
  target_compile_definitions(test_records_${name} PRIVATE
    KP_VECTORS="${CMAKE_CURRENT_SOURCE_DIR}/unit/proto/records/vectors")
endforeach()

foreach(name records decompress)
  kp_fuzz_test(${name} SOURCES fuzz/fuzz_${name}.c LINK kp_records)
endforeach()
