"""The benchmark's user: commits rows to PostgreSQL. What it will send is made before the clock starts."""

import io
import itertools

import world as rows_of


def _copy_text(rows):
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


class Copies:
    """The world's rows as COPY sends them, in transactions of so many rows."""

    def __init__(self, world, rows_a_transaction):
        self.commands = []
        for table, rows in world.tables():
            sql = f"COPY public.{table} ({', '.join(rows_of.COLUMNS[table])}) FROM STDIN"
            for start in range(0, len(rows), rows_a_transaction):
                self.commands.append((sql, _copy_text(rows[start:start + rows_a_transaction])))

    def write(self, connection):
        with connection.cursor() as cursor:
            for sql, text in self.commands:
                cursor.copy_expert(sql, io.StringIO(text))


class Updates:
    """Updates of items, in transactions of so many; title, version and updated_at change."""

    def __init__(self, updates, rows_a_transaction=10):
        self.commands = []
        for start in range(0, len(updates), rows_a_transaction):
            part = updates[start:start + rows_a_transaction]
            self.commands.append(";".join(itertools.chain(["BEGIN"], map(_update, part), ["COMMIT"])))

    def write(self, connection):
        with connection.cursor() as cursor:
            for sql in self.commands:
                cursor.execute(sql)


def _update(item):
    return (f"UPDATE public.content_items SET title = '{item.title}', version = {item.version}, "
            f"updated_at = '{rows_of.timestamp(item.updated)}' WHERE id = '{item.id}'")
