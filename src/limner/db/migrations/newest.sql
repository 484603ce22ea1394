CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)

CREATE TABLE accounts (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	status TEXT DEFAULT 'active' NOT NULL,
	status_reason TEXT,
	time_zone TEXT DEFAULT 'UTC' NOT NULL,
	retention_days INTEGER,
	created_at BIGINT NOT NULL, low_balance_credits INTEGER, low_balance_by_mail SMALLINT DEFAULT '1' NOT NULL, low_balance_mail_at BIGINT,
	CONSTRAINT pk_accounts PRIMARY KEY (id),
	CONSTRAINT ck_accounts_status CHECK (status IN ('active', 'suspended', 'deleted'))
)

CREATE TABLE audit_log (
	id TEXT NOT NULL,
	actor TEXT NOT NULL,
	action TEXT NOT NULL,
	account_id TEXT,
	target_id TEXT,
	detail TEXT,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_audit_log PRIMARY KEY (id)
)

CREATE INDEX ix_audit_log_account_id_id ON audit_log (account_id, id)

CREATE TABLE rate_limits (
	bucket TEXT NOT NULL,
	full_at BIGINT NOT NULL,
	CONSTRAINT pk_rate_limits PRIMARY KEY (bucket)
)

CREATE TABLE secrets (
	id TEXT NOT NULL,
	purpose TEXT NOT NULL,
	value BLOB NOT NULL,
	created_at BIGINT NOT NULL,
	retired_at BIGINT,
	CONSTRAINT pk_secrets PRIMARY KEY (id)
)

CREATE INDEX ix_secrets_purpose ON secrets (purpose)

CREATE TABLE users (
	id TEXT NOT NULL,
	email TEXT NOT NULL,
	name TEXT,
	password_digest TEXT,
	email_verified_at BIGINT,
	is_admin SMALLINT DEFAULT '0' NOT NULL,
	disabled_at BIGINT,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_users PRIMARY KEY (id),
	CONSTRAINT uq_users_email UNIQUE (email)
)

CREATE TABLE api_keys (
	id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	parent_key_id TEXT,
	name TEXT NOT NULL,
	prefix TEXT NOT NULL,
	last_four TEXT NOT NULL,
	digest BLOB NOT NULL,
	scopes TEXT NOT NULL,
	models TEXT,
	is_test SMALLINT DEFAULT '0' NOT NULL,
	max_credits_per_call INTEGER,
	confirm_above_credits INTEGER,
	client_profile TEXT,
	expires_at BIGINT,
	revoked_at BIGINT,
	last_used_at BIGINT,
	created_at BIGINT NOT NULL, previous_digest BLOB, previous_until BIGINT,
	CONSTRAINT pk_api_keys PRIMARY KEY (id),
	CONSTRAINT fk_api_keys_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT fk_api_keys_parent_key_id FOREIGN KEY(parent_key_id) REFERENCES api_keys (id),
	CONSTRAINT uq_api_keys_digest UNIQUE (digest)
)

CREATE INDEX ix_api_keys_account_id_id ON api_keys (account_id, id)

CREATE INDEX ix_api_keys_parent_key_id ON api_keys (parent_key_id)

CREATE TABLE balances (
	account_id TEXT NOT NULL,
	ledger_balance BIGINT DEFAULT '0' NOT NULL,
	held BIGINT DEFAULT '0' NOT NULL,
	transactions_total BIGINT DEFAULT '0' NOT NULL,
	generations_total BIGINT DEFAULT '0' NOT NULL,
	images_total BIGINT DEFAULT '0' NOT NULL,
	CONSTRAINT pk_balances PRIMARY KEY (account_id),
	CONSTRAINT ck_balances_held CHECK (held >= 0),
	CONSTRAINT fk_balances_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
)

