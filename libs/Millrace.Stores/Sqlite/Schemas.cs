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
        new("query statuses by node", """
        DROP TABLE query_statuses;
        CREATE TABLE query_statuses(name TEXT, node TEXT, status TEXT NOT NULL,
          PRIMARY KEY(name, node)) WITHOUT ROWID
        """),
        new("positions of devices", """
        CREATE TABLE positions_of_devices(device TEXT PRIMARY KEY, latitude REAL NOT NULL, longitude REAL NOT NULL,
          altitude REAL, event_at INTEGER NOT NULL, part INTEGER NOT NULL, log_offset INTEGER NOT NULL,
          cell INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX positions_of_devices_cell ON positions_of_devices(cell, device)
        """),
        new("connections that are open",
            "CREATE INDEX device_states_connection ON device_states(connection) WHERE connected = 1"),
        new("ends of devices", """
        CREATE TABLE device_ends(device INTEGER PRIMARY KEY, generation TEXT, at INTEGER NOT NULL);
        ALTER TABLE positions_of_devices ADD COLUMN enqueued_at INTEGER;
        ALTER TABLE positions_of_devices ADD COLUMN generation_id TEXT
        """),
        new("letters that are to be replayed",
            "CREATE INDEX dead_letters_asked ON dead_letters(failed_at, id) WHERE state = 1"),
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
        new("query versions", """
        CREATE TABLE query_versions(name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO query_versions SELECT name, version FROM queries
        """),
        new("sessions", """
        CREATE TABLE session_epoch(id INTEGER PRIMARY KEY CHECK(id = 1), epoch INTEGER NOT NULL);
        CREATE TABLE sessions(id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, client TEXT NOT NULL,
          session_id TEXT NOT NULL, epoch INTEGER NOT NULL, connected INTEGER NOT NULL, expiry INTEGER NOT NULL,
          expires_at INTEGER, inbound BLOB NOT NULL, will BLOB, will_due_at INTEGER, sent_sequence INTEGER NOT NULL,
          last_sequence INTEGER NOT NULL, queued INTEGER NOT NULL, queued_bytes INTEGER NOT NULL,
          UNIQUE(device, client));
        CREATE INDEX sessions_expires ON sessions(expires_at) WHERE expires_at IS NOT NULL;
        CREATE INDEX sessions_will ON sessions(will_due_at) WHERE will_due_at IS NOT NULL;
        CREATE TABLE session_subscriptions(session INTEGER, filter TEXT, qos INTEGER NOT NULL,
          no_local INTEGER NOT NULL, retain_as_published INTEGER NOT NULL, retain_handling INTEGER NOT NULL,
          identifier INTEGER NOT NULL, PRIMARY KEY(session, filter)) WITHOUT ROWID;
        CREATE TABLE session_sources(session INTEGER, topic TEXT, part INTEGER, log_offset INTEGER NOT NULL,
          PRIMARY KEY(session, topic, part)) WITHOUT ROWID;
        CREATE TABLE session_messages(id INTEGER PRIMARY KEY, session INTEGER NOT NULL, sequence INTEGER NOT NULL,
          qos INTEGER NOT NULL, retain INTEGER NOT NULL, received INTEGER NOT NULL, expires_at INTEGER,
          bytes INTEGER NOT NULL, subscriptions TEXT NOT NULL, topic TEXT NOT NULL, properties BLOB NOT NULL,
          payload BLOB NOT NULL);
        CREATE UNIQUE INDEX session_messages_key ON session_messages(session, sequence);
        CREATE INDEX session_messages_expires ON session_messages(session, expires_at)
          WHERE expires_at IS NOT NULL
        """),
        new("retained messages", """
        CREATE TABLE retained(id INTEGER PRIMARY KEY, space TEXT NOT NULL, topic BLOB NOT NULL, qos INTEGER NOT NULL,
          bytes INTEGER NOT NULL, retained_at INTEGER NOT NULL, expires_at INTEGER, properties BLOB NOT NULL,
          payload BLOB NOT NULL);
        CREATE UNIQUE INDEX retained_key ON retained(space, topic);
        CREATE INDEX retained_expires ON retained(expires_at) WHERE expires_at IS NOT NULL;
        CREATE TABLE retained_totals(space TEXT PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL)
          WITHOUT ROWID
        """),
        new("bridge sessions", """
        CREATE TABLE bridge_sessions(name TEXT, client TEXT, session TEXT NOT NULL,
          PRIMARY KEY(name, client)) WITHOUT ROWID
        """),
        new("nodes of sessions", """
        ALTER TABLE sessions ADD COLUMN node TEXT NOT NULL DEFAULT '';
        CREATE INDEX sessions_connected ON sessions(node) WHERE connected = 1;
        CREATE TABLE session_nodes(node TEXT PRIMARY KEY, heard_at INTEGER NOT NULL) WITHOUT ROWID
        """),
        new("wills of connections", """
        CREATE TABLE wills(epoch INTEGER PRIMARY KEY, device TEXT NOT NULL, client TEXT NOT NULL,
          delay INTEGER NOT NULL, will BLOB NOT NULL, node TEXT NOT NULL, hand_out_at INTEGER,
          handed_out INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX wills_session ON wills(device, client);
        CREATE INDEX wills_hand_out ON wills(hand_out_at) WHERE hand_out_at IS NOT NULL;
        INSERT INTO wills(epoch, device, client, delay, will, node, hand_out_at)
          SELECT epoch, device, client, 1, will, node, will_due_at FROM sessions WHERE will IS NOT NULL;
        DROP INDEX sessions_will;
        ALTER TABLE sessions DROP COLUMN will;
        ALTER TABLE sessions DROP COLUMN will_due_at
        """),
        new("jobs", """
        CREATE TABLE job_leases(name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE job_runs(job TEXT, id TEXT, started_at INTEGER NOT NULL, run TEXT NOT NULL,
          PRIMARY KEY(job, id)) WITHOUT ROWID;
        CREATE TABLE job_schedules(job TEXT PRIMARY KEY, served_up_to INTEGER NOT NULL) WITHOUT ROWID
        """),
        new("runs of nodes", "CREATE TABLE node_runs(run TEXT PRIMARY KEY, node TEXT NOT NULL) WITHOUT ROWID"),
        new("chunks of states", """
        CREATE TABLE checkpoint_chunks(query TEXT NOT NULL, version INTEGER NOT NULL, part INTEGER NOT NULL,
          id BLOB NOT NULL, bytes BLOB NOT NULL);
        CREATE UNIQUE INDEX checkpoint_chunks_key ON checkpoint_chunks(query, version, part, id);
        ALTER TABLE checkpoints ADD COLUMN chunks BLOB
        """),
        // The tables stay: what is new stands in topics, where an older version would pass over it.
        new("rows by several keys", "SELECT 1"),
        // One takes the place of the last at its offset; before, each was kept.
        new("marks that went", """
        DELETE FROM marks WHERE id IN (SELECT id FROM (SELECT id, number, log_offset, arrival,
          lead(number) OVER of_input AS later_number, lead(log_offset) OVER of_input AS later_offset,
          lead(arrival) OVER of_input AS later_arrival FROM marks
          WINDOW of_input AS (PARTITION BY query, version, part, topic, input_part ORDER BY id))
          WHERE number IS NULL AND later_number IS NULL AND arrival >= 0 AND later_offset = log_offset
          AND later_arrival >= arrival)
        """),
        new("ends of devices that are to be told", """
        CREATE TABLE device_ends_due(device TEXT, generation TEXT, at INTEGER NOT NULL,
          PRIMARY KEY(device, generation)) WITHOUT ROWID
        """),
        new("what sessions leave to others", """
        ALTER TABLE session_messages ADD COLUMN share TEXT;
        ALTER TABLE sessions ADD COLUMN had_shared INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE sessions ADD COLUMN held_until INTEGER
        """),
    ];
}
