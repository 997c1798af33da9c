# The libraries of Debian that we use, each as one target, and protobuf-c code
# generation.
find_package(PkgConfig REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET grpc gpr)
find_program(PROTOC_C protoc-c REQUIRED)

# kp_protobuf_c(target file.proto...): generated C as a static library, with our
# warnings off; include as "proto/control/NAME.pb-c.h"
function(kp_protobuf_c name)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(sources)
  foreach(proto IN LISTS ARGN)
    string(REGEX REPLACE "[.]proto$" ".pb-c" base ${proto})
    set(out ${CMAKE_BINARY_DIR}/generated/${folder}/${base})
    add_custom_command(OUTPUT ${out}.c ${out}.h
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/generated
      COMMAND ${PROTOC_C} --c_out=${CMAKE_BINARY_DIR}/generated
        -I${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/${folder}/${proto}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${proto} VERBATIM)
    list(APPEND sources ${out}.c)
  endforeach()
  add_library(${name} STATIC ${sources})
  set_target_properties(${name} PROPERTIES C_CLANG_TIDY "")
  target_compile_options(${name} PRIVATE -w)
  target_include_directories(${name} SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(${name} PUBLIC PkgConfig::PROTOBUF_C)
endfunction()
