# cnx_embed(TARGET NAMESPACE VARIABLE FILES…): files as bytes inside a library.
#
# Adds to TARGET a generated source that defines, in NAMESPACE,
#
#   std::span<const std::pair<std::string_view, std::string_view>> VARIABLE();
#
# the (name, text) of each file in the order given; the name is the file's own, without its folder. The caller declares the
# function where it uses it. Nothing but CMake is needed, and a changed file is embedded anew by the build.
#
#   TARGET     a library with sources of its own (not INTERFACE)
#   NAMESPACE  such as cnx::mapping::embedded
#   VARIABLE   the function's name
#   FILES      paths from the source tree's root

function(cnx_embed TARGET NAMESPACE VARIABLE)
  set(output "${CMAKE_BINARY_DIR}/embedded/${TARGET}_${VARIABLE}.cpp")
  set(inputs "")
  foreach(file IN LISTS ARGN)
    list(APPEND inputs "${CMAKE_SOURCE_DIR}/${file}")
  endforeach()
  set(script "${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake")
  # A list would be split into arguments: its semicolons travel as bars.
  string(REPLACE ";" "|" packed "${inputs}")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND ${CMAKE_COMMAND} "-DOUTPUT=${output}" "-DNAMESPACE=${NAMESPACE}" "-DVARIABLE=${VARIABLE}"
            "-DFILES=${packed}" -P "${script}"
    DEPENDS ${inputs} "${script}"
    COMMENT "Embedding ${VARIABLE} into ${TARGET}"
    VERBATIM)
  target_sources(${TARGET} PRIVATE "${output}")
endfunction()
