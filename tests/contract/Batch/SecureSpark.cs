using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Batch;

/// <summary>
/// Stands before a Spark server as the gateways of clusters do: TLS, and calls are let through that show the token.
/// </summary>
internal sealed class SecureSpark : IAsyncDisposable
{
    public const string Token = "open-sesame";

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _spark;
    private readonly WebApplication _app;

    private SecureSpark(string remote)
    {
        _spark = new HttpClient
        {
            BaseAddress = new Uri(remote.Replace("sc://", "http://")),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var certificate = Certificate();
        File.WriteAllText(CaFile, certificate.ExportCertificatePem());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.UseHttps(certificate);
            });
        });
        _app = builder.Build();
        _app.Run(PassOnAsync);
    }

    /// <summary>The authority that signed the certificate.</summary>
    public string CaFile => _folder.Sub("ca.pem");

    /// <summary>host:port</summary>
    public string Address
    {
        get
        {
            var features = _app.Services.GetRequiredService<IServer>().Features;
            return features.Get<IServerAddressesFeature>()!.Addresses.Single().Replace("https://", "");
        }
    }

    public static async Task<SecureSpark> StartAsync(string remote)
    {
        var secure = new SecureSpark(remote);
        await secure._app.StartAsync();
        return secure;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _spark.Dispose();
        _folder.Dispose();
    }

    private async Task PassOnAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization != $"Bearer {Token}")
        {
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["grpc-status"] = "16";
            return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, context.Request.Path.Value)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new StreamContent(context.Request.Body),
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Content.Headers.TryAddWithoutValidation("content-type", context.Request.ContentType);
        using var response = await _spark.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        foreach (var (name, values) in response.Headers) context.Response.Headers[name] = values.ToArray();
        context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        await context.Response.StartAsync(context.RequestAborted);
        await using var body = await response.Content.ReadAsStreamAsync(context.RequestAborted);
        var buffer = new byte[64 * 1024];
        for (int read; (read = await body.ReadAsync(buffer, context.RequestAborted)) > 0;)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }

        var trailers = context.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers;
        foreach (var (name, values) in response.TrailingHeaders) trailers[name] = values.ToArray();
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=spark", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var from = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return request.CreateSelfSigned(from, from.AddYears(30));
    }
}