CREATE TABLE calls (
	id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	caller_id TEXT NOT NULL,
	request_digest TEXT NOT NULL,
	idempotency_key TEXT,
	waiter TEXT,
	broke_off_at BIGINT,
	delivered_at BIGINT,
	created_at BIGINT NOT NULL, wait_name TEXT,
	CONSTRAINT pk_calls PRIMARY KEY (id),
	CONSTRAINT fk_calls_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT uq_calls_account_id_idempotency_key UNIQUE (account_id, idempotency_key)
)

CREATE TABLE caps (
	owner_id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	limit_credits BIGINT NOT NULL,
	period TEXT NOT NULL,
	period_start BIGINT DEFAULT '0' NOT NULL,
	spent BIGINT DEFAULT '0' NOT NULL,
	CONSTRAINT pk_caps PRIMARY KEY (owner_id),
	CONSTRAINT ck_caps_period CHECK (period IN ('day', 'week', 'month', 'total')),
	CONSTRAINT ck_caps_limit CHECK (limit_credits >= 0),
	CONSTRAINT fk_caps_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
)

CREATE TABLE credit_transactions (
	id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	amount BIGINT NOT NULL,
	type TEXT NOT NULL,
	description TEXT NOT NULL,
	reference_id TEXT,
	api_key_id TEXT,
	connection_id TEXT,
	model_id TEXT,
	unique_key TEXT,
	balance_after BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_credit_transactions PRIMARY KEY (id),
	CONSTRAINT ck_credit_transactions_type CHECK (type IN ('charge', 'refund', 'purchase', 'purchase_refund', 'grant', 'adjustment', 'chargeback')),
	CONSTRAINT fk_credit_transactions_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT uq_credit_transactions_unique_key UNIQUE (unique_key)
)

CREATE INDEX ix_credit_transactions_account_id_id ON credit_transactions (account_id, id)

CREATE INDEX ix_credit_transactions_reference_id ON credit_transactions (reference_id)

CREATE TABLE holds (
	generation_id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	credits BIGINT NOT NULL,
	state TEXT NOT NULL,
	opened_at BIGINT NOT NULL,
	ended_at BIGINT,
	CONSTRAINT pk_holds PRIMARY KEY (generation_id),
	CONSTRAINT ck_holds_state CHECK (state IN ('open', 'captured', 'released')),
	CONSTRAINT ck_holds_credits CHECK (credits >= 0),
	CONSTRAINT fk_holds_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
)

CREATE TABLE memberships (
	account_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	role TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_memberships PRIMARY KEY (account_id, user_id),
	CONSTRAINT ck_memberships_role CHECK (role IN ('owner', 'member', 'billing')),
	CONSTRAINT fk_memberships_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT fk_memberships_user_id FOREIGN KEY(user_id) REFERENCES users (id)
)

CREATE INDEX ix_memberships_user_id ON memberships (user_id)

CREATE TABLE uploads (
	id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	declared_media_type TEXT NOT NULL,
	blob_key TEXT,
	media_type TEXT,
	width INTEGER,
	height INTEGER,
	size_bytes BIGINT,
	sha256 TEXT,
	expires_at BIGINT NOT NULL,
	used_at BIGINT,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_uploads PRIMARY KEY (id),
	CONSTRAINT fk_uploads_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
)

CREATE INDEX ix_uploads_account_id_id ON uploads (account_id, id)

CREATE INDEX ix_uploads_expires_at ON uploads (expires_at)

CREATE TABLE capped_holds (
	generation_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	period_start BIGINT NOT NULL,
	CONSTRAINT pk_capped_holds PRIMARY KEY (generation_id, owner_id),
	CONSTRAINT fk_capped_holds_generation_id FOREIGN KEY(generation_id) REFERENCES holds (generation_id),
	CONSTRAINT fk_capped_holds_owner_id FOREIGN KEY(owner_id) REFERENCES caps (owner_id)
)

