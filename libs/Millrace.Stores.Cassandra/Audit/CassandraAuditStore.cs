using System.Text.Json;
using Millrace.Stores.Audit;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Lists;

namespace Millrace.Stores.Cassandra.Audit;

/// <summary>Entries in the order in which they were added; those of one process in the same microsecond too.</summary>
internal sealed class CassandraAuditStore(CassandraDatabase database, TimeProvider time) : IAuditStore
{
    public const string Table = "audit";
    private const string List = "audit";

    private readonly TimeLists _lists = new(database, Table, TimeSpan.Zero, time);
    private long _last;

    public async ValueTask AddAsync(AuditEntry entry, CancellationToken ct) => await _lists.WriteAsync(
        [new TimeEntry(List, Next(), Guid.NewGuid().ToString("N"), JsonSerializer.Serialize(entry))], ct)
        .ConfigureAwait(false);

    public async ValueTask<Page<AuditEntry>> ListAsync(int limit, string? continuation, CancellationToken ct)
    {
        var rows = _lists.ReadAsync(List, TimePlace.Read(List, continuation), long.MinValue, long.MaxValue, limit, ct);
        var page = await Paging.TakeAsync(rows, limit,
            last => TimePlace.Token(List, new TimePlace(last.At, last.Id)), ct).ConfigureAwait(false);
        return new Page<AuditEntry>([.. page.Items.Select(_lists.Read<AuditEntry>)], page.Continuation);
    }

    private long Next()
    {
        while (true)
        {
            var last = Interlocked.Read(ref _last);
            var next = Math.Max(last + 1, Times.Microseconds(time.GetUtcNow()));
            if (Interlocked.CompareExchange(ref _last, next, last) == last) return next;
        }
    }
}
