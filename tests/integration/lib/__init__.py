# What the integration and fault tests share: servers, engine runner, PostgreSQL and graph access, and the comparer.
# None of it shares code with the engine: the expected graph comes from schema_form.py, the graph is read over HTTP.
