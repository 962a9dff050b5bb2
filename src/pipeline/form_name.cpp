#include "pipeline/form_name.hpp"

namespace cnx::pipeline {

std::string form_name(postgres::ValueForm form) {
  using postgres::ValueForm;
  switch (form) {
    case ValueForm::text:
    case ValueForm::money:
      return "STRING";
    case ValueForm::boolean:
      return "BOOLEAN";
    case ValueForm::integer:
    case ValueForm::whole_numeric:
      return "INTEGER";
    case ValueForm::floating:
    case ValueForm::as_float:
      return "FLOAT";
    case ValueForm::bytes:
      return "BYTES";
    case ValueForm::date:
      return "DATE";
    case ValueForm::time:
      return "LOCAL TIME";
    case ValueForm::time_with_zone:
      return "ZONED TIME";
    case ValueForm::timestamp:
      return "LOCAL DATETIME";
    case ValueForm::timestamp_with_zone:
      return "ZONED DATETIME";
    case ValueForm::interval:
      return "DURATION";
    case ValueForm::list:
      return "LIST";
    case ValueForm::as_point:
      return "POINT";
    case ValueForm::as_vector:
    case ValueForm::as_float_list:
      return "LIST OF FLOAT";
    case ValueForm::as_fields:
      return "by its fields";
  }
  return "STRING";
}

std::string form_name(const postgres::Codec& codec) {
  if (codec.form != postgres::ValueForm::list) return form_name(codec.form);
  return "LIST OF " + form_name(codec.element);
}

}  // namespace cnx::pipeline
