// PostgreSQL prints random values and says, by arithmetic of its own, what they are: the codecs
// have to agree.
#include <cmath>
#include <cstring>
#include <functional>

#include "database.hpp"
#include "postgres/catalog.hpp"
#include "postgres/text_codec.hpp"

namespace cnx::postgres {
namespace {

using namespace change;

class CodecOracle : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    run("SELECT setseed(0.1582)");
  }
  // Each row: the value's text, then what `expected` makes its value from.
  void agree(std::string_view type, const std::string& sql,
             const std::function<Value(const Rows&, size_t)>& expected) {
    TypeCatalog types = must(read_types(session(), soon()));
    Rows type_oid = rows("SELECT '" + std::string(type) + "'::regtype::oid");
    Codec codec = must(codec_for(types, must(type_oid.oid(0, 0)), -1));
    Rows answer = rows(sql);
    ASSERT_GT(answer.size(), 0u);
    size_t differ = 0;
    for (size_t i = 0; i < answer.size() && differ < 10; ++i) {
      auto value = decode(codec, answer.text(i, 0));
      bool equal = value && *value == expected(answer, i);
      if (!equal) ++differ;
      EXPECT_TRUE(equal) << answer.text(i, 0) << (value ? "" : value.error().describe());
    }
  }
};

int64_t number(const Rows& rows, size_t row, size_t column) {
  return must(rows.integer(row, column));
}
// Microseconds to seconds and nanoseconds, rounding down.
std::pair<int64_t, int32_t> split(int64_t microseconds) {
  int64_t seconds = microseconds / 1'000'000;
  int64_t rest = microseconds % 1'000'000;
  if (rest < 0) {
    --seconds;
    rest += 1'000'000;
  }
  return {seconds, static_cast<int32_t>(rest * 1000)};
}

TEST_F(CodecOracle, dates_of_all_ages) {
  agree("date",
        "SELECT d, d - date '1970-01-01' FROM (SELECT date '4714-11-24 BC' + "
        "CASE WHEN i % 2 = 0 THEN (random() * 2147483000)::int ELSE (random() * 3000000)::int END "
        "AS d "
        "FROM generate_series(1, 20000) i) x",
        [](const Rows& r, size_t i) { return Date{number(r, i, 1)}; });
}

constexpr const char* kRandomTimestamps =
    "(SELECT CASE WHEN i % 3 = 0 THEN timestamp '4713-01-01 BC' + random() * interval '290000 "
    "years' "
    "WHEN i % 3 = 1 THEN timestamp '1970-01-01' + (random() - 0.5) * interval '100 years' "
    "ELSE timestamp '0001-01-01' + (random() - 0.5) * interval '3 years' END AS t "
    "FROM generate_series(1, 20000) i) x";

TEST_F(CodecOracle, timestamps_of_all_ages) {
  agree("timestamp",
        std::string("SELECT t, (extract(epoch FROM t) * 1000000)::int8 FROM ") + kRandomTimestamps,
        [](const Rows& r, size_t i) {
          auto [seconds, nanoseconds] = split(number(r, i, 1));
          return LocalDateTime{seconds, nanoseconds};
        });
}

TEST_F(CodecOracle, instants_of_all_ages) {
  agree("timestamptz",
        std::string(
            "SELECT t::timestamptz, (extract(epoch FROM t::timestamptz) * 1000000)::int8 FROM ") +
            kRandomTimestamps,
        [](const Rows& r, size_t i) {
          auto [seconds, nanoseconds] = split(number(r, i, 1));
          return ZonedDateTime{seconds, nanoseconds};
        });
}

TEST_F(CodecOracle, times_of_day) {
  agree("time",
        "SELECT t, (extract(epoch FROM t) * 1000000)::int8 FROM (SELECT time '00:00' + "
        "random() * interval '24 hours' AS t FROM generate_series(1, 5000)) x",
        [](const Rows& r, size_t i) { return LocalTime{number(r, i, 1) * 1000}; });
}

TEST_F(CodecOracle, times_with_zones) {
  agree("timetz",
        "SELECT z, (extract(epoch FROM t) * 1000000)::int8, extract(timezone FROM z)::int8 FROM "
        "(SELECT t, (t::text || CASE WHEN random() < 0.5 THEN '+' ELSE '-' END || "
        "to_char(time '00:00' + random() * interval '15 hours', 'HH24:MI:SS'))::timetz AS z "
        "FROM (SELECT time '00:00' + random() * interval '24 hours' AS t "
        "FROM generate_series(1, 5000)) y) x",
        [](const Rows& r, size_t i) {
          return ZonedTime{number(r, i, 1) * 1000, static_cast<int32_t>(number(r, i, 2))};
        });
}

