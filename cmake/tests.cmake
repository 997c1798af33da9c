# A test that runs nothing is red: the presets say noTestsAction=error, and
# Criterion's closing line must not say "Tested: 0 ". Leaks and races do not fail
# a Criterion run by themselves: the regular expression does.
set(KP_TEST_FAIL "Tested: 0 ;Sanitizer;runtime error:")

# Debian's, with Debian's python3. Set here, so that building the programs alone
# does not look for it.
set(KP_PYTEST pytest-3 CACHE STRING "command that runs our Python tests")

# kp_wrap_calls(target): what target and its libraries want of the system goes
# through tests/support/calls.c.
function(kp_wrap_calls target)
  foreach(call IN ITEMS clock_gettime close connect kp_try_alloc kp_try_realloc
      pipe2 poll ppoll recv recvmsg send sendmsg socket splice write)
    target_link_options(${target} PRIVATE -Wl,--wrap=${call})
  endforeach()
endfunction()

# Minutes, or gigabytes, under ThreadSanitizer, which has nothing to see in their
# one thread; there they are built, and not run.
set(KP_ALONE claims kpctl_changes kpctl_connection kpctl_lists kpctl_nodes
  kpctl_watch many news properties session records_compress)

# kp_unit_test(name SOURCES file... LINK target...)
function(kp_unit_test name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
  kp_program(test_${name} ${A_SOURCES})
  target_link_libraries(test_${name} PRIVATE ${A_LINK})
  if(KP_TEST_STANDIN)
    target_include_directories(test_${name} BEFORE PRIVATE
      ${PROJECT_SOURCE_DIR}/tests/support/standin)
    target_link_libraries(test_${name} PRIVATE kp_criterion_standin)
  else()
    target_link_libraries(test_${name} PRIVATE criterion)
  endif()
  if(name IN_LIST KP_ALONE AND KP_SANITIZE MATCHES thread)
    return()
  endif()
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES
    LABELS unit TIMEOUT 300 FAIL_REGULAR_EXPRESSION "${KP_TEST_FAIL}"
    ENVIRONMENT "UBSAN_OPTIONS=print_stacktrace=1")
endfunction()

# kp_not_fuzzed(file...): what a fuzz target needs for its inputs. The fuzzer is
# not to look for new ways through it.
function(kp_not_fuzzed)
  if(KP_FUZZ)
    set_source_files_properties(${ARGN} PROPERTIES
      COMPILE_OPTIONS -fno-sanitize=fuzzer-no-link)
  endif()
endfunction()

# kp_fuzz_test(name [WRAP] [SEEDS] SOURCES file... LINK target...): a libFuzzer
# target; its corpus is tests/fuzz/corpus/NAME. WRAP: with kp_wrap_calls; SEEDS:
# kp_make_seeds has some for it. KP_FUZZ_SECONDS bounds one ctest run.
set(KP_FUZZ_SECONDS 20 CACHE STRING "seconds that ctest lets each fuzz target run")
add_custom_target(fuzzers)
# A test whose process has gRPC in it, which no sanitizer sees through.
function(kp_test_beside_grpc name)
  set(support ${PROJECT_SOURCE_DIR}/tests/support)
  set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT
    "TSAN_OPTIONS=suppressions=${support}/tsan.supp"
    "LSAN_OPTIONS=suppressions=${support}/lsan.supp:print_suppressions=0")
endfunction()

function(kp_fuzz_test name)
  if(NOT KP_FUZZ)
    return()
  endif()
  cmake_parse_arguments(A "WRAP;SEEDS" "" "SOURCES;LINK" ${ARGN})
  kp_program(fuzz_${name} ${A_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE ${A_LINK})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers fuzz_${name})
  if(A_WRAP)
    kp_wrap_calls(fuzz_${name})
  endif()
  # The first folder receives new inputs: never the one in git.
  set(scratch ${CMAKE_BINARY_DIR}/corpus/${name})
  file(MAKE_DIRECTORY ${scratch})
  set(corpora ${scratch} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  if(A_SEEDS)
    add_dependencies(fuzz_${name} kp_seeds)
    list(APPEND corpora ${CMAKE_BINARY_DIR}/seeds/${name})
  endif()
  add_test(NAME fuzz.${name} COMMAND fuzz_${name}
    -max_total_time=${KP_FUZZ_SECONDS} -max_len=8192 -timeout=10
    -rss_limit_mb=2048 -print_final_stats=1
    -artifact_prefix=${CMAKE_BINARY_DIR}/fuzz-${name}- ${corpora})
  math(EXPR limit "${KP_FUZZ_SECONDS} + 120")
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT ${limit})
endfunction()
