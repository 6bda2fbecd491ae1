using Millrace.Stores.Identities;

namespace Millrace.Gateway.Authentication;

/// <summary>A device that was let in, with what is needed to see later whether it still may be.</summary>
/// <param name="CredentialHash">Of the key or thumbprint that was used; see <see cref="Credentials"/>.</param>
/// <param name="ExpiresAt">When a token ends; null for keys and certificates.</param>
internal sealed record DeviceLogin(
    string DeviceId, string GenerationId, AuthMethod Method, ulong CredentialHash, DateTimeOffset? ExpiresAt)
{
    /// <summary>Why this login is not good any more by what the registry says now; null when it still is.</summary>
    public string? RevokedBy(DeviceIdentity? identity)
    {
        if (Method == AuthMethod.Anonymous) return identity is null ? null : "credential-changed";
        if (identity is null || identity.GenerationId != GenerationId) return "device-deleted";
        if (identity.Status == DeviceStatus.Disabled) return "device-disabled";
        return Credentials.Has(identity, Method, CredentialHash) ? null : "credential-changed";
    }
}

/// <param name="Reason">None when the device was let in.</param>
/// <param name="TagsJson">The device's tags.</param>
/// <param name="Epoch">
/// The identity cache's epoch before the identity was read: when it has changed since, the login is checked again.
/// </param>
internal readonly record struct LoginResult(
    DeviceLogin? Login, string DeviceName, RefusalReason Reason, string TagsJson, long Epoch);
