using System.Text;

namespace Millrace.Gateway.Topics;

/// <summary>Whose telemetry it is, with what the hub stamps on it; made once, used for each message.</summary>
internal sealed class TelemetrySource(
    string deviceId, int partition, ReadOnlyMemory<byte> authMethod, ReadOnlyMemory<byte> generationId,
    (byte[] Name, byte[] Value)[] properties)
{
    /// <summary>The record's key.</summary>
    public byte[] Key { get; } = Encoding.UTF8.GetBytes(deviceId);

    public int Partition { get; } = partition;

    public ReadOnlyMemory<byte> AuthMethod { get; } = authMethod;

    /// <summary>Empty when the hub does not know it: telemetry that a trusted device brings for another.</summary>
    public ReadOnlyMemory<byte> GenerationId { get; } = generationId;

    /// <summary>Application properties that a topic mapping takes from the topic.</summary>
    public (byte[] Name, byte[] Value)[] Properties { get; } = properties;
}
