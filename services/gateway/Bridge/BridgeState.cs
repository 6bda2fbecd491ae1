using Microsoft.Extensions.Logging;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Bridge.Mapping;
using Millrace.Primitives;
using Millrace.Stores.Bridges;

namespace Millrace.Gateway.Bridge;

/// <summary>What one bridge has done and how it is: counted, logged, and told to who asks.</summary>
internal sealed class BridgeState(BridgeOptions options, BridgeMetrics metrics, TimeProvider time, ILogger logger)
{
    private readonly Lock _gate = new();
    private long _received;
    private long _accepted;
    private long _deadLettered;
    private long _duplicates;
    private long _sent;
    private bool _isConnected;
    private DateTimeOffset _since = time.GetUtcNow();
    private string? _lastError;
    private DateTimeOffset? _lastErrorAt;

    public void Received()
    {
        Interlocked.Increment(ref _received);
        metrics.Received(options.Name);
    }

    public void Accepted(long count)
    {
        Interlocked.Add(ref _accepted, count);
        metrics.Accepted(options.Name, count);
    }

    public void Duplicate()
    {
        Interlocked.Increment(ref _duplicates);
        metrics.Duplicate(options.Name);
    }

    public void DeadLettered(MappingFailure failure, string topic, string? offending)
    {
        var reason = RefusalReasons.Kebab(failure.ToString());
        Interlocked.Increment(ref _deadLettered);
        metrics.DeadLettered(options.Name, reason);
        logger.DeadLettered(BridgeErrors.Unmappable.Code, options.Name, topic, reason, offending);
    }

    public void Sent()
    {
        Interlocked.Increment(ref _sent);
        metrics.Sent(options.Name);
    }

    public void Fenced() => metrics.Fenced(options.Name);

    public void Expired() => metrics.Expired(options.Name);

    public void Unsendable(string reason, string partition, long offset, string detail)
    {
        Interlocked.Increment(ref _deadLettered);
        metrics.Unsendable(options.Name, reason);
        logger.Unsendable(BridgeErrors.Unsendable.Code, options.Name, partition, offset, detail);
    }

    /// <param name="refusal">Null: it has succeeded.</param>
    public void Replayed(string letterId, string? refusal)
    {
        metrics.Replayed(options.Name, refusal is null ? "done" : "refused");
        if (refusal is null) logger.Replayed(options.Name, letterId);
        else logger.ReplayRefused(BridgeErrors.ReplayRefused.Code, options.Name, letterId, refusal);
    }

    public void Connected(bool sessionKept)
    {
        Turn(true);
        logger.Connected(options.Name, options.Broker, sessionKept);
    }

    public void Disconnected() => Turn(false);

    /// <summary>Counts each failure; logs one that says nothing new only as often as it changes.</summary>
    public void Failed(Error error, Exception? cause)
    {
        metrics.Failed(options.Name, error.Code);
        var text = error.ToString();
        bool isNew;
        lock (_gate)
        {
            isNew = text != _lastError || _isConnected;
            (_lastError, _lastErrorAt) = (text, time.GetUtcNow());
        }

        if (isNew) logger.Failed(options.Name, text, cause);
    }

    public BridgeStatus Status(long inFlight, long lag)
    {
        lock (_gate)
        {
            return new BridgeStatus(options.Name, options.ClientIdOrDefault, options.Broker, _isConnected, _since,
                _lastError, _lastErrorAt, Interlocked.Read(ref _received), Interlocked.Read(ref _accepted),
                Interlocked.Read(ref _deadLettered), Interlocked.Read(ref _duplicates), Interlocked.Read(ref _sent),
                inFlight, lag, time.GetUtcNow())
            {
                Outputs = [.. options.Outputs.Select(each => each.From)],
            };
        }
    }

    private void Turn(bool connected)
    {
        lock (_gate)
        {
            if (_isConnected == connected) return;
            (_isConnected, _since) = (connected, time.GetUtcNow());
        }

        metrics.Connected(options.Name, connected ? 1 : -1);
    }
}
