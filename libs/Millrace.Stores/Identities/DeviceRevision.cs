namespace Millrace.Stores.Identities;

/// <summary>
/// One state of one device. Versions begin anew with each device of an id, so a version alone may be another device's.
/// </summary>
public sealed record DeviceRevision(string GenerationId, long Version);
