-- Messages are notifications of groups now, and what came of them lies in delivery_attempts.
DROP TABLE deliveries
