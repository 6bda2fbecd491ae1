using System.Globalization;
using Microsoft.AspNetCore.Http;
using Millrace.Registry.Identities;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Rest;

/// <summary>A device's state as HTTP names it: "generation-version".</summary>
internal static class DeviceETag
{
    public static string Of(DeviceIdentity identity) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{identity.GenerationId}-{identity.Version}\"");

    /// <summary>What If-Match asks for; null when the request is meant for whatever is there.</summary>
    public static ExpectedDevice? Expected(this HttpContext http)
    {
        if (http.Request.Headers.IfMatch.ToString() is not { Length: > 0 } tag || tag == "*") return null;
        var text = tag.Trim('"');
        var dash = text.LastIndexOf('-');
        return long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? new ExpectedDevice(dash < 0 ? null : text[..dash], version)
            : throw RegistryErrors.RequestInvalid.With(tag, "If-Match takes the device's ETag.").AsException();
    }
}
