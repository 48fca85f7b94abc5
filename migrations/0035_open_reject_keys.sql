-- A run asks which of the records that share a ZanID are known rejects, whatever list met them.
CREATE INDEX reject_cases_open_keys ON reject_cases (record_key) WHERE closed_at IS NULL;
