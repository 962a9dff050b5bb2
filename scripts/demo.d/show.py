"""show.py --engine PID [--once] --tenant ID: watches the engine from outside, through both databases alone.

First the rows that were there before, as they arrive in the graph; then live changes, each with the time from its COMMIT until it was
seen in the graph; then questions that need the graph. Without --once it goes on with a change a second until Ctrl-C.
Ends with 1 where the engine dies or a change does not arrive.
"""

import argparse
import os
import statistics
import sys
import textwrap
import time

import psycopg2
from changes import Changes
from neo4j_http import Neo4j, Neo4jError
from questions import QUESTIONS

# What is counted on either side; a relationship is named with its start where one type has two meanings.
NODES = [("tenants", "Tenant"), ("users", "User"), ("programs", "Program"), ("projects", "Project"), ("threads", "Thread"),
         ("content_items", "ContentItem"), ("text_content", "Text"), ("code_content", "Code"), ("content_chunks", "ContentChunk"),
         ("tags", "Tag"), ("messages", "Message")]
RELATIONSHIPS = [("project_memberships", "HAS_MEMBER"), ("thread_relationships", "PARENT_OF"), ("thread_content", "INCLUDES"),
                 ("content_tags", "TAGGED_WITH"), ("message_relationships", "REPLIED_WITH"),
                 ("message_context_items", "USED_CONTEXT")]
PATIENCE_SECONDS = 120


class Counts:
    def __init__(self, cursor, graph):
        cursor.execute(" UNION ALL ".join(f"SELECT count(*) FROM {table}" for table, _ in NODES + RELATIONSHIPS)
                       + " UNION ALL SELECT pg_current_wal_insert_lsn() - '0/0'")
        *self.rows, self.wal = (int(count) for (count,) in cursor.fetchall())
        found = graph.rows(" UNION ALL ".join(
            [f"MATCH (n:{label}) RETURN count(n) AS c" for _, label in NODES]
            + [f"MATCH ()-[r:{kind}]->() RETURN count(r) AS c" for _, kind in RELATIONSHIPS]
            + ["MATCH ()-[r]->() RETURN count(r) AS c", "MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) RETURN coalesce(min(p.lsn), 0) AS c"]))
        *self.graph, self.relationships, self.position = (count for (count,) in found)
        self.at = time.monotonic()

    @property
    def equal(self):
        return self.rows == self.graph

    @property
    def lag_bytes(self):
        return max(0, self.wal - self.position) if self.position else None


class Screen:
    """One screen that is drawn over and over on a terminal; one line now and then elsewhere."""

    def __init__(self):
        self.terminal = sys.stdout.isatty()
        self._previous = None
        self._printed = 0.0

    def draw(self, counts, delays, last=""):
        grown, rate = 0, 0.0
        if self._previous and counts.at > self._previous.at:
            grown = sum(counts.graph) - sum(self._previous.graph)
            rate = max(0, grown) / (counts.at - self._previous.at)
        self._previous = counts
        lag = "no position yet" if counts.lag_bytes is None else f"{counts.lag_bytes:,} bytes of WAL"
        seen = f"commit to graph {delays[-1]:.0f} ms (median {statistics.median(delays):.0f})" if delays else "no live change yet"
        summary = (f"{sum(counts.graph):,} of {sum(counts.rows):,} rows in the graph, {counts.relationships:,} relationships, "
                   f"{rate:,.0f} rows/s, lag {lag}, {seen}")
        if not self.terminal:
            if (grown and not counts.equal) or counts.at - self._printed > 10:
                print(f"  {summary}", flush=True)
                self._printed = counts.at
            return
        lines = ["\x1b[H\x1b[2JContextNexus: PostgreSQL and Neo4j, side by side          (Ctrl-C ends)", "",
                 f"{'table':<24}{'PostgreSQL':>12}{'Neo4j':>12}   in the graph"]
        for (table, form), rows, found in zip(NODES + RELATIONSHIPS, counts.rows, counts.graph):
            shown = f"[:{form}]" if (table, form) in RELATIONSHIPS else f"(:{form})"
            lines.append(f"{table:<24}{rows:>12,}{found:>12,}   {shown}{'' if rows == found else '  <'}")
        lines += ["", f"rows {sum(counts.rows):,} and {sum(counts.graph):,}; relationships in all {counts.relationships:,}; {rate:,.0f} rows/s",
                  f"lag {lag}; {seen}", "", last]
        print("\n".join(lines), flush=True)


def engine_lives(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Show:
    def __init__(self, options):
        self.options = options
        self.connection = psycopg2.connect(os.environ["CONTEXTNEXUS_POSTGRES"])
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.graph = Neo4j.from_environment()
        self.screen = Screen()
        self.changes = Changes(self.connection, options.tenant)
        self.delays = []

    def wait(self, done, what):
        """Waits for done(); the engine must live, and something must come of it in time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        progress = None
        while not (state := done())[0]:
            if state[1] != progress:
                progress, deadline = state[1], time.monotonic() + PATIENCE_SECONDS
            if not engine_lives(self.options.engine):
                sys.exit("demo: the engine has ended; its log says why")
            if time.monotonic() > deadline:
                sys.exit(f"demo: {what} did not arrive in the graph within {PATIENCE_SECONDS} s")

    def first_rows(self):
        started = time.monotonic()
        begun = Counts(self.cursor, self.graph)

        def arrived():
            counts = Counts(self.cursor, self.graph)
            self.screen.draw(counts, self.delays)
            if not counts.equal:
                time.sleep(0.5)
            return counts.equal, sum(counts.graph)

        self.wait(arrived, "the rows that were there before")
        seconds = time.monotonic() - started
        counts = Counts(self.cursor, self.graph)
        copied = sum(counts.graph) - sum(begun.graph)
        print(f"\n{sum(counts.rows):,} rows are {sum(counts.graph):,} nodes and relationships of their own"
              + (f", {copied:,} of them copied in {seconds:.1f} s" if copied else ", all there from the last run"))

    def change(self):
        """One live change; returns a line that tells of it."""
        what, check, parameters = self.changes.next()
        committed = time.monotonic()
        self.wait(lambda: (self.graph.rows(check, parameters) == [(True,)], None), what)
        delay = (time.monotonic() - committed) * 1000
        self.delays.append(delay)
        return f"{what}: in the graph {delay:.0f} ms after COMMIT"

    def questions(self):
        for question, headings, cypher in QUESTIONS:
            print(f"\n{question}\n")
            rows = self.graph.rows(cypher, {"tenant": self.options.tenant})
            table = [headings] + [tuple(str(value) for value in row) for row in rows]
            widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
            for row in table if rows else [("(nothing here answers it)",)]:
                print("  " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
            print(textwrap.fill(" ".join(cypher.split()), 116, initial_indent="\n  cypher> ", subsequent_indent="          "))

    def run(self):
        self.first_rows()
        print("\nLive changes:\n")
        for _ in range(2 * len(self.changes)):
            print("  " + self.change(), flush=True)
        self.questions()
        if self.options.once:
            return
        print("\nA change a second follows; Ctrl-C ends.", flush=True)
        if self.screen.terminal:
            time.sleep(15)  # The answers are read before the screen takes their place.
        while True:
            last = self.change()
            self.screen.draw(Counts(self.cursor, self.graph), self.delays, last)
            time.sleep(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=int, required=True)
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--once", action="store_true")
    try:
        Show(parser.parse_args()).run()
    except KeyboardInterrupt:
        print()
    except (psycopg2.Error, Neo4jError) as error:
        sys.exit(f"demo: {str(error).strip()}")


if __name__ == "__main__":
    main()
