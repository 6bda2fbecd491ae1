using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Api;

/// <summary>Tells the other roles that something in a store changed.</summary>
internal sealed class ControlNotices(IEventLog log, TimeProvider time)
{
    private static readonly TopicPartition Control = new(Topics.Control, 0);

    public async ValueTask SendAsync(string kind, string id, CancellationToken ct)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(time.GetUtcNow().ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes(id));
        records.End(JsonSerializer.SerializeToUtf8Bytes(new ControlNotice(kind, id),
            ContractJson.Default.ControlNotice));
        await log.AppendAsync(Control, records, ct);
    }
}
