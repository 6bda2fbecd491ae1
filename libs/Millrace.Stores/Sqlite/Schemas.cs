namespace Millrace.Stores.Sqlite;

/// <summary>The numbered migrations of the two databases. One that was released is never changed.</summary>
internal static class Schemas
{
    /// <summary>Rows that the log can give again; a commit need not be on the disk when it returns.</summary>
    public static readonly Migration[] Warm =
    [
        new("first", """
        CREATE TABLE positions(sink TEXT, topic TEXT, part INTEGER, next_offset INTEGER NOT NULL, metadata TEXT,
          PRIMARY KEY(sink, topic, part)) WITHOUT ROWID;
        CREATE TABLE devices(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE telemetry(device INTEGER NOT NULL, event_at INTEGER NOT NULL, part INTEGER NOT NULL,
          log_offset INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, module_id TEXT, content_type TEXT,
          content_encoding TEXT, message_id TEXT, correlation_id TEXT, user_id TEXT, generation_id TEXT,
          properties TEXT, body BLOB NOT NULL);
        CREATE UNIQUE INDEX telemetry_key ON telemetry(device, event_at, part, log_offset);
        CREATE TABLE telemetry_blocks(block INTEGER PRIMARY KEY, count INTEGER NOT NULL,
          enqueued_min INTEGER NOT NULL);
        CREATE TABLE latest(device INTEGER PRIMARY KEY, event_at INTEGER NOT NULL, part INTEGER NOT NULL,
          log_offset INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, module_id TEXT, content_type TEXT,
          content_encoding TEXT, message_id TEXT, correlation_id TEXT, user_id TEXT, generation_id TEXT,
          properties TEXT, body BLOB NOT NULL);
        CREATE TABLE alerts(row_id TEXT PRIMARY KEY, at INTEGER NOT NULL, query TEXT NOT NULL,
          version INTEGER NOT NULL, device TEXT, severity INTEGER NOT NULL, message TEXT NOT NULL,
          details TEXT NOT NULL);
        CREATE INDEX alerts_at ON alerts(at, row_id);
        CREATE INDEX alerts_query ON alerts(query, at, row_id);
        CREATE INDEX alerts_device ON alerts(device, at, row_id);
        CREATE TABLE outputs(row_id TEXT PRIMARY KEY, output TEXT NOT NULL, at INTEGER NOT NULL,
          query TEXT NOT NULL, version INTEGER NOT NULL, json TEXT NOT NULL);
        CREATE INDEX outputs_output ON outputs(output, at, row_id);
        CREATE INDEX outputs_at ON outputs(at);
        CREATE TABLE device_states(device TEXT PRIMARY KEY, connected INTEGER NOT NULL, connection TEXT,
          connected_at INTEGER, disconnected_at INTEGER, reason TEXT, last_seen_at INTEGER) WITHOUT ROWID;
        CREATE TABLE dead_letters(id TEXT PRIMARY KEY, stage TEXT NOT NULL, query TEXT, state INTEGER NOT NULL,
          replays INTEGER NOT NULL, failed_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, letter TEXT NOT NULL);
        CREATE INDEX dead_letters_at ON dead_letters(failed_at, id);
        CREATE TABLE query_statuses(name TEXT PRIMARY KEY, status TEXT NOT NULL) WITHOUT ROWID
        """),
        new("bridge statuses", """
        CREATE TABLE bridge_statuses(name TEXT, client TEXT, updated_at INTEGER NOT NULL, status TEXT NOT NULL,
          PRIMARY KEY(name, client)) WITHOUT ROWID
        """),
    ];

    /// <summary>Records that nothing else holds; a commit is on the disk when it returns.</summary>
    public static readonly Migration[] Platform =
    [
        new("first", """
        CREATE TABLE identities(device TEXT PRIMARY KEY, generation TEXT NOT NULL, status INTEGER NOT NULL,
          status_reason TEXT, authentication INTEGER NOT NULL, primary_key BLOB NOT NULL,
          secondary_key BLOB NOT NULL, primary_thumbprint TEXT, secondary_thumbprint TEXT, tags TEXT NOT NULL,
          created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE epochs(query TEXT, version INTEGER, part INTEGER, epoch INTEGER NOT NULL,
          PRIMARY KEY(query, version, part)) WITHOUT ROWID;
        CREATE TABLE checkpoints(query TEXT, version INTEGER, part INTEGER, saved_at INTEGER NOT NULL,
          offsets TEXT NOT NULL, state BLOB NOT NULL, PRIMARY KEY(query, version, part));
        CREATE TABLE marks(id INTEGER PRIMARY KEY, query TEXT NOT NULL, version INTEGER NOT NULL,
          part INTEGER NOT NULL, topic TEXT NOT NULL, input_part INTEGER NOT NULL, log_offset INTEGER NOT NULL,
          arrival INTEGER NOT NULL);
        CREATE INDEX marks_key ON marks(query, version, part);
        CREATE TABLE queries(name TEXT PRIMARY KEY, version INTEGER NOT NULL, state INTEGER NOT NULL,
          config TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE query_starts(name TEXT, version INTEGER, offsets TEXT NOT NULL,
          PRIMARY KEY(name, version)) WITHOUT ROWID;
        CREATE TABLE tokens(id TEXT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE,
          scopes TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER) WITHOUT ROWID;
        CREATE TABLE audit(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
          subject TEXT NOT NULL, detail TEXT)
        """),
        new("late letters", """
        ALTER TABLE marks ADD COLUMN letter_id TEXT;
        ALTER TABLE marks ADD COLUMN letter BLOB;
        ALTER TABLE marks ADD COLUMN number INTEGER;
        ALTER TABLE marks ADD COLUMN covered INTEGER NOT NULL DEFAULT 0;
        CREATE UNIQUE INDEX marks_letter ON marks(query, version, part, letter_id)
        """),
        new("bridge sessions", """
        CREATE TABLE bridge_sessions(name TEXT, client TEXT, session TEXT NOT NULL,
          PRIMARY KEY(name, client)) WITHOUT ROWID
        """),
    ];
}
