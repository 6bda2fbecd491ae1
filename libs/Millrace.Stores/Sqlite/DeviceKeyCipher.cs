using System.Security.Cryptography;
using System.Text;

namespace Millrace.Stores.Sqlite;

/// <summary>
/// Encrypts device keys at rest with AES-256-GCM. The device id is bound in, so that a stored key cannot be moved to
/// another device. Layout: 12 bytes nonce, 16 bytes tag, the rest.
/// </summary>
internal sealed class DeviceKeyCipher(byte[] key)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int KeyBytes = 32;

    /// <summary>Takes the key from the file, which is made (mode 0600) when it is missing.</summary>
    public static DeviceKeyCipher FromFile(string path)
    {
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var file = new FileStream(path, options);
            file.Write(RandomNumberGenerator.GetBytes(KeyBytes));
            file.Flush(flushToDisk: true);
        }

        var key = File.ReadAllBytes(path);
        return key.Length == KeyBytes
            ? new DeviceKeyCipher(key)
            : throw StoreErrors.DeviceKeyFileInvalid.With(path, $"It holds {key.Length} bytes.").AsException();
    }

    public byte[] Encrypt(string deviceId, string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var sealedBytes = new byte[NonceBytes + TagBytes + plain.Length];
        var nonce = sealedBytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(NonceBytes + TagBytes), sealedBytes.AsSpan(NonceBytes, TagBytes),
            Encoding.UTF8.GetBytes(deviceId));
        return sealedBytes;
    }

    public string Decrypt(string deviceId, ReadOnlySpan<byte> stored)
    {
        try
        {
            var plain = new byte[stored.Length - NonceBytes - TagBytes];
            using var aes = new AesGcm(key, TagBytes);
            aes.Decrypt(stored[..NonceBytes], stored[(NonceBytes + TagBytes)..], stored.Slice(NonceBytes, TagBytes),
                plain, Encoding.UTF8.GetBytes(deviceId));
            return Encoding.UTF8.GetString(plain);
        }
        catch (Exception e) when (e is CryptographicException or OverflowException)
        {
            throw StoreErrors.DeviceKeyUnreadable.With(deviceId).AsException(e);
        }
    }
}