CREATE TABLE generations (
	id TEXT NOT NULL,
	call_id TEXT NOT NULL,
	position SMALLINT NOT NULL,
	account_id TEXT NOT NULL,
	api_key_id TEXT,
	connection_id TEXT,
	status TEXT NOT NULL,
	operation TEXT NOT NULL,
	prompt TEXT,
	style TEXT,
	model_id TEXT NOT NULL,
	provider_id TEXT NOT NULL,
	options TEXT NOT NULL,
	inputs TEXT,
	credits BIGINT NOT NULL,
	warnings TEXT,
	error TEXT,
	served_by TEXT,
	cost_usd TEXT,
	provider_request_id TEXT,
	provider_handle TEXT,
	sent_at BIGINT,
	attempts SMALLINT DEFAULT '0' NOT NULL,
	lease TEXT,
	lease_until BIGINT,
	phase TEXT,
	fraction_percent SMALLINT,
	cancel_requested_at BIGINT,
	deadline_at BIGINT NOT NULL,
	blob_key TEXT,
	media_type TEXT,
	width INTEGER,
	height INTEGER,
	size_bytes BIGINT,
	sha256 TEXT,
	created_at BIGINT NOT NULL,
	started_at BIGINT,
	completed_at BIGINT,
	deleted_at BIGINT, provenance TEXT, origin TEXT, turn BIGINT DEFAULT '0' NOT NULL, seed BIGINT,
	CONSTRAINT pk_generations PRIMARY KEY (id),
	CONSTRAINT ck_generations_operation CHECK (operation IN ('generate', 'edit')),
	CONSTRAINT ck_generations_status CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
	CONSTRAINT fk_generations_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT fk_generations_call_id FOREIGN KEY(call_id) REFERENCES calls (id),
	CONSTRAINT uq_generations_call_id_position UNIQUE (call_id, position)
)

CREATE INDEX ix_generations_account_id_id ON generations (account_id, id)

CREATE INDEX ix_generations_account_id_status_id ON generations (account_id, status, id)

CREATE TABLE shares (
	id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	generation_id TEXT NOT NULL,
	filename TEXT NOT NULL,
	revoked_at BIGINT,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_shares PRIMARY KEY (id),
	CONSTRAINT fk_shares_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT fk_shares_generation_id FOREIGN KEY(generation_id) REFERENCES generations (id)
)

CREATE INDEX ix_shares_generation_id ON shares (generation_id)

CREATE TRIGGER credit_transactions_no_update BEFORE UPDATE ON credit_transactions
    BEGIN SELECT RAISE(ABORT, 'credit_transactions is append-only'); END

CREATE TRIGGER credit_transactions_no_delete BEFORE DELETE ON credit_transactions
    BEGIN SELECT RAISE(ABORT, 'credit_transactions is append-only'); END

CREATE TABLE identities (
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	user_id TEXT NOT NULL,
	created_at BIGINT NOT NULL, label TEXT,
	CONSTRAINT pk_identities PRIMARY KEY (issuer, subject),
	CONSTRAINT fk_identities_user_id FOREIGN KEY(user_id) REFERENCES users (id)
)

CREATE INDEX ix_identities_user_id ON identities (user_id)

CREATE TABLE one_time_links (
	id TEXT NOT NULL,
	purpose TEXT NOT NULL,
	digest BLOB NOT NULL,
	email TEXT,
	user_id TEXT,
	account_id TEXT,
	role TEXT,
	expires_at BIGINT NOT NULL,
	used_at BIGINT,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_one_time_links PRIMARY KEY (id),
	CONSTRAINT ck_one_time_links_purpose CHECK (purpose IN ('first-start', 'sign-in', 'sign-up', 'invite', 'verify', 'reset')),
	CONSTRAINT fk_one_time_links_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT fk_one_time_links_user_id FOREIGN KEY(user_id) REFERENCES users (id),
	CONSTRAINT uq_one_time_links_digest UNIQUE (digest)
)

CREATE INDEX ix_one_time_links_account_id ON one_time_links (account_id)

