using System.Text;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Publishing;

namespace Millrace.Gateway.Topics;

/// <summary>What the configuration says about topics, and how sources are made; shared by all connections.</summary>
internal sealed class TopicRouter(IOptions<GatewayOptions> options, TelemetryPublisher publisher)
{
    private readonly TopicTemplate[] _templates =
        [.. options.Value.TopicMappings.Select(each => TopicTemplate.TryParse(each.Template, out var t) ? t! : null!)];

    private readonly HashSet<string> _trusted = [.. options.Value.TrustedDevices];

    public int TopicCacheMax => options.Value.TopicCacheMax;

    public bool IsTrusted(string deviceId) => _trusted.Contains(deviceId);

    public TelemetrySource SourceOf(DeviceLogin login) => Make(
        login.DeviceId, AuthMethods.Header(login.Method), Encoding.UTF8.GetBytes(login.GenerationId), []);

    /// <summary>The first mapping that fits a free topic.</summary>
    public TelemetrySource? Map(ReadOnlySpan<byte> topic, DeviceLogin login, out PublishRefusal refusal)
    {
        refusal = PublishRefusal.TopicUnknown;
        foreach (var template in _templates)
        {
            if (template.Match(topic) is not { } mapped) continue;
            var device = mapped.DeviceId ?? login.DeviceId;
            var own = device == login.DeviceId;
            refusal = own || IsTrusted(login.DeviceId) ? PublishRefusal.None : PublishRefusal.TopicOfAnother;
            if (refusal != PublishRefusal.None) return null;
            var generation = own ? Encoding.UTF8.GetBytes(login.GenerationId) : [];
            var method = own
                ? AuthMethods.Header(login.Method)
                : Encoding.UTF8.GetBytes($"{AuthMethods.Trusted}:{login.DeviceId}");
            return Make(device, method, generation, mapped.Properties);
        }

        return null;
    }

    private TelemetrySource Make(
        string deviceId, ReadOnlyMemory<byte> method, ReadOnlyMemory<byte> generation,
        (byte[] Name, byte[] Value)[] properties) =>
        new(deviceId, publisher.PartitionOf(Encoding.UTF8.GetBytes(deviceId)), method, generation, properties);
}
