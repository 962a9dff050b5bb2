// Rules by ending, and the words that do not follow them. Names of tables are meant, not prose: a
// word is taken for what it is likely to be there.
#include "mapping/singular.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cnx::mapping {
namespace {

using Word = std::string_view;
using Pair = std::pair<Word, Word>;

constexpr std::array kIrregular = {
    Pair("people", "person"),
    Pair("men", "man"),
    Pair("women", "woman"),
    Pair("children", "child"),
    Pair("feet", "foot"),
    Pair("teeth", "tooth"),
    Pair("mice", "mouse"),
    Pair("geese", "goose"),
    Pair("indices", "index"),
    Pair("matrices", "matrix"),
    Pair("vertices", "vertex"),
    Pair("appendices", "appendix"),
    Pair("criteria", "criterion"),
    Pair("analyses", "analysis"),
    Pair("crises", "crisis"),
    Pair("diagnoses", "diagnosis"),
    Pair("hypotheses", "hypothesis"),
    Pair("theses", "thesis"),
    Pair("axes", "axis"),
    Pair("aliases", "alias"),
    Pair("biases", "bias"),
    Pair("canvases", "canvas"),
    Pair("atlases", "atlas"),
    Pair("lenses", "lens"),
    Pair("gases", "gas"),
    Pair("quizzes", "quiz"),
    Pair("movies", "movie"),
    Pair("cookies", "cookie"),
    Pair("calories", "calorie"),
    Pair("zombies", "zombie"),
    Pair("selfies", "selfie"),
    Pair("caches", "cache"),
    Pair("niches", "niche"),
    Pair("headaches", "headache"),
    Pair("shoes", "shoe"),
    Pair("toes", "toe"),
    Pair("canoes", "canoe"),
    Pair("leaves", "leaf"),
    Pair("lives", "life"),
    Pair("wives", "wife"),
    Pair("knives", "knife"),
    Pair("shelves", "shelf"),
    Pair("halves", "half"),
    Pair("wolves", "wolf"),
    Pair("calves", "calf"),
    Pair("loaves", "loaf"),
    Pair("thieves", "thief"),
    Pair("menus", "menu"),
    Pair("gurus", "guru"),
    Pair("taxis", "taxi"),
    Pair("skis", "ski"),
    Pair("apis", "api"),
    Pair("uris", "uri"),
    Pair("kpis", "kpi"),
    Pair("uses", "use"),
    Pair("excuses", "excuse"),
    Pair("fuses", "fuse"),
    Pair("ids", "id"),
    Pair("pcs", "pc"),
    Pair("tvs", "tv"),
    Pair("axises", "axis"),
    Pair("cpus", "cpu"),
    Pair("gpus", "gpu"),
    Pair("skus", "sku"),
    Pair("ads", "ad"),
    Pair("ips", "ip"),
    Pair("prs", "pr"),
    Pair("dos", "do"),
    Pair("waltzes", "waltz"),
};

// One form for both numbers, or singular in spite of its ending.
constexpr std::array kUnchanged = {
    Word("series"),    Word("species"),      Word("news"),        Word("alias"),
    Word("bias"),      Word("canvas"),       Word("atlas"),       Word("lens"),
    Word("chassis"),   Word("headquarters"), Word("goods"),       Word("means"),
    Word("physics"),   Word("economics"),    Word("politics"),    Word("analytics"),
    Word("logistics"), Word("mathematics"),  Word("electronics"), Word("christmas"),
    Word("pancreas"),  Word("texas"),        Word("kubernetes"),  Word("diabetes"),
    Word("https"),     Word("always"),       Word("chaos"),       Word("cosmos"),
    Word("ethos"),     Word("pathos"),       Word("sms"),         Word("mms"),
    Word("gps"),       Word("dns"),          Word("aws"),         Word("tls"),
    Word("css"),       Word("rss"),          Word("cms"),         Word("crms"),
    Word("has"),       Word("does"),         Word("postgres"),
};

bool is_small_word(Word word) {
  return !word.empty() &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::string without(Word word, size_t letters) {
  return std::string(word.substr(0, word.size() - letters));
}

// …es, where it is more than the plural of a word in e.
std::string without_es(Word word) {
  for (Word ending : {"sses", "shes", "ches", "xes", "zzes", "oes"}) {
    if (word.ends_with(ending)) return without(word, 2);
  }
  // statuses, viruses; but houses, causes and their like are of a word in e.
  if (word.ends_with("uses") && word.size() > 5) {
    const char before = word[word.size() - 5];
    return without(word, before == 'o' || before == 'a' ? 1 : 2);
  }
  return without(word, 1);
}

}  // namespace

std::string singular(std::string_view word) {
  const std::string same(word);
  if (!is_small_word(word)) return same;
  for (const auto& [plural, one] : kIrregular) {
    if (word == plural) return std::string(one);
  }
  if (std::find(kUnchanged.begin(), kUnchanged.end(), word) != kUnchanged.end()) return same;
  constexpr size_t kShortest = 4;  // gas, bus, its: no plurals; cars is.
  if (!word.ends_with('s') || word.size() < kShortest) return same;
  for (Word ending : {"ss", "us", "is"}) {
    if (word.ends_with(ending)) return same;
  }
  if (word.ends_with("ies")) {
    return word.size() > kShortest ? without(word, 3) + "y" : without(word, 1);
  }
  return word.ends_with("es") ? without_es(word) : without(word, 1);
}

}  // namespace cnx::mapping
