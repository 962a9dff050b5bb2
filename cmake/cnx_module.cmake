# cnx_module(NAME DEPENDS … LIBRARIES …): one folder of src/ as a static library `cnx_NAME`.
#
# This is the only place where a dependency between folders is granted: each module is compiled with an include root that
# shows only its own folder and the folders it may use (directly or through what those use). An include that is not
# granted does not compile; tests/tidy says the same in words.
#
#   NAME       the folder below src/ ("capture/logical" becomes the target cnx_capture_logical)
#   DEPENDS    the folders it may include
#   LIBRARIES  packages of the system that it links
#   EXCLUDE    files of the folder that are not part of the library
#
# Every x_test.cpp of the folder goes into one test program, cnx_NAME_test, registered with ctest.

function(cnx_target_name FOLDER OUT)
  string(REPLACE "/" "_" flat "${FOLDER}")
  set(${OUT} "cnx_${flat}" PARENT_SCOPE)
endfunction()

function(cnx_module FOLDER)
  cmake_parse_arguments(M "" "" "DEPENDS;LIBRARIES;EXCLUDE;TEST_LIBRARIES" ${ARGN})
  cnx_target_name(${FOLDER} target)
  set(source_dir "${CMAKE_SOURCE_DIR}/src/${FOLDER}")

  # The include root of this module: symbolic links to the folders it may see.
  set(root "${CMAKE_BINARY_DIR}/include/${target}")
  set(visible ${FOLDER})
  foreach(dependency IN LISTS M_DEPENDS)
    cnx_target_name(${dependency} dependency_target)
    get_target_property(inherited ${dependency_target} CNX_VISIBLE)
    list(APPEND visible ${dependency} ${inherited})
  endforeach()
  list(REMOVE_DUPLICATES visible)
  file(REMOVE_RECURSE "${root}")
  foreach(folder IN LISTS visible)
    get_filename_component(parent "${root}/${folder}" DIRECTORY)
    file(MAKE_DIRECTORY "${parent}")
    file(CREATE_LINK "${CMAKE_SOURCE_DIR}/src/${folder}" "${root}/${folder}" SYMBOLIC)
  endforeach()

  file(GLOB sources CONFIGURE_DEPENDS "${source_dir}/*.cpp")
  file(GLOB tests CONFIGURE_DEPENDS "${source_dir}/*_test.cpp")
  list(REMOVE_ITEM sources "" ${tests})
  foreach(file IN LISTS M_EXCLUDE)
    list(REMOVE_ITEM sources "${source_dir}/${file}")
  endforeach()

  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  set_target_properties(${target} PROPERTIES CNX_VISIBLE "${visible}")
  if(sources)
    target_include_directories(${target} PRIVATE "${root}")
  endif()
  foreach(dependency IN LISTS M_DEPENDS)
    cnx_target_name(${dependency} dependency_target)
    target_link_libraries(${target} ${scope} ${dependency_target})
  endforeach()
  target_link_libraries(${target} ${scope} ${M_LIBRARIES})

  if(tests AND CNX_TESTS)
    add_executable(${target}_test ${tests})
    target_include_directories(${target}_test PRIVATE "${root}")
    target_compile_definitions(${target}_test PRIVATE CNX_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
    target_link_libraries(${target}_test PRIVATE ${target} GTest::gmock GTest::gtest_main ${M_TEST_LIBRARIES})
    add_test(NAME unit/${FOLDER} COMMAND ${target}_test --gtest_brief=1)
    set_tests_properties(unit/${FOLDER} PROPERTIES TIMEOUT 120 LABELS unit)
  endif()
endfunction()
