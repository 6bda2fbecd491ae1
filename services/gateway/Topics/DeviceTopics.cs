using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Authentication;
using Millrace.Primitives;

namespace Millrace.Gateway.Topics;

/// <summary>
/// What topics mean on one connection. The device's own topics are recognised by their prefix, free ones through a
/// small cache of what the mappings said.
/// </summary>
internal sealed class DeviceTopics(TopicRouter router, DeviceLogin login)
{
    private readonly TelemetrySource _own = router.SourceOf(login);
    private readonly byte[] _prefix = Encoding.UTF8.GetBytes($"devices/{login.DeviceId}/");
    private CacheEntry[]? _cache;

    /// <summary>The device itself as the source of what it publishes.</summary>
    public TelemetrySource Own => _own;

    private static ReadOnlySpan<byte> Telemetry => "telemetry"u8;

    private static ReadOnlySpan<byte> Devices => "devices/"u8;

    private static ReadOnlySpan<byte> Modules => "modules/"u8;

    private static ReadOnlySpan<byte> Events => "messages/events"u8;

    public void Resolve(ReadOnlySpan<byte> topic, out MessageTarget target)
    {
        target = default;
        if (topic.StartsWith(_prefix)) ResolveOwn(topic[_prefix.Length..], ref target);
        else if (topic.StartsWith(Devices)) target.Refusal = PublishRefusal.TopicOfAnother;
        else if (topic.StartsWith(Telemetry) && (topic.Length == Telemetry.Length || topic[Telemetry.Length] == '/'))
        {
            target.Source = _own;
            if (topic.Length > Telemetry.Length + 1) target.FreeTopic = topic[(Telemetry.Length + 1)..];
        }
        else ResolveMapped(topic, ref target);
    }

    private void ResolveOwn(ReadOnlySpan<byte> rest, ref MessageTarget target)
    {
        if (rest.StartsWith(Modules))
        {
            rest = rest[Modules.Length..];
            var end = rest.IndexOf((byte)'/');
            target.ModuleId = end > 0 ? rest[..end] : default;
            rest = end > 0 ? rest[(end + 1)..] : default;
            if (target.ModuleId.Length > DeviceId.LengthMax) rest = default;
        }

        var isEvents = rest.StartsWith(Events) && (rest.Length == Events.Length || rest[Events.Length] == '/');
        if (!isEvents)
        {
            target.Refusal = PublishRefusal.TopicUnknown;
            return;
        }

        target.Source = _own;
        if (rest.Length > Events.Length + 1) target.PropertyBag = rest[(Events.Length + 1)..];
    }

    private void ResolveMapped(ReadOnlySpan<byte> topic, ref MessageTarget target)
    {
        ref var slot = ref Slot(topic);
        if (slot.Source is null || !topic.SequenceEqual(slot.Topic))
        {
            var source = router.Map(topic, login, out target.Refusal);
            if (source is null) return;
            slot = new CacheEntry(topic.ToArray(), source);
        }

        target.Source = slot.Source;
        target.FreeTopic = topic;
    }

    private ref CacheEntry Slot(ReadOnlySpan<byte> topic)
    {
        _cache ??= new CacheEntry[router.TopicCacheMax];
        return ref _cache[Partitioner.PartitionOf(topic, _cache.Length)];
    }

    private readonly record struct CacheEntry(byte[] Topic, TelemetrySource? Source);
}
