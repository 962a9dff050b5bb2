// Captured pgoutput messages from memory to changes, and on to values: changes a second on one
// core. Each message has a buffer of its own, as libpq gives it, and there are more of them than
// the caches hold.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "postgres/copy_text.hpp"
#include "postgres/pgoutput.hpp"
#include "postgres/text_codec.hpp"

namespace cnx::postgres {
namespace {

constexpr int kCopies = 200;  // 20,000 rows: about 8 MB of payload.

struct Captured {
  std::vector<Bytes> messages;
  std::vector<std::string> lines;  // The same rows as COPY would print them.
  size_t rows = 0;
  std::vector<Codec> codecs;
};

Bytes from_hex(const std::string& hex) {
  Bytes bytes(hex.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(std::strtoul(hex.substr(2 * i, 2).c_str(), nullptr, 16));
  }
  return bytes;
}

std::vector<Codec> codecs_of(const change::Relation& relation) {
  std::vector<Codec> codecs;
  TypeCatalog catalog = TypeCatalog::built_in();
  for (const auto& column : relation.columns) {
    codecs.push_back(*codec_for(catalog, column.type, column.type_modifier));
  }
  return codecs;
}

std::string copy_line(const RowMessage& row) {
  std::string line;
  for (const auto& datum : row.row) {
    if (!line.empty()) line += '\t';
    line += datum.text;
  }
  return line + '\n';
}

const Captured& captured() {
  static const Captured all = [] {
    Captured result;
    std::ifstream file(CNX_TEST_DATA "/pgoutput/rows.txt");
    std::vector<Bytes> transaction;
    for (std::string line; std::getline(file, line);) {
      if (!line.empty() && line[0] != '#') transaction.push_back(from_hex(line));
    }
    if (transaction.empty()) {
      std::cerr << "no captured messages\n";
      std::exit(1);
    }
    for (int i = 0; i < kCopies; ++i) {
      for (const Bytes& message : transaction) {
        DecoderState state;
        Message decoded = *decode(message, state);
        if (auto* row = std::get_if<RowMessage>(&decoded)) {
          ++result.rows;
          result.lines.push_back(copy_line(*row));
        }
        if (auto* relation = std::get_if<RelationMessage>(&decoded)) {
          result.codecs = codecs_of(*relation->relation);
        }
        result.messages.push_back(message);
      }
    }
    return result;
  }();
  return all;
}

void report(benchmark::State& state, size_t rows) {
  state.counters["changes"] =
      benchmark::Counter(static_cast<double>(rows) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

void messages_to_changes(benchmark::State& state) {
  const Captured& all = captured();
  for (auto _ : state) {
    DecoderState decoder;
    for (const Bytes& message : all.messages) {
      auto decoded = decode(message, decoder);
      benchmark::DoNotOptimize(decoded);
    }
  }
  report(state, all.rows);
}
BENCHMARK(messages_to_changes)->Unit(benchmark::kMillisecond);

void messages_to_values(benchmark::State& state) {
  const Captured& all = captured();
  for (auto _ : state) {
    DecoderState decoder;
    for (const Bytes& message : all.messages) {
      auto decoded = decode(message, decoder);
      auto* row = std::get_if<RowMessage>(&*decoded);
      if (row == nullptr) continue;
      for (size_t i = 0; i < row->row.size(); ++i) {
        auto value = decode(all.codecs[i], row->row[i].text);
        benchmark::DoNotOptimize(value);
      }
    }
  }
  report(state, all.rows);
}
BENCHMARK(messages_to_values)->Unit(benchmark::kMillisecond);

void copy_lines_to_values(benchmark::State& state) {
  const Captured& all = captured();
  for (auto _ : state) {
    std::string buffer;
    for (const std::string& line : all.lines) {
      buffer = line;
      auto row = decode_copy_line({buffer.data(), buffer.size()}, all.codecs.size());
      for (size_t i = 0; i < row->size(); ++i) {
        auto value = decode(all.codecs[i], (*row)[i].text);
        benchmark::DoNotOptimize(value);
      }
    }
  }
  report(state, all.rows);
}
BENCHMARK(copy_lines_to_values)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cnx::postgres
