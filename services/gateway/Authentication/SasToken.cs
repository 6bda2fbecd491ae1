using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Millrace.Primitives;

namespace Millrace.Gateway.Authentication;

/// <summary>
/// <c>SharedAccessSignature sr={resource}&amp;sig={signature}&amp;se={expiry}</c>: the signature is HMAC-SHA256 of the
/// resource as it stands there, a line feed, and the expiry in seconds since 1970.
/// </summary>
internal sealed record SasToken(string Resource, byte[] Signature, long ExpirySeconds)
{
    private const string Prefix = "SharedAccessSignature ";

    public static bool IsToken(string password) => password.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Null when it is malformed, or signed with a shared policy, of which this hub has none.</summary>
    public static SasToken? Parse(string password)
    {
        if (!IsToken(password)) return null;
        string? resource = null, signature = null, expiry = null;
        foreach (var field in password[Prefix.Length..].Trim().Split('&'))
        {
            var equals = field.IndexOf('=');
            if (equals < 0) return null;
            var value = field[(equals + 1)..];
            switch (field[..equals])
            {
                case "sr": resource = value; break;
                case "sig": signature = value; break;
                case "se": expiry = value; break;
                case "skn" when value.Length > 0: return null;
            }
        }

        if (resource is null || signature is null) return null;
        if (!long.TryParse(expiry, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return null;
        var bytes = new byte[SHA256.HashSizeInBytes];
        var isBase64 = Convert.TryFromBase64String(Uri.UnescapeDataString(signature), bytes, out var written);
        return isBase64 && written == bytes.Length ? new SasToken(resource, bytes, seconds) : null;
    }

    /// <summary>Whether it was signed with this base64 key; takes the same time whatever the answer.</summary>
    public bool IsSignedWith(string key)
    {
        Span<byte> secret = stackalloc byte[256];
        if (!Convert.TryFromBase64String(key, secret, out var length)) length = 0;
        var text = string.Create(CultureInfo.InvariantCulture, $"{Resource}\n{ExpirySeconds}");
        var signed = Encoding.UTF8.GetBytes(text);
        var expected = HMACSHA256.HashData(secret[..length], signed);
        return CryptographicOperations.FixedTimeEquals(expected, Signature) && length > 0;
    }

    /// <summary>Whether it names one of the hub's names, and this device or a module of it.</summary>
    public bool IsFor(IReadOnlyList<string> hubNames, string deviceId)
    {
        var resource = Uri.UnescapeDataString(Resource);
        var slash = resource.IndexOf('/');
        if (slash < 0 || !hubNames.Contains(resource[..slash], StringComparer.OrdinalIgnoreCase)) return false;
        var path = resource[slash..];
        return IsDevice(path, deviceId) || IsDevice(Uri.UnescapeDataString(path), deviceId);
    }

    private static bool IsDevice(string path, string deviceId)
    {
        var device = $"/devices/{deviceId}";
        if (!path.StartsWith(device, StringComparison.Ordinal)) return false;
        var rest = path[device.Length..];
        const string modules = "/modules/";
        return rest.Length == 0 || (rest.StartsWith(modules, StringComparison.Ordinal)
            && DeviceId.IsValid(rest.AsSpan(modules.Length)));
    }
}