CREATE INDEX ix_one_time_links_expires_at ON one_time_links (expires_at)

CREATE TABLE sessions (
	id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	acting_account_id TEXT,
	digest BLOB NOT NULL,
	user_agent TEXT,
	last_seen_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_sessions PRIMARY KEY (id),
	CONSTRAINT fk_sessions_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT fk_sessions_acting_account_id FOREIGN KEY(acting_account_id) REFERENCES accounts (id),
	CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id),
	CONSTRAINT uq_sessions_digest UNIQUE (digest)
)

CREATE INDEX ix_sessions_user_id ON sessions (user_id)

CREATE TABLE credit_codes (
	id TEXT NOT NULL,
	digest BLOB NOT NULL,
	credits BIGINT NOT NULL,
	uses_left INTEGER NOT NULL,
	description TEXT NOT NULL,
	expires_at BIGINT,
	created_at BIGINT NOT NULL, revoked_at BIGINT,
	CONSTRAINT pk_credit_codes PRIMARY KEY (id),
	CONSTRAINT ck_credit_codes_credits CHECK (credits > 0),
	CONSTRAINT ck_credit_codes_uses_left CHECK (uses_left >= 0),
	CONSTRAINT uq_credit_codes_digest UNIQUE (digest)
)

CREATE TABLE purchases (
	id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	credits BIGINT NOT NULL,
	price_cents BIGINT NOT NULL,
	status TEXT NOT NULL,
	checkout_id TEXT,
	payment_id TEXT,
	receipt_url TEXT,
	returned_cents BIGINT DEFAULT '0' NOT NULL,
	returned_credits BIGINT DEFAULT '0' NOT NULL,
	created_at BIGINT NOT NULL,
	paid_at BIGINT,
	CONSTRAINT pk_purchases PRIMARY KEY (id),
	CONSTRAINT ck_purchases_status CHECK (status IN ('open', 'paid', 'abandoned')),
	CONSTRAINT fk_purchases_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT uq_purchases_checkout_id UNIQUE (checkout_id),
	CONSTRAINT uq_purchases_payment_id UNIQUE (payment_id)
)

CREATE INDEX ix_purchases_account_id_id ON purchases (account_id, id)

CREATE INDEX ix_purchases_status_created_at ON purchases (status, created_at)

CREATE TABLE webhooks (
	id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	url TEXT NOT NULL,
	events TEXT NOT NULL,
	secret BLOB NOT NULL,
	created_at BIGINT NOT NULL,
	deleted_at BIGINT,
	CONSTRAINT pk_webhooks PRIMARY KEY (id),
	CONSTRAINT fk_webhooks_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
)

CREATE INDEX ix_webhooks_account_id_id ON webhooks (account_id, id)

CREATE TABLE deliveries (
	id TEXT NOT NULL,
	webhook_id TEXT NOT NULL,
	event_id TEXT NOT NULL,
	event_type TEXT NOT NULL,
	payload TEXT NOT NULL,
	status TEXT NOT NULL,
	attempts SMALLINT DEFAULT '0' NOT NULL,
	next_at BIGINT,
	answered_status INTEGER,
	problem TEXT,
	created_at BIGINT NOT NULL,
	ended_at BIGINT,
	CONSTRAINT pk_deliveries PRIMARY KEY (id),
	CONSTRAINT ck_deliveries_status CHECK (status IN ('waiting', 'delivered', 'failed')),
	CONSTRAINT fk_deliveries_webhook_id FOREIGN KEY(webhook_id) REFERENCES webhooks (id),
	CONSTRAINT uq_deliveries_webhook_id_event_id UNIQUE (webhook_id, event_id)
)

CREATE INDEX ix_deliveries_status_next_at ON deliveries (status, next_at)

CREATE INDEX ix_deliveries_webhook_id_id ON deliveries (webhook_id, id)

CREATE INDEX ix_api_keys_previous_digest ON api_keys (previous_digest)

