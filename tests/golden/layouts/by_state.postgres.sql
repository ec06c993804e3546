-- River's table cut into partitions by state, as an administrator would do it: finished jobs apart, one unique index each.
BEGIN;
SET LOCAL client_min_messages = warning;
ALTER SEQUENCE river_job_id_seq OWNED BY NONE;
ALTER TABLE river_job RENAME TO river_job_whole;
CREATE TABLE river_job (LIKE river_job_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (id, state))
  PARTITION BY LIST (state);
CREATE TABLE river_job_running PARTITION OF river_job FOR VALUES IN ('running');
CREATE TABLE river_job_waiting PARTITION OF river_job FOR VALUES IN ('available', 'retryable', 'scheduled', 'pending');
CREATE TABLE river_job_over PARTITION OF river_job DEFAULT;
CREATE UNIQUE INDEX ON river_job_waiting (unique_key)
  WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL AND river_job_state_in_bitmask(unique_states, state);
INSERT INTO river_job SELECT * FROM river_job_whole;
DROP TABLE river_job_whole;
COMMIT;
CREATE VIEW placed AS SELECT tableoid::regclass AS place, * FROM river_job;
CREATE TABLE before AS SELECT * FROM placed;
