// Input: one byte for the number of columns, then one line of COPY.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.hpp"
#include "postgres/copy_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cnx;
  if (size == 0) return 0;
  std::vector<char> line(data + 1, data + size);
  size_t columns = data[0];
  auto row = postgres::decode_copy_line({line.data(), line.size()}, columns);
  if (!row) return 0;
  CNX_CHECK(row->size() == columns, "a row has the columns that were asked for");
  const char* begin = line.data();
  for (const auto& datum : *row) {
    if (datum.kind != change::DatumView::Kind::text || datum.text.empty()) continue;
    CNX_CHECK(datum.text.data() >= begin, "columns stand in their order and do not overlap");
    begin = datum.text.data() + datum.text.size();
    CNX_CHECK(begin <= line.data() + line.size(), "a column stays inside its line");
  }
  return 0;
}
