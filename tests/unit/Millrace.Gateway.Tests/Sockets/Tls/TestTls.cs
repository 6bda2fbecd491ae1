using System.Buffers;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Gateway.Listeners;
using Millrace.Gateway.Sockets;
using Millrace.Gateway.Sockets.Tls;

namespace Millrace.Gateway.Tests.Sockets.Tls;

/// <summary>A server's certificate, and its side of a handshake.</summary>
internal static class TestTls
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static readonly X509Certificate2 Server = NewCertificate("server");

    public static readonly GatewayMetrics Metrics = new(
        new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>());

    public static readonly TlsContext Context = NewContext(new TlsListenerOptions());

    public static TlsContext NewContext(TlsListenerOptions options, X509Certificate2? certificate = null) =>
        new(SslStreamCertificateContext.Create(certificate ?? Server, null, offline: true), options, Metrics);

    public static X509Certificate2 NewCertificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(From, From.AddYears(30));
    }

    /// <summary>A root, what stands between, and a server's certificate.</summary>
    public static (X509Certificate2 Root, X509Certificate2 Between, X509Certificate2 Server) NewChain()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = Authority("root", rootKey).CreateSelfSigned(From, From.AddYears(30));
        using var betweenKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var between = Authority("between", betweenKey).Create(root, From, From.AddYears(20), [1])
            .CopyWithPrivateKey(betweenKey);
        using var key = RSA.Create(2_048);
        var request = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var leaf = request.Create(
            between.SubjectName, X509SignatureGenerator.CreateForECDsa(betweenKey), From, From.AddYears(10), [2]);
        return (Public(root), Public(between), leaf.CopyWithPrivateKey(key));

        static X509Certificate2 Public(X509Certificate2 certificate) =>
            X509CertificateLoader.LoadCertificate(certificate.RawData);
    }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request;
    }

    /// <summary>Secures the socket; the session is null when the handshake fails.</summary>
    public static async Task<TlsSession?> SecureAsync(LoopSocket socket, TlsContext context)
    {
        var tls = context.Open(socket.Descriptor);
        while (true)
        {
            var read = await socket.Input.ReadAsync();
            var received = read.Buffer.ToArray();
            socket.Input.AdvanceTo(read.Buffer.End);
            if (received.Length == 0) break;
            var step = tls.ShakeHands(received, out var answer);
            await socket.Output.WriteAsync(answer);
            if (step == HandshakeStep.Failed) break;
            if (step == HandshakeStep.More) continue;
            socket.Secure(tls);
            return tls;
        }

        tls.Dispose();
        return null;
    }
}
