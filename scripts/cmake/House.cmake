# How a room of the house is built: jml_module, jml_program, jml_test.
#
# A folder of engine/ is one static library that exports its own folder as include path. A
# header of a folder that USES doesn't name (nor that those name) is not found, so the arrows of
# the architecture are checked by the compiler.

add_library(jml_flags INTERFACE)
target_compile_features(jml_flags INTERFACE c_std_11)
target_compile_definitions(jml_flags INTERFACE _GNU_SOURCE JML_VERSION="${PROJECT_VERSION}")
target_compile_options(jml_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wundef -Wvla
  -Wwrite-strings -Wformat=2 -fno-omit-frame-pointer
  $<$<BOOL:${JML_WERROR}>:-Werror>)
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT JML_SANITIZE)
  target_compile_options(jml_flags INTERFACE -fstack-protector-strong -fstack-clash-protection
    -fcf-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  target_link_options(jml_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(JML_SANITIZE)
  target_compile_options(jml_flags INTERFACE -fsanitize=${JML_SANITIZE}
    -fno-sanitize-recover=all)
  target_link_options(jml_flags INTERFACE -fsanitize=${JML_SANITIZE})
endif()
if(JML_FUZZ) # coverage feedback in all of our code; only the fuzz programs link libFuzzer's main
  target_compile_options(jml_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(jml_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(JML_COVERAGE)
  target_compile_options(jml_flags INTERFACE --coverage)
  target_link_options(jml_flags INTERFACE --coverage)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# jml_module(score SOURCES cell.c … USES model base LIBRARIES PkgConfig::LMDB)
function(jml_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_library(jml_${name} STATIC ${ARG_SOURCES})
  target_include_directories(jml_${name} PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(jml_${name} PRIVATE jml_flags)
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(jml_${name} PUBLIC jml_${used})
  endforeach()
  target_link_libraries(jml_${name} PUBLIC ${ARG_LIBRARIES})
endfunction()

# jml_program(jumelage SOURCES main.c … USES rpc LIBRARIES …)
function(jml_program name)
  cmake_parse_arguments(ARG "NO_INSTALL" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE jml_flags ${ARG_LIBRARIES})
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(${name} PRIVATE jml_${used})
  endforeach()
  if(NOT ARG_NO_INSTALL)
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endfunction()

# jml_test(range_want unit/score/test_range_want.c USES score [LIBRARIES …] [TIMEOUT s]): one
# Criterion program per noun. A leak report leaves Criterion's status at 0, hence the regular
# expression; so does a run of no test.
function(jml_test noun)
  cmake_parse_arguments(ARG "" "TIMEOUT" "USES;LIBRARIES" ${ARGN})
  add_executable(test_${noun} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(test_${noun} PRIVATE jml_flags PkgConfig::CRITERION ${ARG_LIBRARIES})
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(test_${noun} PRIVATE jml_${used})
  endforeach()
  target_include_directories(test_${noun} PRIVATE "${PROJECT_SOURCE_DIR}/tests") # cases.h
  target_compile_definitions(test_${noun} PRIVATE
    JML_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data" JML_DATA="${PROJECT_SOURCE_DIR}/data"
    JML_SOURCE="${PROJECT_SOURCE_DIR}" JML_BUILD="${PROJECT_BINARY_DIR}")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_test(NAME ${noun} COMMAND test_${noun} --color=never -j2)
  set_tests_properties(${noun} PROPERTIES TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "ASAN_OPTIONS=allocator_may_return_null=1:abort_on_error=1:detect_stack_use_after_return=1;TZ=UTC;LC_ALL=C.UTF-8"
    FAIL_REGULAR_EXPRESSION "LeakSanitizer|AddressSanitizer|runtime error:|Tested: 0 ")
endfunction()