CREATE TABLE consents (
	digest BLOB NOT NULL,
	session_id TEXT NOT NULL,
	request TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	CONSTRAINT pk_consents PRIMARY KEY (digest)
)

CREATE INDEX ix_consents_expires_at ON consents (expires_at)

CREATE TABLE oauth_clients (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	redirect_uris TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_oauth_clients PRIMARY KEY (id)
)

CREATE INDEX ix_oauth_clients_expires_at ON oauth_clients (expires_at)

CREATE TABLE connections (
	id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	client_id TEXT NOT NULL,
	client_name TEXT NOT NULL,
	redirect_host TEXT NOT NULL,
	resource TEXT NOT NULL,
	scopes TEXT NOT NULL,
	began_at BIGINT,
	last_used_at BIGINT,
	revoked_at BIGINT,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_connections PRIMARY KEY (id),
	CONSTRAINT fk_connections_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT fk_connections_user_id FOREIGN KEY(user_id) REFERENCES users (id)
)

CREATE INDEX ix_connections_account_id_id ON connections (account_id, id)

CREATE INDEX ix_connections_client_id ON connections (client_id)

CREATE TABLE authorization_codes (
	digest BLOB NOT NULL,
	connection_id TEXT NOT NULL,
	redirect_uri TEXT NOT NULL,
	challenge TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT,
	CONSTRAINT pk_authorization_codes PRIMARY KEY (digest),
	CONSTRAINT fk_authorization_codes_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
)

CREATE INDEX ix_authorization_codes_connection_id ON authorization_codes (connection_id)

CREATE INDEX ix_authorization_codes_expires_at ON authorization_codes (expires_at)

CREATE TABLE connection_tokens (
	digest BLOB NOT NULL,
	connection_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	scopes TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_connection_tokens PRIMARY KEY (digest),
	CONSTRAINT ck_connection_tokens_kind CHECK (kind IN ('access', 'refresh')),
	CONSTRAINT fk_connection_tokens_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
)

CREATE INDEX ix_connection_tokens_connection_id ON connection_tokens (connection_id)

CREATE INDEX ix_connection_tokens_expires_at ON connection_tokens (expires_at)

CREATE TABLE saved_prompts (
	id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	title TEXT NOT NULL,
	description TEXT NOT NULL,
	text TEXT NOT NULL,
	settings TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	CONSTRAINT pk_saved_prompts PRIMARY KEY (id),
	CONSTRAINT ck_saved_prompts_kind CHECK (kind IN ('template', 'style')),
	CONSTRAINT fk_saved_prompts_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT uq_saved_prompts_account_id_name UNIQUE (account_id, name)
)

CREATE TABLE sign_in_questions (
	digest BLOB NOT NULL,
	browser BLOB NOT NULL,
	issuer_id TEXT NOT NULL,
	nonce TEXT NOT NULL,
	verifier TEXT NOT NULL,
	onward TEXT NOT NULL,
	session_id TEXT,
	expires_at BIGINT NOT NULL,
	CONSTRAINT pk_sign_in_questions PRIMARY KEY (digest)
)

CREATE INDEX ix_sign_in_questions_expires_at ON sign_in_questions (expires_at)

CREATE INDEX ix_accounts_low_balance_mail_at ON accounts (low_balance_mail_at)

CREATE TABLE lines (
	provider_id TEXT NOT NULL,
	turn BIGINT DEFAULT '0' NOT NULL,
	CONSTRAINT pk_lines PRIMARY KEY (provider_id)
)

CREATE INDEX ix_credit_transactions_account_id_api_key_id_id ON credit_transactions (account_id, api_key_id, id)

CREATE INDEX ix_credit_transactions_account_id_model_id_id ON credit_transactions (account_id, model_id, id)

CREATE INDEX ix_generations_account_id_model_id_id ON generations (account_id, model_id, id)

CREATE INDEX ix_generations_account_id_sha256_id ON generations (account_id, sha256, id)

