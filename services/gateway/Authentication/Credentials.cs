using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Millrace.Stores.Identities;

namespace Millrace.Gateway.Authentication;

/// <summary>What a client showed, and whether it proves to be a device.</summary>
internal sealed class Credentials(
    byte[]? password, X509Certificate2? certificate, IReadOnlyList<string> hubNames, DateTimeOffset now)
{
    private readonly string _text = password is null ? "" : Encoding.UTF8.GetString(password);

    /// <summary>
    /// Compares with both keys, whichever fits and even where a certificate is asked for, so that the time taken says
    /// nothing. The hash names the key or thumbprint that fitted.
    /// </summary>
    public (RefusalReason Reason, AuthMethod Method, ulong Hash, DateTimeOffset? ExpiresAt) Prove(
        DeviceIdentity identity)
    {
        var byKey = ProveByKey(identity);
        if (identity.Authentication == DeviceAuthentication.Keys) return byKey;
        var (reason, hash) = ProveByCertificate(identity);
        return (reason, AuthMethod.Certificate, hash, null);
    }

    /// <summary>Whether the identity still has the key or thumbprint of this hash.</summary>
    public static bool Has(DeviceIdentity identity, AuthMethod method, ulong hash)
    {
        var byCertificate = identity.Authentication == DeviceAuthentication.Thumbprints;
        if (byCertificate != (method == AuthMethod.Certificate)) return false;
        var (primary, secondary) = byCertificate
            ? (identity.PrimaryThumbprint, identity.SecondaryThumbprint)
            : (identity.PrimaryKey, identity.SecondaryKey);
        return Is(primary) || Is(secondary);

        bool Is(string? secret) => !string.IsNullOrEmpty(secret) && HashOf(secret) == hash;
    }

    private (RefusalReason Reason, AuthMethod Method, ulong Hash, DateTimeOffset? ExpiresAt) ProveByKey(
        DeviceIdentity identity)
    {
        if (SasToken.IsToken(_text))
        {
            var (reason, hash, expiresAt) = ProveByToken(identity);
            return (reason, AuthMethod.SasToken, hash, expiresAt);
        }

        var primary = IsKey(identity.PrimaryKey);
        var secondary = IsKey(identity.SecondaryKey);
        var failure = password is null ? RefusalReason.NoCredential : RefusalReason.WrongKey;
        var used = primary ? identity.PrimaryKey : identity.SecondaryKey;
        return (primary || secondary ? RefusalReason.None : failure, AuthMethod.Key, HashOf(used), null);
    }

    private (RefusalReason Reason, ulong Hash, DateTimeOffset? ExpiresAt) ProveByToken(DeviceIdentity identity)
    {
        var token = SasToken.Parse(_text);
        if (token is null) return (RefusalReason.TokenInvalid, 0, null);
        var primary = token.IsSignedWith(identity.PrimaryKey);
        var secondary = token.IsSignedWith(identity.SecondaryKey);
        if (!primary && !secondary) return (RefusalReason.TokenInvalid, 0, null);
        if (!token.IsFor(hubNames, identity.DeviceId)) return (RefusalReason.TokenForAnother, 0, null);
        if (token.ExpirySeconds <= now.ToUnixTimeSeconds()) return (RefusalReason.TokenExpired, 0, null);
        var until = Math.Min(token.ExpirySeconds, DateTimeOffset.MaxValue.ToUnixTimeSeconds());
        return (RefusalReason.None, HashOf(primary ? identity.PrimaryKey : identity.SecondaryKey),
            DateTimeOffset.FromUnixTimeSeconds(until));
    }

    private (RefusalReason Reason, ulong Hash) ProveByCertificate(DeviceIdentity identity)
    {
        if (certificate is null) return (RefusalReason.NoCredential, 0);
        var thumbprint = Convert.ToHexString(certificate.GetCertHash(HashAlgorithmName.SHA256));
        var primary = IsSame(identity.PrimaryThumbprint, thumbprint);
        var secondary = IsSame(identity.SecondaryThumbprint, thumbprint);
        if (!primary && !secondary) return (RefusalReason.WrongCertificate, 0);
        var inTime = now >= certificate.NotBefore.ToUniversalTime() && now <= certificate.NotAfter.ToUniversalTime();
        return (inTime ? RefusalReason.None : RefusalReason.CertificateExpired, HashOf(thumbprint));
    }

    private bool IsKey(string key) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(key), password) && key.Length > 0;

    private static bool IsSame(string? expected, string thumbprint) => CryptographicOperations.FixedTimeEquals(
        Encoding.UTF8.GetBytes(expected ?? ""), Encoding.UTF8.GetBytes(thumbprint));

    private static ulong HashOf(string secret) =>
        BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
