# The script behind cnx_embed: writes OUTPUT, which defines NAMESPACE::VARIABLE() over the bytes of FILES (split by "|").
# Each byte becomes a character literal: no length limit of string literals, no quoting, any content.

string(REPLACE "|" ";" FILES "${FILES}")
set(arrays "")
set(entries "")
set(count 0)
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  # Sixteen bytes a line, then each byte.
  string(REGEX REPLACE "(................................)" "\\1\n    " bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1', " bytes "${bytes}")
  # The last element gives an empty file an array, and is not part of the text.
  string(APPEND arrays "constexpr char kFile${count}[] = {\n    ${bytes}'\\0'};\n")
  string(APPEND entries "    {\"${name}\", std::string_view(kFile${count}, ${size})},\n")
  math(EXPR count "${count} + 1")
endforeach()

file(WRITE "${OUTPUT}" "// Generated from files of the source tree; do not edit.
#include <span>
#include <string_view>
#include <utility>

namespace ${NAMESPACE} {
namespace {

${arrays}
constexpr std::pair<std::string_view, std::string_view> kFiles[] = {
${entries}};

}  // namespace

std::span<const std::pair<std::string_view, std::string_view>> ${VARIABLE}();
std::span<const std::pair<std::string_view, std::string_view>> ${VARIABLE}() { return kFiles; }

}  // namespace ${NAMESPACE}
")
