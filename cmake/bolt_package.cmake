# The Bolt client as a library of its own: the target bolt::bolt, here and from an installation.
#
#   cmake --install BUILD --component bolt --prefix DIRECTORY
#   find_package(bolt REQUIRED)  target_link_libraries(… bolt::bolt)
#
# It brings the few headers of base/ that it speaks in, and needs OpenSSL and tl::expected (Debian: libexpected-dev).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(bolt_headers "${CMAKE_INSTALL_INCLUDEDIR}/bolt-client")
set(bolt_cmake "${CMAKE_INSTALL_LIBDIR}/cmake/bolt")

# Modules of this build link cnx_bolt and see only what they may; whoever uses the client alone sees all of it.
add_library(bolt_client INTERFACE)
add_library(bolt::bolt ALIAS bolt_client)
target_link_libraries(bolt_client INTERFACE cnx_bolt)
target_compile_features(bolt_client INTERFACE cxx_std_20)
target_include_directories(bolt_client INTERFACE $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/include/cnx_bolt>
                                                 $<INSTALL_INTERFACE:${bolt_headers}>)
set_target_properties(bolt_client PROPERTIES EXPORT_NAME bolt)

install(TARGETS bolt_client cnx_bolt cnx_base EXPORT bolt-targets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT bolt)
install(EXPORT bolt-targets NAMESPACE bolt:: DESTINATION "${bolt_cmake}" COMPONENT bolt)
file(GLOB bolt_public CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/bolt/*.hpp")
install(FILES ${bolt_public} DESTINATION "${bolt_headers}/bolt" COMPONENT bolt)
foreach(header bytes check clock error result secret)
  install(FILES "${CMAKE_SOURCE_DIR}/src/base/${header}.hpp" DESTINATION "${bolt_headers}/base" COMPONENT bolt)
endforeach()

file(WRITE "${CMAKE_BINARY_DIR}/bolt-config.cmake"
"include(CMakeFindDependencyMacro)
find_dependency(OpenSSL)
find_dependency(Threads)
include(\"\${CMAKE_CURRENT_LIST_DIR}/bolt-targets.cmake\")
")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/bolt-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/bolt-config.cmake" "${CMAKE_BINARY_DIR}/bolt-config-version.cmake"
        DESTINATION "${bolt_cmake}" COMPONENT bolt)

# Installs it aside and builds the example against it. A sanitizer's runtime would have to be handed on: left out there.
if(CNX_TESTS AND NOT CNX_SANITIZE)
  set(aside "${CMAKE_BINARY_DIR}/package/bolt")
  add_test(NAME package/bolt/install
           COMMAND ${CMAKE_COMMAND} --install "${CMAKE_BINARY_DIR}" --component bolt --prefix "${aside}/root")
  add_test(NAME package/bolt/example
           COMMAND ${CMAKE_CTEST_COMMAND} --build-and-test "${CMAKE_SOURCE_DIR}/src/bolt/example" "${aside}/example"
                   --build-generator "${CMAKE_GENERATOR}"
                   --build-options "-DCMAKE_PREFIX_PATH=${aside}/root" "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}")
  set_tests_properties(package/bolt/install PROPERTIES FIXTURES_SETUP bolt_installed LABELS unit TIMEOUT 120)
  set_tests_properties(package/bolt/example PROPERTIES FIXTURES_REQUIRED bolt_installed LABELS unit TIMEOUT 120)
endif()
