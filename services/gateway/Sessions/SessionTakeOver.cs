using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Mqtt;
using Millrace.Hosting.Node;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// A device that comes to another gateway while its connection is open at the first (MQTT 5 §3.1.4): the second asks by
/// a notice, and waits, so that what the first has taken is durable and saved before the device is answered.
/// </summary>
internal sealed class SessionTakeOver(
    ISessionStore store, IEventLog log, ConnectionTable connections, IOptions<GatewayOptions> options,
    IOptions<NodeOptions> node, GatewayMetrics metrics, TimeProvider time)
{
    private static readonly TopicPartition Control = new(Contracts.Topics.Control, 0);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Returns when the other gateway has let go of the session, or is not heard of any more.</summary>
    public async ValueTask WaitAsync(StoredSession session)
    {
        var (begun, limits) = (time.GetTimestamp(), options.Value.Sessions);
        var holder = await store.HolderAsync(session.Key, time.GetUtcNow() - limits.NodeTimeout).ConfigureAwait(false);
        if (holder is null || holder == node.Value.Name) return;
        await AskAsync(session).ConfigureAwait(false);
        while (time.GetElapsedTime(begun) < limits.TakeOverTimeout)
        {
            await Task.Delay(LookInterval, time).ConfigureAwait(false);
            if (await store.FindAsync(session.Key).ConfigureAwait(false) is { IsConnected: true }) continue;
            metrics.TakenOver("answered");
            return;
        }

        metrics.TakenOver("unanswered");
    }

    /// <summary>Another gateway waits for it: the connection that has it here ends, if it is that one still.</summary>
    public void Wanted(string id)
    {
        if (id.Split('/', 3) is not [var device, var number, var client]) return;
        if (!long.TryParse(number, CultureInfo.InvariantCulture, out var epoch)) return;
        foreach (var connection in connections.OfDevice(device))
        {
            if (connection.ClientId == client && connection.DeviceSession?.Epoch == epoch)
                connection.TryEnd(ConnectionEnd.TakenOver);
        }
    }

    private async ValueTask AskAsync(StoredSession session)
    {
        var id = string.Create(
            CultureInfo.InvariantCulture, $"{session.Key.DeviceId}/{session.Epoch}/{session.Key.ClientId}");
        using var records = new RecordBatchBuilder();
        records.Begin(time.GetUtcNow().ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes(session.Key.DeviceId));
        records.End(JsonSerializer.SerializeToUtf8Bytes(
            new ControlNotice(ControlKinds.SessionWanted, id), ContractJson.Default.ControlNotice));
        await log.AppendAsync(Control, records).ConfigureAwait(false);
    }
}
