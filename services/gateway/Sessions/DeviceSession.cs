using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Publishing;
using Millrace.Mqtt;
using Millrace.Mqtt.Session;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// What a device has under a client id, as its connection holds it: a stored session with the epoch that this
/// connection owns, or one in memory that ends with the connection.
/// </summary>
/// <param name="epoch">0 in memory.</param>
internal sealed class DeviceSession(SessionKey key, string sessionId, long epoch)
{
    private readonly Dictionary<int, long> _scanFrom = [];
    private Dictionary<int, LogFailure>? _failed;
    private SessionSubscription[] _subscriptions = [];

    public SessionKey Key => key;

    public long Epoch => epoch;

    public bool IsStored => epoch != 0;

    public string Id => sessionId;

    /// <summary>The header mqtt-session.</summary>
    public byte[] IdBytes { get; } = Encoding.UTF8.GetBytes(sessionId);

    /// <summary>Messages up to this one may have been sent on an earlier connection.</summary>
    public long SentBefore { get; init; }

    /// <summary>How long it is kept without a connection, by what was granted when it was opened.</summary>
    public uint ExpirySeconds { get; init; }

    /// <summary>The store has, or had, messages for it. Under the output's lock.</summary>
    public bool HasQueued { get; set; }

    /// <summary>Replaced whole, so that deliveries read it without a lock.</summary>
    public IReadOnlyList<SessionSubscription> Subscriptions => Volatile.Read(ref _subscriptions);

    /// <summary>PUBRELs of one read, which are answered when their release is durable.</summary>
    public List<(ushort PacketId, ReasonCode Reason)> Releases { get; } = [];

    /// <summary>The subscriptions that wait to become durable.</summary>
    public SubscriptionChange? Change { get; set; }

    /// <summary>The partition whose offset has to be saved before a QoS 2 publish may go there.</summary>
    public int PartitionToScan { get; set; }

    /// <summary>When the last QoS 2 publish or release was, by the coarse clock.</summary>
    public int ExchangedAtSeconds { get; set; }

    /// <summary>Made with the first message to the client.</summary>
    public Outbox? Outbox { get; set; }

    /// <summary>
    /// The store may know of QoS 2 publishes what is not known here: at the end it keeps what it has, and the log has
    /// the rest, as after a crash.
    /// </summary>
    public bool LeavesInbound { get; set; }

    public bool HasScan => _scanFrom.Count > 0;

    public void Restore(IReadOnlyList<SessionSubscription> subscriptions) => _subscriptions = [.. subscriptions];

    public void Subscribe(IReadOnlyList<SessionSubscription> added) => Volatile.Write(ref _subscriptions,
        [.. _subscriptions.Where(old => added.All(each => each.Filter != old.Filter)), .. added]);

    public void Unsubscribe(IReadOnlyList<string> filters) => Volatile.Write(
        ref _subscriptions, [.. _subscriptions.Where(old => !filters.Contains(old.Filter))]);

    /// <summary>Whether a crash would find, in the log, what is published into this partition from now on.</summary>
    public bool IsScanned(int partition) => !IsStored || _scanFrom.ContainsKey(partition);

    public void ScanFrom(int partition, long offset) => _scanFrom[partition] = offset;

    public void ForgetScan() => _scanFrom.Clear();

    /// <summary>What was not told to be durable lies at this offset or behind. Under the output's lock.</summary>
    public void Durable(int partition, long firstOffset)
    {
        if (_scanFrom.ContainsKey(partition)) _scanFrom[partition] = firstOffset;
    }

    /// <summary>What was on its way into the partition will not be told durable. Under the output's lock.</summary>
    public void Failed(int partition, LogFailure failure) => (_failed ??= [])[partition] = failure;

    public bool HasFailed(int partition) => _failed?.ContainsKey(partition) == true;

    /// <summary>What is saved of QoS 2 publishes. Under the output's lock.</summary>
    public InboundExchanges Inbound(ExchangeTable? exchanges, AckWindow? acks, bool isClosing)
    {
        if (exchanges is null) return InboundExchanges.None;
        var (settled, open) = exchanges.Snapshot(acks);

        // At an orderly end nothing is on its way. What is not durable by then has failed: its number is passed, unless
        // the log may have it; then the next who opens the session looks there.
        var scans = _scanFrom.Where(each => !isClosing || MayBeIn(each.Key)).ToList();
        return new InboundExchanges(
            isClosing && scans.Count == 0 ? exchanges.Last : settled,
            open.ConvertAll(each => new OpenExchange(each.PacketId, each.Exchange)),
            scans.ConvertAll(each => new PartitionOffset(Of(each.Key), each.Value)));
    }

    private bool MayBeIn(int partition) => _failed?.GetValueOrDefault(partition) == LogFailure.Uncertain;

    private static TopicPartition Of(int partition) => new(Contracts.Topics.Telemetry, partition);
}
