// Input: one byte for the type, then a value's text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "postgres/text_codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cnx;
  if (size == 0) return 0;
  constexpr uint8_t kForms = static_cast<uint8_t>(postgres::ValueForm::as_fields) + 1;
  postgres::Codec codec;
  codec.form = static_cast<postgres::ValueForm>(data[0] % kForms);
  codec.element = static_cast<postgres::ValueForm>(data[0] / kForms % kForms);
  std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  auto value = postgres::decode(codec, text);
  if (!value) {
    CNX_CHECK(value.error().kind() == ErrorKind::malformed, "a text is a value or malformed");
    return 0;
  }
  if (const auto* unfit = std::get_if<change::Unfit>(&*value)) {
    CNX_CHECK(postgres::may_be_unfit(codec), "only a type that says so has unfit values");
    CNX_CHECK(unfit->text == text, "an unfit value keeps its exact text");
  }
  return 0;
}
