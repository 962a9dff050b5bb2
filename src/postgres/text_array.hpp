// The text of an array to its elements' texts.
//
//   array  = [ 1*( "[" lower ":" upper "]" ) "=" ] nested    bounds: where a lower one is not 1
//   nested = "{" [ item *( delimiter item ) ] "}"
//   item   = nested | "NULL" | quoted | 1*( any byte but delimiter, "{", "}", quote, backslash )
//   quoted = quote *( any byte but quote, backslash | backslash any byte ) quote
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cnx::postgres {

struct ArrayShape {
  bool flat = true;    // One dimension that begins at 1.
  bool nulls = false;  // NULL is among the elements.
  size_t items = 0;    // Innermost elements.
};

// nullopt where `text` is not an array's.
std::optional<ArrayShape> shape_of_array(std::string_view text, char delimiter);

// The elements of a flat array whose shape has been read. One thread.
class ArrayItems {
 public:
  // `text` outlives the reader.
  ArrayItems(std::string_view text, char delimiter)
      : rest_(text.substr(1)), delimiter_(delimiter) {}
  // The next element's own text; valid until the next call.
  std::string_view next();

 private:
  std::string_view rest_;
  char delimiter_;
  std::string plain_;
};

}  // namespace cnx::postgres