TEST_F(CodecOracle, intervals_with_every_mixture_of_signs) {
  agree(
      "interval",
      "SELECT make_interval(months => m, days => d) + us * interval '1 microsecond', m, d, us FROM "
      "(SELECT CASE WHEN i % 4 = 0 THEN 0 ELSE ((random() - 0.5) * 4000000000)::int8::int4 END AS "
      "m, "
      "CASE WHEN i % 5 = 0 THEN 0 ELSE ((random() - 0.5) * 4000000)::int END AS d, "
      "CASE WHEN i % 3 = 0 THEN 0 WHEN i % 3 = 1 THEN ((random() - 0.5) * 4000000)::int8 "
      "ELSE ((random() - 0.5) * 90000000000000000)::int8 END AS us "
      "FROM generate_series(1, 20000) i) x",
      [](const Rows& r, size_t i) {
        auto [seconds, nanoseconds] = split(number(r, i, 3));
        return Interval{number(r, i, 1), number(r, i, 2), seconds, nanoseconds};
      });
}

TEST_F(CodecOracle, doubles_to_the_last_bit) {
  agree("float8",
        "SELECT f, encode(float8send(f), 'hex') FROM (SELECT (random() - 0.5) * 10.0 ^ "
        "((random() - 0.5) * 600) AS f FROM generate_series(1, 20000)) x",
        [](const Rows& r, size_t i) {
          uint64_t bits = std::stoull(std::string(r.text(i, 1)), nullptr, 16);
          double value;
          std::memcpy(&value, &bits, sizeof value);
          return Value(value);
        });
}

TEST_F(CodecOracle, money_by_its_numeric) {
  agree("money",
        "SELECT m, m::numeric::text FROM (SELECT ((random() - 0.5) * 10 ^ (random() * 16))::numeric"
        "::money AS m FROM generate_series(1, 5000)) x",
        [](const Rows& r, size_t i) { return Value(std::string(r.text(i, 1))); });
}

TEST_F(CodecOracle, bytes_by_their_hexadecimal) {
  agree("bytea",
        "SELECT b, encode(b, 'hex') FROM (SELECT substr(decode(repeat(md5(random()::text), 3), "
        "'hex'), 1, "
        "i % 40) AS b FROM generate_series(1, 2000) i) x",
        [](const Rows& r, size_t i) {
          Bytes bytes;
          for (size_t at = 0; at < r.text(i, 1).size(); at += 2) {
            bytes.push_back(static_cast<std::byte>(
                std::stoi(std::string(r.text(i, 1).substr(at, 2)), nullptr, 16)));
          }
          return Value(bytes);
        });
}

TEST_F(CodecOracle, arrays_by_their_elements) {
  agree("text[]",
        "SELECT array_agg(e ORDER BY i), array_agg(encode(convert_to(e, 'UTF8'), 'hex') ORDER BY "
        "i) FROM "
        "(SELECT g, i, (SELECT coalesce(string_agg(substr(E'a\"\\\\{},; \\tNULLnulé', "
        "1 + (random() * 17)::int, 1), ''), '') FROM generate_series(1, (i + g) % 6)) AS e "
        "FROM generate_series(1, 1500) g, generate_series(1, 4) i) x GROUP BY g",
        [](const Rows& r, size_t i) {
          List list;
          for (const std::string& hex : must(r.texts(i, 1))) {
            std::string text;
            for (size_t at = 0; at < hex.size(); at += 2) {
              text += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
            }
            list.items.emplace_back(text);
          }
          return Value(list);
        });
}

TEST_F(CodecOracle, types_that_the_database_defines) {
  run("CREATE DOMAIN posint AS int CHECK (value > 0); CREATE DOMAIN small AS numeric(10,0);"
      "CREATE DOMAIN smaller AS small; CREATE DOMAIN ints AS int[]; CREATE TYPE mood AS ENUM "
      "('ok');"
      "CREATE TYPE comp AS (x int, y text, z numeric)");
  TypeCatalog types = must(read_types(session(), soon()));
  auto form = [&](const std::string& type, ValueForm element = ValueForm::text) {
    Rows oid = rows("SELECT '" + type + "'::regtype::oid");
    Codec codec = must(codec_for(types, must(oid.oid(0, 0)), -1));
    EXPECT_EQ(codec.element, element) << type;
    return codec.form;
  };
  EXPECT_EQ(form("public.posint"), ValueForm::integer);
  EXPECT_EQ(form("public.smaller"), ValueForm::whole_numeric);
  EXPECT_EQ(form("public.ints", ValueForm::integer), ValueForm::list);
  EXPECT_EQ(form("public.smaller[]", ValueForm::whole_numeric), ValueForm::list);
  EXPECT_EQ(form("public.ints[]", ValueForm::list), ValueForm::list);
  EXPECT_EQ(form("public.mood"), ValueForm::text);
  EXPECT_EQ(form("public.mood[]"), ValueForm::list);
  EXPECT_EQ(form("public.comp"), ValueForm::text);
  EXPECT_EQ(form("int2vector"), ValueForm::text);
  EXPECT_EQ(form("int4range"), ValueForm::text);
}

}  // namespace
}  // namespace cnx::postgres
