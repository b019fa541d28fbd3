# Every library that we use, found by pkg-config (Debian 12 ships no CMake files for most).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

set(JML_MSGPACK_MODULE msgpack)
pkg_check_modules(MSGPACK QUIET IMPORTED_TARGET msgpack) # Debian 12
if(NOT MSGPACK_FOUND) # later releases renamed it
  set(JML_MSGPACK_MODULE msgpack-c)
  pkg_check_modules(MSGPACK REQUIRED IMPORTED_TARGET msgpack-c)
endif()
pkg_check_modules(EVENT REQUIRED IMPORTED_TARGET libevent_core)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(LMDB REQUIRED IMPORTED_TARGET lmdb)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl>=3.0)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(SMARTCOLS REQUIRED IMPORTED_TARGET smartcols)
if(JML_BUILD_TESTS)
  pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
endif()

# libcsv, libstemmer and http-parser come without a .pc file
foreach(lib csv stemmer http_parser)
  find_library(JML_LIB_${lib} NAMES ${lib} REQUIRED)
  add_library(jml::${lib} UNKNOWN IMPORTED)
  set_target_properties(jml::${lib} PROPERTIES IMPORTED_LOCATION "${JML_LIB_${lib}}")
endforeach()
