#include "postgres/pgoutput.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

namespace cnx::postgres {
namespace {

using change::DatumView;

Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// The notation of tests/data/pgoutput/golden.txt.
struct Notation {
  static constexpr int64_t kEpoch2000 = 946'684'800'000'000;
  std::ostringstream out;

  static std::string time(int64_t microseconds) {
    return std::to_string(microseconds - kEpoch2000);
  }
  void tuple(const Tuple& columns) {
    constexpr size_t kShownMax = 80;
    out << '(';
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out << ", ";
      if (columns[i].kind == DatumView::Kind::null) out << "null";
      if (columns[i].kind == DatumView::Kind::unchanged) out << "unchanged";
      if (columns[i].kind != DatumView::Kind::text) continue;
      if (columns[i].text.size() > kShownMax) {
        out << '<' << columns[i].text.size() << " bytes>";
      } else {
        out << '\'' << columns[i].text << '\'';
      }
    }
    out << ')';
  }
  void xid(const StreamXid& id) {
    if (id) out << " xid=" << id->value();
  }
  void operator()(const RowMessage& m) {
    out << (m.operation == change::Operation::insert   ? 'I'
            : m.operation == change::Operation::update ? 'U'
                                                       : 'D')
        << ' ' << m.relation.value();
    if (!m.old_row.empty()) {
      out << ' ' << (m.old_is_full ? 'O' : 'K');
      tuple(m.old_row);
    }
    if (!m.row.empty()) {
      out << ' ';
      tuple(m.row);
    }
    xid(m.xid);
  }
  void operator()(const change::Begin& m) {
    out << "B " << m.final_lsn.to_string() << ' ' << time(m.commit_microseconds) << ' '
        << m.xid.value();
  }
  void operator()(const CommitMessage& m) {
    out << "C " << m.commit_lsn.to_string() << ' ' << m.end_lsn.to_string() << ' '
        << time(m.commit_microseconds);
  }
  void operator()(const RelationMessage& m) {
    out << "R " << m.relation->oid.value() << ' ' << m.relation->schema << '.' << m.relation->name
        << ' ' << static_cast<char>(m.relation->identity);
    for (const auto& column : m.relation->columns) {
      out << ' ' << (column.identity ? "*" : "") << column.name << ':' << column.type.value() << ':'
          << column.type_modifier;
    }
    xid(m.xid);
  }
  void operator()(const TypeMessage& m) {
    out << "Y " << m.oid.value() << ' ' << m.schema << '.' << m.name;
    xid(m.xid);
  }
  void operator()(const TruncateMessage& m) {
    out << "T " << (m.cascade ? 1 : 0) + (m.restart_identity ? 2 : 0);
    for (change::Oid oid : m.relations) out << ' ' << oid.value();
    xid(m.xid);
  }
  void operator()(const OriginMessage& m) {
    out << "O " << m.commit_lsn.to_string() << ' ' << m.name;
  }
  void operator()(const LogicalMessage& m) {
    out << "M " << m.transactional << ' ' << m.lsn.to_string() << ' ' << m.prefix << ' '
        << as_text(m.content);
    xid(m.xid);
  }
  void operator()(const StreamStart& m) { out << "S " << m.xid.value() << ' ' << m.first_segment; }
  void operator()(const StreamStop&) { out << 'E'; }
  void operator()(const StreamCommit& m) {
    out << "c " << m.xid.value() << ' ' << m.commit_lsn.to_string() << ' ' << m.end_lsn.to_string()
        << ' ' << time(m.commit_microseconds);
  }
  void operator()(const StreamAbort& m) {
    out << "A " << m.xid.value() << ' ' << m.subtransaction.value();
    if (m.abort_lsn.value() != 0) {
      out << ' ' << m.abort_lsn.to_string() << ' ' << time(m.abort_microseconds);
    }
  }
  void operator()(const PrepareMessage& m) {
    out << static_cast<char>(m.step) << ' ' << m.lsn.to_string() << ' ' << m.end_lsn.to_string()
        << ' ' << time(m.microseconds) << ' ' << m.xid.value() << ' ' << m.gid;
  }
  void operator()(const RollbackPrepared& m) {
    out << "r " << m.prepare_end_lsn.to_string() << ' ' << m.rollback_end_lsn.to_string() << ' '
        << time(m.prepare_microseconds) << ' ' << time(m.rollback_microseconds) << ' '
        << m.xid.value() << ' ' << m.gid;
  }
};

std::string shown(const Result<Message>& message) {
  if (!message) return std::string(to_string(message.error().kind()));
  Notation notation;
  std::visit(notation, *message);
  return notation.out.str();
}

struct Golden {
  std::string name;
  Bytes payload;
  std::string said;
};

std::vector<Golden> golden() {
  std::vector<Golden> all;
  std::ifstream file(CNX_TEST_DATA "/pgoutput/golden.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    size_t first = line.find('\t');
    size_t second = line.find('\t', first + 1);
    all.push_back({line.substr(0, first), from_hex(line.substr(first + 1, second - first - 1)),
                   line.substr(second + 1)});
  }
  return all;
}

DecoderState state_for(const std::string& name, bool in_stream_block = false) {
  return {name == "parallel", in_stream_block};
}

TEST(Pgoutput, messages_of_a_real_server_are_read_as_they_were_meant) {
  auto all = golden();
  ASSERT_GT(all.size(), 140u);
  DecoderState state;
  std::string name;
  for (const Golden& message : all) {
    if (message.name != name) state = state_for(name = message.name);
    EXPECT_EQ(shown(decode(message.payload, state)), message.said) << message.name;
  }
}

TEST(Pgoutput, every_truncation_and_every_byte_too_many_is_malformed) {
  DecoderState state;
  std::string name;
  for (const Golden& message : golden()) {
    if (message.said == "unsupported") continue;
    if (message.name != name) state = state_for(name = message.name);
    for (size_t size = 0; size < message.payload.size(); ++size) {
      DecoderState trial = state;
      auto result = decode(BytesView(message.payload).first(size), trial);
      ASSERT_FALSE(result) << message.said << " cut to " << size;
      ASSERT_EQ(result.error().kind(), ErrorKind::malformed);
      ASSERT_EQ(trial.in_stream_block, state.in_stream_block);
    }
    Bytes longer = message.payload;
    longer.push_back(std::byte{0});
    DecoderState trial = state;
    ASSERT_EQ(shown(decode(longer, trial)), "malformed") << message.said;
    ASSERT_TRUE(decode(message.payload, state));
  }
}

TEST(Pgoutput, random_and_damaged_bytes_end_in_a_message_or_an_error) {
  constexpr uint64_t kSeed = 20240229;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  auto all = golden();
  for (int i = 0; i < 20'000; ++i) {
    const Golden& message = all[random() % all.size()];
    DecoderState state = state_for(message.name, random() % 2 == 0);
    Bytes bytes = message.payload;
    for (uint64_t changes = random() % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    auto result = decode(bytes, state);
    EXPECT_TRUE(result || result.error().kind() != ErrorKind::internal);
  }
}

TEST(Pgoutput, a_count_that_cannot_be_there_is_malformed_before_anything_is_allocated) {
  DecoderState state;
  for (const char* hex : {
           "54"
           "ffffffff"
           "00"
           "00000001",  // four thousand million relations
           "49"
           "00000001"
           "4e"
           "7fff"
           "6e",  // 32,767 columns in one byte
           "49"
           "00000001"
           "4e"
           "ffff"
           "6e",  // a negative count
           "49"
           "00000001"
           "4e"
           "0001"
           "74"
           "7fffffff"
           "31",  // a text of 2 GiB
           "49"
           "00000001"
           "4e"
           "0001"
           "74"
           "ffffffff"
           "31",  // a text of -1
           "52"
           "00000001"
           "7000"
           "7400"
           "64"
           "7fff",  // a relation of 32,767 columns
       }) {
    EXPECT_EQ(shown(decode(from_hex(hex), state)), "malformed") << hex;
  }
}

TEST(Pgoutput, marks_that_no_version_defines_are_malformed) {
  DecoderState state;
  for (const char* hex : {"49"
                          "00000001"
                          "4b"
                          "0000",
                          "55"
                          "00000001"
                          "58"
                          "0000",
                          "44"
                          "00000001"
                          "4e"
                          "0000",
                          "5a", "00",
                          "52"
                          "00000001"
                          "7000"
                          "7400"
                          "78"
                          "0000"}) {
    EXPECT_EQ(shown(decode(from_hex(hex), state)), "malformed") << hex;
  }
}

TEST(Pgoutput, stream_blocks_neither_nest_nor_end_twice) {
  DecoderState state;
  Bytes start = from_hex("530000000101");
  Bytes stop = from_hex("45");
  EXPECT_EQ(shown(decode(stop, state)), "malformed");
  EXPECT_EQ(shown(decode(start, state)), "S 1 1");
  EXPECT_EQ(shown(decode(start, state)), "malformed");
  EXPECT_EQ(shown(decode(stop, state)), "E");
}

TEST(Pgoutput, a_streamed_prepare_is_read) {
  DecoderState state;
  Bytes bytes = from_hex(
      "70"
      "00"
      "0000000000000010"
      "0000000000000020"
      "0000000000000005"
      "00000007"
      "6700");
  EXPECT_EQ(shown(decode(bytes, state)), "p 0/10 0/20 5 7 g");
}

TEST(Pgoutput, a_commit_time_beyond_the_scale_stays_at_its_end) {
  DecoderState state;
  auto message = decode(from_hex("42"
                                 "0000000000000001"
                                 "7fffffffffffffff"
                                 "00000001"),
                        state);
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<change::Begin>(*message).commit_microseconds,
            std::numeric_limits<int64_t>::max());
}

}  // namespace
}  // namespace cnx::postgres
