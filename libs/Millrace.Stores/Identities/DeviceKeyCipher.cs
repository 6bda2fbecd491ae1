using System.Security.Cryptography;
using System.Text;

namespace Millrace.Stores.Identities;

/// <summary>Which of a device's two keys.</summary>
internal enum KeySlot
{
    Primary,
    Secondary,
}

/// <summary>
/// Encrypts device keys at rest with AES-256-GCM. Device id and slot are bound in, so that a stored key cannot be moved
/// to another device, or put in the other's place. Layout: 12 bytes nonce, 16 bytes tag, the rest.
/// </summary>
/// <param name="key">What is written is under this one.</param>
/// <param name="other">What is under this one is read too, while the one takes the place of the other.</param>
internal sealed class DeviceKeyCipher(byte[] key, byte[]? other = null)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>Tells one key from another, and nothing of it.</summary>
    public string Fingerprint => FingerprintOf(key);

    public bool HasOther => other is not null;

    /// <summary>Whether a key with that fingerprint is one of those that are read.</summary>
    public bool Knows(string fingerprint) =>
        fingerprint == Fingerprint || (other is not null && fingerprint == FingerprintOf(other));

    public byte[] Encrypt(string deviceId, KeySlot slot, string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var sealedBytes = new byte[NonceBytes + TagBytes + plain.Length];
        var nonce = sealedBytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(NonceBytes + TagBytes), sealedBytes.AsSpan(NonceBytes, TagBytes),
            Place(deviceId, slot));
        return sealedBytes;
    }

    /// <summary>The key, or an error ST-0004 when the bytes are not what was stored there.</summary>
    public string Decrypt(string deviceId, KeySlot slot, ReadOnlySpan<byte> stored) =>
        TryDecrypt(key, deviceId, slot, stored)
        ?? (other is null ? null : TryDecrypt(other, deviceId, slot, stored))
        ?? throw StoreErrors.DeviceKeyUnreadable.With(deviceId).AsException();

    /// <summary>The same under <c>key</c>, or null when it is under it already.</summary>
    public byte[]? Renew(string deviceId, KeySlot slot, ReadOnlySpan<byte> stored) =>
        TryDecrypt(key, deviceId, slot, stored) is null
            ? Encrypt(deviceId, slot, Decrypt(deviceId, slot, stored))
            : null;

    private static string? TryDecrypt(byte[] under, string deviceId, KeySlot slot, ReadOnlySpan<byte> stored)
    {
        if (stored.Length < NonceBytes + TagBytes) return null;
        try
        {
            var plain = new byte[stored.Length - NonceBytes - TagBytes];
            using var aes = new AesGcm(under, TagBytes);
            aes.Decrypt(stored[..NonceBytes], stored[(NonceBytes + TagBytes)..], stored.Slice(NonceBytes, TagBytes),
                plain, Place(deviceId, slot));
            return Encoding.UTF8.GetString(plain);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string FingerprintOf(byte[] key) =>
        Convert.ToHexString(HMACSHA256.HashData(key, "fingerprint"u8));

    private static byte[] Place(string deviceId, KeySlot slot) => Encoding.UTF8.GetBytes($"{slot}/{deviceId}");
}
