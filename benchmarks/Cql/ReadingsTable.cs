using Millrace.Cql;

namespace Millrace.Benchmarks.Cql;

/// <summary>The table that the Java program of the peers writes too, under another name.</summary>
internal sealed class ReadingsTable(CqlSession session)
{
    private const string Table = "millrace_bench.readings";

    private readonly byte[] _body = new byte[115];
    private PreparedStatement _insert = null!;
    private PreparedStatement _byKey = null!;
    private PreparedStatement _byDevice = null!;
    private long _nextTime = 1_700_000_000_000;

    /// <summary>The time of the first row that the last turn wrote, in ms since 1970.</summary>
    public long Start => _nextTime;

    public async Task CreateAsync()
    {
        await session.ExecuteAsync("CREATE KEYSPACE IF NOT EXISTS millrace_bench WITH replication = "
            + "{'class': 'SimpleStrategy', 'replication_factor': 1}");
        await session.ExecuteAsync($"CREATE TABLE IF NOT EXISTS {Table} (device text, ts timestamp, body blob, "
            + "temperature double, PRIMARY KEY (device, ts))");
        _insert = await session.PrepareAsync(
            $"INSERT INTO {Table} (device, ts, body, temperature) VALUES (?, ?, ?, ?)");
        _insert.Idempotent = true;
        _byKey = await session.PrepareAsync($"SELECT ts, body, temperature FROM {Table} WHERE device = ? AND ts = ?");
        _byDevice = await session.PrepareAsync($"SELECT ts, body, temperature FROM {Table} WHERE device = ?");
    }

    /// <summary>Writes <paramref name="rows"/> rows, each worker one request after the other.</summary>
    public Task WriteAsync(int rows, int devices, int batch, int inFlight)
    {
        var start = Interlocked.Add(ref _nextTime, 1_000_000_000);
        var requests = new Requests(rows / batch);
        return AllAsync(inFlight, async () =>
        {
            while (requests.TryTake(out var request))
            {
                var device = $"device-{request % devices}";
                if (batch == 1) await session.ExecuteAsync(Row(device, start + request)).ConfigureAwait(false);
                else await WriteBatchAsync(device, start + ((long)request * batch), batch).ConfigureAwait(false);
            }
        });
    }

    /// <summary>Reads what was written last, one row at a time.</summary>
    public Task ReadByKeyAsync(int reads, int devices, int inFlight)
    {
        var (start, requests) = (_nextTime, new Requests(reads));
        return AllAsync(inFlight, async () =>
        {
            while (requests.TryTake(out var request))
            {
                var key = _byKey.Bind($"device-{request % devices}", start + request);
                var rows = await session.ExecuteAsync(key).ConfigureAwait(false);
                _ = rows[0].Get<double>(2);
            }
        });
    }

    /// <summary>Reads all rows of the first devices, and gives how many there were.</summary>
    public async Task<long> ReadByRangeAsync(int devices, int pageRows, int inFlight)
    {
        var requests = new Requests(devices);
        var read = 0L;
        await AllAsync(inFlight, async () =>
        {
            while (requests.TryTake(out var request))
            {
                var statement = _byDevice.Bind($"device-{request}");
                statement.PageSize = pageRows;
                await foreach (var row in session.QueryAsync(statement).ConfigureAwait(false))
                {
                    _ = row.Get<long>(0);
                    _ = row.Bytes(1).Length;
                    _ = row.Get<double>(2);
                    Interlocked.Increment(ref read);
                }
            }
        });
        return read;
    }

    private static Task AllAsync(int workers, Func<Task> work) =>
        Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(work)));

    private BoundStatement Row(string device, long time) => _insert.Bind(device, time, _body, 20.0 + (time % 50));

    private ValueTask<RowSet> WriteBatchAsync(string device, long time, int size)
    {
        var batch = BatchStatement.Rent();
        for (var row = 0; row < size; row++) batch.Add(Row(device, time + row));
        return session.ExecuteAsync(batch);
    }

    /// <summary>So many requests, dealt out to whoever asks.</summary>
    private sealed class Requests(int count)
    {
        private int _taken;

        public bool TryTake(out int request)
        {
            request = Interlocked.Increment(ref _taken) - 1;
            return request < count;
        }
    }
}
