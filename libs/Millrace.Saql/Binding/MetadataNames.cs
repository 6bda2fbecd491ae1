using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>Names of the metadata that a query reads by name, whatever their case.</summary>
internal static class MetadataNames
{
    private const string IoTHub = "IoTHub";
    private const string EventHub = "EventHub";

    private static readonly MetadataField Generation = new(MetadataKind.Header, "generation-id");
    private static readonly MetadataField AuthMethod = new(MetadataKind.Header, "auth-method");
    private static readonly MetadataField Module = new(MetadataKind.Header, "module-id");

    /// <summary>What the hub stamps on no record; null always.</summary>
    private static readonly MetadataField Nothing = new(MetadataKind.Header, "");

    private static readonly Dictionary<string, MetadataField> TopFields = new(StringComparer.OrdinalIgnoreCase)
    {
        ["EventEnqueuedUtcTime"] = new(MetadataKind.EnqueuedTime),
        ["EventProcessedUtcTime"] = new(MetadataKind.ProcessedTime),
        ["PartitionId"] = new(MetadataKind.PartitionId),
        [IoTHub] = new(MetadataKind.IoTHub),
    };

    /// <summary>Found by GetMetadataPropertyValue alone: a field of the body may have the name.</summary>
    private static readonly Dictionary<string, MetadataField> OtherFields = new(StringComparer.OrdinalIgnoreCase)
    {
        [EventHub] = new(MetadataKind.EventHub),
        ["EventId"] = new(MetadataKind.EventId),
        ["Blob"] = Nothing,
        ["BlobName"] = Nothing,
        ["BlobLastModifiedUtcTime"] = Nothing,
    };

    private static readonly Dictionary<string, MetadataField> IoTHubFields = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ConnectionDeviceId"] = new(MetadataKind.DeviceId),
        ["ConnectionDeviceGenerationId"] = Generation,
        ["EnqueuedTime"] = new(MetadataKind.EnqueuedTime),
        ["AuthGenerationId"] = Generation,
        ["AuthMethod"] = AuthMethod,
        ["ConnectionModuleId"] = Module,
        ["EnqueueTime"] = new(MetadataKind.EnqueuedTime),
        ["MessageId"] = new(MetadataKind.Header, "message-id"),
        ["CorrelationId"] = new(MetadataKind.Header, "correlation-id"),
        ["MessageSource"] = Nothing,
        ["InterfaceName"] = Nothing,
    };

    /// <summary>The names of an event hub, and those that a route of an IoT hub to one adds.</summary>
    private static readonly Dictionary<string, MetadataField> EventHubFields = new(StringComparer.OrdinalIgnoreCase)
    {
        ["EventEnqueuedUtcTime"] = new(MetadataKind.EnqueuedTime),
        ["EventProcessedUtcTime"] = new(MetadataKind.ProcessedTime),
        ["PartitionId"] = new(MetadataKind.PartitionId),
        ["Offset"] = new(MetadataKind.Offset),
        ["SequenceNumber"] = new(MetadataKind.Offset),
        ["PartitionKey"] = new(MetadataKind.DeviceId),
        ["Publisher"] = Nothing,
        ["IoTConnectionDeviceId"] = new(MetadataKind.DeviceId),
        ["IoTAuthMethod"] = AuthMethod,
        ["IoTAuthGenerationId"] = Generation,
        ["IoTEnqueueTime"] = new(MetadataKind.EnqueuedTime),
        ["IoTMessageSource"] = Nothing,
        ["IoTConnectionModuleId"] = Module,
        ["IoTInterfaceName"] = Nothing,
    };

    public static IEnumerable<string> Top => TopFields.Keys;

    public static bool IsTop(string name) => TopFields.ContainsKey(name);

    public static IEnumerable<string> OfIoTHub => IoTHubFields.Keys;

    public static IEnumerable<string> OfEventHub => EventHubFields.Keys;

    public static bool IsIoTHub(string name) => name.Equals(IoTHub, StringComparison.OrdinalIgnoreCase);

    public static bool TryTop(string name, out MetadataField field) => TopFields.TryGetValue(name, out field);

    public static bool TryIoTHub(string name, out MetadataField field) => IoTHubFields.TryGetValue(name, out field);

    /// <summary>A property path of GetMetadataPropertyValue: of the input, or of one of its records.</summary>
    public static bool TryPath(string first, string second, out MetadataField field)
    {
        if (second.Length == 0) return TryTop(first, out field) || OtherFields.TryGetValue(first, out field);
        field = default;
        return IsIoTHub(first) ? TryIoTHub(second, out field)
            : first.Equals(EventHub, StringComparison.OrdinalIgnoreCase)
                && EventHubFields.TryGetValue(second, out field);
    }
}