CREATE INDEX ix_generations_account_id_api_key_id_connection_id_id ON generations (account_id, api_key_id, connection_id, id)

CREATE INDEX ix_calls_unsettled ON calls (account_id, caller_id, request_digest) WHERE waiter IS NOT NULL OR broke_off_at IS NOT NULL

CREATE TABLE meters (
	id INTEGER NOT NULL,
	account_id TEXT NOT NULL,
	model_id TEXT NOT NULL,
	caller_id TEXT NOT NULL,
	CONSTRAINT pk_meters PRIMARY KEY (id),
	CONSTRAINT fk_meters_account_id FOREIGN KEY(account_id) REFERENCES accounts (id),
	CONSTRAINT uq_meters_account_id_model_id_caller_id UNIQUE (account_id, model_id, caller_id)
)

CREATE TABLE readings (
	meter_id INTEGER NOT NULL,
	quarter_hour BIGINT NOT NULL,
	credits BIGINT NOT NULL,
	pictures BIGINT NOT NULL,
	CONSTRAINT pk_readings PRIMARY KEY (meter_id, quarter_hour),
	CONSTRAINT fk_readings_meter_id FOREIGN KEY(meter_id) REFERENCES meters (id)
)
 WITHOUT ROWID

CREATE TRIGGER credit_transactions_meters AFTER INSERT ON credit_transactions WHEN NEW.type = 'charge'
    BEGIN
    UPDATE readings SET credits = credits - NEW.amount, pictures = pictures + 1
    WHERE meter_id = (SELECT id FROM meters WHERE account_id = NEW.account_id AND model_id = coalesce(NEW.model_id, '')
              AND caller_id = coalesce(NEW.api_key_id, NEW.connection_id, '')) AND quarter_hour >= NEW.created_at / 900000
;
    INSERT INTO meters (account_id, model_id, caller_id)
    SELECT NEW.account_id, coalesce(NEW.model_id, ''), coalesce(NEW.api_key_id, NEW.connection_id, '')
    WHERE NOT EXISTS (SELECT 1 FROM meters WHERE account_id = NEW.account_id AND model_id = coalesce(NEW.model_id, '')
              AND caller_id = coalesce(NEW.api_key_id, NEW.connection_id, ''));
    INSERT INTO readings (meter_id, quarter_hour, credits, pictures)
    SELECT m.id, NEW.created_at / 900000,
           coalesce((SELECT r.credits FROM readings r WHERE r.meter_id = m.id AND r.quarter_hour < NEW.created_at / 900000
                     ORDER BY r.quarter_hour DESC LIMIT 1), 0) - NEW.amount,
           coalesce((SELECT r.pictures FROM readings r WHERE r.meter_id = m.id AND r.quarter_hour < NEW.created_at / 900000
                     ORDER BY r.quarter_hour DESC LIMIT 1), 0) + 1
    FROM meters m WHERE account_id = NEW.account_id AND model_id = coalesce(NEW.model_id, '')
              AND caller_id = coalesce(NEW.api_key_id, NEW.connection_id, '')
      AND NOT EXISTS (SELECT 1 FROM readings r WHERE r.meter_id = m.id AND r.quarter_hour = NEW.created_at / 900000);
 END

CREATE INDEX ix_calls_named ON calls (caller_id, wait_name) WHERE wait_name IS NOT NULL

CREATE INDEX ix_calls_waiting ON calls (waiter) WHERE waiter IS NOT NULL

CREATE INDEX ix_generations_line ON generations (status, provider_id, turn, id) WHERE status = 'queued'

CREATE INDEX ix_generations_own_turns ON generations (status, account_id, provider_id, turn) WHERE status = 'queued'

CREATE INDEX ix_generations_running ON generations (status, provider_id) WHERE status = 'running'

CREATE INDEX ix_holds_open ON holds (account_id) WHERE state = 'open'
