"""The orders database of the trials in leaving.py: its tables, first rows, and what happens to them."""

TABLES = """
CREATE TYPE order_state AS ENUM ('open', 'paid', 'shipped');
CREATE TABLE customers (
  id bigint PRIMARY KEY, name text NOT NULL, email text, settings jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE products (sku text PRIMARY KEY, title text NOT NULL, price numeric(10,2) NOT NULL);
CREATE TABLE orders (
  id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, state order_state NOT NULL DEFAULT 'open',
  total numeric(12,2), placed_at timestamp NOT NULL, due date);
CREATE TABLE order_lines (
  order_id bigint REFERENCES orders ON DELETE CASCADE, sku text REFERENCES products, quantity integer NOT NULL,
  price numeric(10,2) NOT NULL, PRIMARY KEY (order_id, sku));
CREATE TABLE payments (
  order_id bigint REFERENCES orders ON DELETE CASCADE, number integer, amount numeric(12,2) NOT NULL, paid_at timestamptz,
  PRIMARY KEY (order_id, number));
"""

CUSTOMERS, PRODUCTS, ORDERS = 40, 12, 100

ROWS = f"""
INSERT INTO customers (id, name, email, settings)
  SELECT n, 'customer ' || n, n || '@example.org', jsonb_build_object('news', n % 2 = 0, 'level', n)
  FROM generate_series(1, {CUSTOMERS}) n;
INSERT INTO products SELECT 'P-' || n, 'product ' || n, n * 1.10 FROM generate_series(1, {PRODUCTS}) n;
INSERT INTO orders
  SELECT n, 1 + n % ({CUSTOMERS} - 1), 'open', n * 10.05, timestamp '2024-02-29 12:34:56.789012' + n * interval '1 hour',
    date '2024-03-01' + n
  FROM generate_series(1, {ORDERS}) n;
INSERT INTO order_lines
  SELECT o, 'P-' || (1 + (o + k) % {PRODUCTS}), k, o * 0.50 FROM generate_series(1, {ORDERS}) o, generate_series(1, 3) k;
INSERT INTO payments
  SELECT o, 1, o * 10.05, timestamptz '2024-03-01 08:00:00+01' + o * interval '1 minute' FROM generate_series(1, {ORDERS}, 2) o;
"""

# What a pipeline sees while it runs. Customer 40 has no order. Each line is a transaction.
SEEN = """
UPDATE orders SET state = 'paid', due = NULL WHERE id BETWEEN 10 AND 19
UPDATE orders SET customer_id = 39 WHERE id = 20
DELETE FROM order_lines WHERE order_id = 30 AND quantity = 1
DELETE FROM orders WHERE id = 5
DELETE FROM customers WHERE id = 40
UPDATE customers SET name = 'seen' WHERE id = 1
""".strip().splitlines()

# What it does not see any more.
UNSEEN = """
UPDATE customers SET name = 'unseen', email = NULL WHERE id IN (2, 3)
UPDATE products SET price = price * 2 WHERE sku < 'P-5'
UPDATE orders SET customer_id = 38, total = NULL WHERE id = 21
DELETE FROM orders WHERE id = 7
INSERT INTO customers (id, name) VALUES (50, 'new')
INSERT INTO orders VALUES (200, 50, 'open', 12.34, '2024-06-01 00:00:00', '2024-06-02')
INSERT INTO order_lines VALUES (200, 'P-1', 2, 1.10)
INSERT INTO payments VALUES (200, 1, 12.34, NULL)
""".strip().splitlines()


def apply(database, statements):
    for statement in statements:
        database.execute(statement)
