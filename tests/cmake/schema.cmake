# The protocol tables: sound in themselves, and equal to Kafka's definitions.
kp_unit_test(schema SOURCES unit/proto/test_schema.c LINK kp_kafka)
kp_unit_test(coverage SOURCES unit/proto/test_coverage.c LINK kp_kafka)

kp_program(kp_print_tables protocol/print_tables.c)
target_link_libraries(kp_print_tables PRIVATE kp_kafka)

# Fetches the definitions into the cache the first time it runs.
find_program(KP_PYTEST NAMES pytest-3 pytest REQUIRED)
add_test(NAME protocol.definitions
  COMMAND ${KP_PYTEST} -q -p no:cacheprovider
    ${CMAKE_CURRENT_SOURCE_DIR}/protocol)
set_tests_properties(protocol.definitions PROPERTIES LABELS protocol TIMEOUT 300
  ENVIRONMENT "KP_PRINT_TABLES=$<TARGET_FILE:kp_print_tables>;PYTHONDONTWRITEBYTECODE=1")
