#include "pipeline/source_view.hpp"

#include "pipeline/graph_marks.hpp"
#include "pipeline/ground.hpp"

namespace cnx::pipeline {

// The slot before the position, which only the position's owner moves ahead of; the log's end after both.
Result<SourceView> view_source(postgres::Session& session, bolt::Connection& graph, const PipelineOptions& options,
                               TimePoint deadline) {
  SourceView view;
  CNX_TRY(view.look, look_at_source(session, options, deadline));
  CNX_TRY(view.position, apply::read_position(graph, apply::lane_key(options.name), deadline));
  capture::SourceFacts facts{.record = view.look.record, .server_version = session.server_version(), .slot = view.look.slot};
  CNX_TRY(facts.graph_identity, read_graph_identity(graph));
  CNX_TRY(view.system, read_identity(session, deadline));
  if (view.position) {
    facts.held = held_position(*view.position);
    facts.streams = view.position->stored.lane.phase == apply::Phase::stream;
    // Which timelines led to this one only a replication connection is told.
    if (facts.streams && view.system.timeline != view.position->source.timeline) {
      CNX_TRY(postgres::ReplicationStream stream, postgres::ReplicationStream::open(options.postgres, deadline));
      CNX_TRY(view.system, stream.identify_system(deadline));
    }
  }
  facts.system = view.system;
  view.judgement = capture::judge_source(facts);
  return view;
}

Result<SourceView> view_source(const PipelineOptions& options, TimePoint deadline) {
  CNX_TRY(postgres::Session session, open_session(options, deadline));
  CNX_TRY(bolt::Connection graph, open_graph(options, deadline));
  return view_source(session, graph, options, deadline);
}

}  // namespace cnx::pipeline
