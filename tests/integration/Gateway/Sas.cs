using System.Security.Cryptography;
using System.Text;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Makes tokens as the device SDKs do.</summary>
internal static class Sas
{
    public static string Token(string resource, string key, DateTimeOffset expiry)
    {
        var encoded = Uri.EscapeDataString(resource);
        var seconds = expiry.ToUnixTimeSeconds();
        var signed = HMACSHA256.HashData(
            Convert.FromBase64String(key), Encoding.UTF8.GetBytes($"{encoded}\n{seconds}"));
        var signature = Uri.EscapeDataString(Convert.ToBase64String(signed));
        return $"SharedAccessSignature sr={encoded}&sig={signature}&se={seconds}";
    }
}
