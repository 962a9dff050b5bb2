// The rows that a narrow batch keeps: put together anew, or in part, and named where one of them is at fault.
#pragma once

#include <vector>

#include "apply/batch.hpp"
#include "apply/refused_row.hpp"
#include "mapping/bindings.hpp"

namespace cnx::apply {

// The row with all of its values, and no refusal yet.
RefusedRow refused_row(const mapping::Binding& binding, const change::RowChange& row);
RefusedRow refused_row(const mapping::Binding& binding, const change::SnapshotRow& row);
RefusedRow refused_row(const RefetchedRow& row);

// One thread: that of whoever has the model.
class KeptRows {
 public:
  // All must outlive it. `copy_replaces` as the batch was made with.
  KeptRows(const Batch& batch, mapping::Model& model, const postgres::TypeCatalog& types, bool copy_replaces);

  size_t size() const { return rows_->size(); }
  // What the first `count` of them lead to, without those of `left_out` and what is held behind them. Errors: those of Merge::add.
  Result<mapping::Mutations> merge(size_t count, const std::vector<size_t>& left_out);
  // Of its values, as PostgreSQL printed them.
  size_t bytes(size_t row) const;
  bool was_read_again(size_t row) const { return std::holds_alternative<RefetchedRow>((*rows_)[row]); }
  // One of them; a TRUNCATE is none.
  Result<RefusedRow> name(size_t row);

 private:
  Status add(const KeptRow& row, class DeadRows& dead, mapping::Merge& merge);

  const std::vector<KeptRow>* rows_;
  mapping::Model* model_;
  mapping::Bindings bindings_;
  bool copy_replaces_;
};

}  // namespace cnx::apply
