using System.Security.Cryptography;
using System.Text;
using Millrace.Primitives;

namespace Millrace.Gateway.Authentication;

/// <summary>The device id of a client without a credential: its client id where that is one.</summary>
internal static class AnonymousName
{
    public static string Of(string clientId)
    {
        if (DeviceId.IsValid(clientId)) return clientId;
        if (clientId.Length == 0) return $"anonymous-{Guid.NewGuid():N}";
        return $"anonymous-{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(clientId)))}";
    }
}
