using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Millrace.TestKit.Servers;

namespace Millrace.TestKit.Network;

/// <summary>An HTTP server on loopback that answers as a test says.</summary>
public sealed class LoopbackHttp : IAsyncDisposable
{
    private const string Name = "localhost";

    private readonly WebApplication _app;

    private LoopbackHttp(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single().Replace("https://127.0.0.1", $"https://{Name}");

    /// <param name="authority">Signs its certificate; without one it speaks plainly.</param>
    public static async Task<LoopbackHttp> StartAsync(RequestDelegate answer, TestAuthority? authority = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
        {
            if (authority is not null) endpoint.UseHttps(CertificateOf(authority));
        }));
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return new LoopbackHttp(app);
    }

    private static X509Certificate2 CertificateOf(TestAuthority authority)
    {
        var (certificate, key) = authority.Sign(Name);
        return X509Certificate2.CreateFromPem(certificate, key);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
