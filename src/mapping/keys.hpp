// The words of the mapping language, one list for each kind of map. load reads by them, and a test
// holds mappings/mapping.schema.json against them.
#pragma once

#include <array>
#include <string_view>

namespace cnx::mapping::keys {

using Word = std::string_view;

inline constexpr std::array kFile = {
    Word("version"),         Word("name"),     Word("schema"), Word("naming"),
    Word("tenant_property"), Word("defaults"), Word("tables")};
inline constexpr std::array kDefaults = {Word("key"), Word("version"), Word("tenant"),
                                         Word("exclude"), Word("conflict")};
inline constexpr std::array kNode = {Word("node"),    Word("key"),     Word("properties"),
                                     Word("include"), Word("exclude"), Word("relationships"),
                                     Word("version"), Word("tenant"),  Word("cypher"),
                                     Word("schema"),  Word("table"),   Word("indexes"),
                                     Word("labels"),  Word("where"),   Word("nodes"),
                                     Word("conflict")};
inline constexpr std::array kRelationship = {
    Word("relationship"), Word("from"),   Word("to"),     Word("key"),    Word("properties"),
    Word("version"),      Word("tenant"), Word("cypher"), Word("schema"), Word("table"),
    Word("indexes"),      Word("where"),  Word("conflict")};
inline constexpr std::array kUnmapped = {Word("graph"), Word("schema"), Word("table")};
inline constexpr std::array kForeignKey = {Word("from"), Word("to"), Word("properties")};
// A further node of a row.
inline constexpr std::array kPart = {Word("to"),         Word("from"),   Word("key"),
                                     Word("properties"), Word("fields"), Word("indexes")};
inline constexpr std::array kTemplate = {Word("template")};
inline constexpr std::array kChoice = {Word("choose"), Word("when"), Word("otherwise")};
inline constexpr std::array kColumn = {Word("column"), Word("as")};
inline constexpr std::array kValueChoice = {Word("column"), Word("when"), Word("if_null"), Word("otherwise")};
inline constexpr std::array kConstant = {Word("constant")};
// Words of all kinds of property.
inline constexpr std::array kElsewhere = {Word("template"),  Word("choose"), Word("when"), Word("otherwise"),
                                          Word("constant"), Word("column"), Word("as")};
// What `as` says: each is known to find_form().
inline constexpr std::array kForms = {Word("float"),       Word("point"),   Word("vector"),
                                      Word("list<float>"), Word("flatten"), Word("string")};
// Its kinds first: each is known to find_index_kind().
inline constexpr std::array kIndex = {Word("range"), Word("text"),       Word("fulltext"),  Word("point"),
                                      Word("vector"), Word("dimensions"), Word("similarity")};
// The first is the default.
inline constexpr std::array kSimilarities = {Word("cosine"), Word("euclidean")};
// What is done about a conflict, and what counts as one.
inline constexpr std::array kConflict = {Word("strategy"), Word("timestamp"), Word("function"), Word("detect"),
                                         Word("table"),    Word("column"),    Word("by")};
inline constexpr std::array kDetect = {Word("version"), Word("changed")};
inline constexpr std::array kNaming = {Word("camelCase"), Word("as_is")};

}  // namespace cnx::mapping::keys
