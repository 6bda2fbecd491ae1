using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Millrace.Mqtt;
using MQTTnet;
using MQTTnet.Formatter;

namespace Millrace.Gateway.Bridge.Link;

/// <summary>What MQTTnet's client is to do, with the files as they are now.</summary>
internal static class BridgeClientOptions
{
    /// <summary>Fails with GW-0102 when a file cannot be used.</summary>
    public static MqttClientOptions Of(BridgeOptions options)
    {
        var builder = new MqttClientOptionsBuilder()
            .WithTcpServer(options.Host, options.PortOrDefault)
            .WithClientId(options.ClientIdOrDefault)
            .WithCleanStart(options.CleanStart)
            .WithKeepAlivePeriod(options.KeepAlive)
            .WithTimeout(options.ConnectTimeout)
            .WithTryPrivate(false);
        if (options.UserName.Length > 0) builder.WithCredentials(options.UserName, Password(options));
        if (options.Tls.Enabled) builder.WithTlsOptions(tls => Tls(tls, options.Tls));
        if (options.Version == MqttVersion.V311) return builder.WithProtocolVersion(MqttProtocolVersion.V311).Build();
        return builder.WithProtocolVersion(MqttProtocolVersion.V500)
            .WithSessionExpiryInterval(options.CleanStart ? 0 : (uint)options.SessionExpiry.TotalSeconds)
            .WithReceiveMaximum((ushort)options.InFlightMax)
            .WithMaximumPacketSize((uint)options.PacketBytesMax.Bytes)
            .Build();
    }

    private static byte[] Password(BridgeOptions options) => options.PasswordFile.Length == 0
        ? Encoding.UTF8.GetBytes(options.Password)
        : Encoding.UTF8.GetBytes(Read(options.PasswordFile, File.ReadAllText).TrimEnd('\r', '\n'));

    /// <summary>Whoever names a root trusts that one alone; who has revoked what, it does not say.</summary>
    private static void Tls(MqttClientTlsOptionsBuilder tls, BridgeTlsOptions options)
    {
        tls.UseTls();
        if (options.ServerName.Length > 0) tls.WithTargetHost(options.ServerName);
        if (options.CaFile.Length > 0)
        {
            var roots = new X509Certificate2Collection();
            Read(options.CaFile, path =>
            {
                roots.ImportFromPemFile(path);
                return roots.Count > 0 ? roots : throw new CryptographicException("It has no certificate.");
            });
            tls.WithTrustChain(roots).WithRevocationMode(X509RevocationMode.NoCheck);
        }

        if (options.CertificateFile.Length > 0)
        {
            tls.WithClientCertificates([Read(options.CertificateFile,
                path => X509Certificate2.CreateFromPemFile(path, options.KeyFile))]);
        }
    }

    private static T Read<T>(string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception failure)
            when (failure is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw BridgeErrors.FileUnusable.With(path, failure.Message).AsException(failure);
        }
    }
}
