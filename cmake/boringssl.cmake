# BoringSSL is built once per machine by scripts/boringssl.sh, outside every
# build folder. -DKP_BORINGSSL_DIR=DIR takes another one, built with the symbol
# prefix "kp": DIR/include, DIR/lib/libcrypto.a, DIR/lib/libssl.a.
set(KP_BORINGSSL_DIR "" CACHE PATH "a BoringSSL built elsewhere with -DBORINGSSL_PREFIX=kp")
set(boringssl_dir ${KP_BORINGSSL_DIR})
if(NOT boringssl_dir)
  execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/boringssl.sh --print
    OUTPUT_VARIABLE boringssl_dir OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
endif()
if(NOT EXISTS ${boringssl_dir}/lib/libssl.a)
  message(FATAL_ERROR "BoringSSL is not built: run make deps (looked in ${boringssl_dir})")
endif()
message(STATUS "BoringSSL: ${boringssl_dir}")

find_package(Threads REQUIRED)
# The archives name two functions of the C++ library; see the file.
kp_library(boringssl_nocxx third_party/boringssl/nocxx.c)
add_library(boringssl_crypto STATIC IMPORTED)
set_target_properties(boringssl_crypto PROPERTIES
  IMPORTED_LOCATION ${boringssl_dir}/lib/libcrypto.a
  INTERFACE_INCLUDE_DIRECTORIES ${boringssl_dir}/include
  INTERFACE_COMPILE_DEFINITIONS BORINGSSL_PREFIX=kp
  INTERFACE_LINK_LIBRARIES "Threads::Threads;boringssl_nocxx")
add_library(boringssl_ssl STATIC IMPORTED)
set_target_properties(boringssl_ssl PROPERTIES
  IMPORTED_LOCATION ${boringssl_dir}/lib/libssl.a
  INTERFACE_LINK_LIBRARIES boringssl_crypto)
