# kp_flags: every target of ours links it. Compiler flags live here and nowhere
# else, so that a preset is a handful of switches.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_library(kp_flags INTERFACE)
target_compile_definitions(kp_flags INTERFACE _GNU_SOURCE)
target_include_directories(kp_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(kp_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wwrite-strings
  -Wformat=2 -Wvla -Wundef -Wswitch-enum -Wimplicit-fallthrough -fno-common
  $<$<C_COMPILER_ID:Clang>:-Wthread-safety -Wcomma>
  $<$<BOOL:${KP_WERROR}>:-Werror>)

# A program loads what it calls, not what a library of ours could have called.
target_link_options(kp_flags INTERFACE -Wl,--as-needed)

if(KP_SANITIZE)
  set(san -fsanitize=${KP_SANITIZE} -fno-omit-frame-pointer -O1)
  if(KP_SANITIZE MATCHES undefined)
    list(APPEND san -fno-sanitize-recover=all)
  endif()
  if(KP_FUZZ)
    list(APPEND san -fsanitize=fuzzer-no-link)
  endif()
  target_compile_options(kp_flags INTERFACE ${san})
  target_link_options(kp_flags INTERFACE -fsanitize=${KP_SANITIZE})
endif()

if(KP_HARDEN)
  target_compile_options(kp_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
    -fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero)
  target_link_options(kp_flags INTERFACE
    -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
endif()

if(KP_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT lto_works OUTPUT why LANGUAGES C)
  if(NOT lto_works)
    message(FATAL_ERROR "link-time optimisation does not work here: ${why}")
  endif()
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

if(KP_COVERAGE)
  target_compile_options(kp_flags INTERFACE
    --coverage -O0 -fprofile-abs-path -fprofile-update=atomic)
  target_link_options(kp_flags INTERFACE --coverage)
endif()

if(KP_TIDY)
  find_program(KP_CLANG_TIDY clang-tidy REQUIRED)
  set(CMAKE_C_CLANG_TIDY ${KP_CLANG_TIDY} --quiet)
endif()

# kp_library(name source...): a static library of one folder
function(kp_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC kp_flags)
endfunction()

# kp_program(name source...)
function(kp_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE kp_flags)
endfunction()
