using Millrace.Stores.Identities;

namespace Millrace.Registry.Identities;

/// <summary>The state of a device that a caller has seen and means to change.</summary>
/// <param name="GenerationId">Null from a caller that kept an ETag of version 0.1, which was the version alone.</param>
public readonly record struct ExpectedDevice(string? GenerationId, long Version)
{
    public bool Is(DeviceRevision stored) =>
        Version == stored.Version && (GenerationId is null || GenerationId == stored.GenerationId);
}
