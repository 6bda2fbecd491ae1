using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Millrace.Platform;

/// <summary>Where the API listens. Section "Http".</summary>
public sealed class HttpOptions
{
    /// <summary>The address; loopback unless told otherwise, for it is without TLS.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>The port; 0 takes any free one.</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 8080;

    /// <summary>Says that plain HTTP on an address other than loopback is wanted, behind a proxy that has
    /// TLS.</summary>
    public bool AllowPlainOnAnyAddress { get; set; }
}

/// <summary>Checks what attributes cannot say.</summary>
internal sealed class HttpOptionsValidator : IValidateOptions<HttpOptions>
{
    public ValidateOptionsResult Validate(string? name, HttpOptions options)
    {
        if (!IPAddress.TryParse(options.Address, out var address))
            return ValidateOptionsResult.Fail($"Http:Address is '{options.Address}'; it must be an IP address.");
        return IPAddress.IsLoopback(address) || options.AllowPlainOnAnyAddress
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"Http:Address is {address}, not loopback, without TLS; Http:AllowPlainOnAnyAddress allows it.");
    }
}

internal static class HttpListener
{
    public static void ListenHttp(this KestrelServerOptions kestrel)
    {
        var http = kestrel.ApplicationServices.GetRequiredService<IOptions<HttpOptions>>().Value;
        kestrel.Listen(IPAddress.Parse(http.Address), http.Port);
    }
}
