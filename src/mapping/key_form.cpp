#include "mapping/key_form.hpp"

#include <clocale>
#include <cwctype>

#include "mapping/sha256.hpp"

namespace cnx::mapping {
namespace {

constexpr size_t kLongest = 1024;

std::string trimmed(std::string_view text) {
  const size_t last = text.find_last_not_of(' ');
  return std::string(last == std::string_view::npos ? text.substr(0, 0) : text.substr(0, last + 1));
}

// One code point's lower case. PostgreSQL folds by the database's locale; this is Unicode's, whatever the process runs in.
wint_t lower(char32_t point) {
  static const locale_t kUnicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (kUnicode == nullptr || point > 0x10FFFF) return static_cast<wint_t>(point);
  return towlower_l(static_cast<wint_t>(point), kUnicode);
}

void append_utf8(std::string& text, char32_t point) {
  auto add = [&](char32_t bits) { text += static_cast<char>(bits); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xC0 | point >> 6);
    add(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    add(0xE0 | point >> 12);
    add(0x80 | (point >> 6 & 0x3F));
    add(0x80 | (point & 0x3F));
  } else {
    add(0xF0 | point >> 18);
    add(0x80 | (point >> 12 & 0x3F));
    add(0x80 | (point >> 6 & 0x3F));
    add(0x80 | (point & 0x3F));
  }
}

// Bytes that are no UTF-8 stay as they are: PostgreSQL sends none, and a key must not be lost by them.
std::string folded(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 0;
    if (length == 0 || i + length > text.size()) {
      result += text[i++];
      continue;
    }
    char32_t point = length == 1 ? first : first & (0x7Fu >> length);
    for (size_t k = 1; k < length; ++k) point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
    append_utf8(result, lower(point));
    i += length;
  }
  return result;
}

// "1.500" and "1.5", "-0" and "0.00" are one number. What has an exponent is a float's shortest text already; NaN and
// infinities are words.
std::string number(std::string_view text) {
  std::string digits(text);
  if (digits.find_first_of("eEN") == std::string::npos && digits.find('.') != std::string::npos) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) digits.pop_back();
  }
  return digits == "-0" ? "0" : digits;
}

}  // namespace

KeyForm key_form(change::Oid base_type, std::string_view base_type_name) {
  switch (base_type.value()) {
    case 20:  // int8, int2, int4
    case 21:
    case 23: return KeyForm::integer;
    case 25:    // text
    case 1043:  // varchar
    case 2950:  // uuid
      return KeyForm::plain;
    case 1042: return KeyForm::trimmed;
    case 700:  // float4, float8, numeric
    case 701:
    case 1700: return KeyForm::number;
    default: return base_type_name == "citext" ? KeyForm::folded : KeyForm::printed;
  }
}

KeyForm key_form(const postgres::TableColumn& column) {
  const bool resolved = column.base_type.value() != 0;
  return key_form(resolved ? column.base_type : column.type, column.base_type_name);
}

KeyForm shared_key_form(const postgres::TableColumn& column) {
  constexpr uint32_t kUuid = 2950;
  const change::Oid type = column.base_type.value() != 0 ? column.base_type : column.type;
  const KeyForm form = key_form(column);
  return form == KeyForm::plain && type.value() != kUuid ? KeyForm::printed : form;
}

Result<KeyForm> key_form(const postgres::TypeCatalog& types, change::Oid type) {
  CNX_TRY(postgres::ResolvedType resolved, types.resolve(type, -1));
  return key_form(resolved.type->oid, resolved.type->name);
}

bool may_lead_to(KeyForm mine, KeyForm theirs) {
  if (theirs == KeyForm::integer) return mine == KeyForm::integer;
  const auto counts = [](KeyForm form) { return form == KeyForm::integer || form == KeyForm::number; };
  return counts(mine) == counts(theirs);
}

bool is_single(const std::vector<KeyForm>& forms) {
  return forms.size() == 1 && (forms.front() == KeyForm::integer || forms.front() == KeyForm::plain);
}

std::string canonical(KeyForm form, std::string_view text) {
  switch (form) {
    case KeyForm::trimmed: return trimmed(text);
    case KeyForm::folded: return folded(text);
    case KeyForm::number: return number(text);
    case KeyForm::integer:
    case KeyForm::plain:
    case KeyForm::printed: break;
  }
  return std::string(text);
}

std::string key_text(const std::vector<KeyForm>& forms, const std::vector<std::string_view>& texts) {
  std::string key;
  for (size_t i = 0; i < forms.size(); ++i) {
    const std::string part = canonical(forms[i], texts[i]);
    key += std::to_string(part.size()) + ":" + part;
  }
  return key.size() < kLongest ? key : "sha256:" + sha256_hex(key);
}

}  // namespace cnx::mapping
