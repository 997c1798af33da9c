# What our programs load, export and lack after linking. Sanitizers and gcov
# bring libraries of their own; hardening flags are the release preset's.
if(NOT KP_SANITIZE AND NOT KP_COVERAGE)
  add_test(NAME lint.kproxy_is_alone
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/check-elf.sh alone $<TARGET_FILE:kproxy>)
  set_tests_properties(lint.kproxy_is_alone PROPERTIES LABELS lint TIMEOUT 60)

  # Its start is part of that of every node (docs/decisions/012-*.md).
  add_test(NAME lint.kpagent_loads_no_grpc
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/check-elf.sh light $<TARGET_FILE:kpagent>)
  set_tests_properties(lint.kpagent_loads_no_grpc PROPERTIES
    LABELS lint TIMEOUT 60)

  # make docs writes them.
  foreach(page IN ITEMS resources config server-config limits policies)
    add_test(NAME lint.${page}_page_is_current
      COMMAND sh -c "$<TARGET_FILE:kp_print_docs> ${page} | diff docs/${page}.md -"
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(lint.${page}_page_is_current PROPERTIES
      LABELS lint TIMEOUT 60)
  endforeach()
endif()
if(KP_HARDEN)
  foreach(program IN ITEMS kproxy kpagent kpagent-grpc kpctl kpserver)
    add_test(NAME lint.${program}_is_hardened
      COMMAND ${PROJECT_SOURCE_DIR}/scripts/check-elf.sh hardened
        $<TARGET_FILE:${program}>)
    set_tests_properties(lint.${program}_is_hardened PROPERTIES
      LABELS lint TIMEOUT 60)
  endforeach()
endif()
