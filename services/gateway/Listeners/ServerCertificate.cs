using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Millrace.Primitives;

namespace Millrace.Gateway.Listeners;

/// <summary>
/// The certificate of a listener, read again when its files change: one that is renewed is shown to devices that
/// connect from then on. Files that cannot be used leave the one that is there in force.
/// </summary>
internal sealed class ServerCertificate
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly TimeProvider _time;
    private readonly GatewayMetrics _metrics;
    private readonly ILogger<ServerCertificate> _logger;
    private readonly Lock _lock = new();
    private volatile SslStreamCertificateContext _current;
    private long _lookedAt;
    private string _version;

    /// <summary>GW-0001 when the files cannot be used.</summary>
    public ServerCertificate(
        string listener, string certificateFile, string keyFile, TimeProvider time, GatewayMetrics metrics,
        ILogger<ServerCertificate> logger)
    {
        (_certificateFile, _keyFile, _time, _metrics, _logger) = (certificateFile, keyFile, time, metrics, logger);
        (_lookedAt, _version) = (time.GetTimestamp(), Version());
        _current = Load();
        metrics.CertificateShown(listener, () =>
            (Current.TargetCertificate.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime).TotalSeconds);
    }

    /// <summary>What a handshake that begins now shows.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            if (_time.GetElapsedTime(Volatile.Read(ref _lookedAt)) >= LookInterval) Look();
            return _current;
        }
    }

    private void Look()
    {
        lock (_lock)
        {
            if (_time.GetElapsedTime(_lookedAt) < LookInterval) return;
            Volatile.Write(ref _lookedAt, _time.GetTimestamp());
            try
            {
                var version = Version();
                if (version == _version) return;
                _current = Load();
                _version = version;
                _metrics.CertificateRead("used");
                _logger.CertificateRenewed(_current.TargetCertificate.Subject, _current.TargetCertificate.NotAfter);
            }
            catch (MillraceException e)
            {
                _metrics.CertificateRead("unusable");
                _logger.CertificateNotRenewed(e.Error.Code, e.Message);
            }
        }
    }

    /// <summary>Changes with what the files hold, whatever times they bear: a copy may keep its source's.</summary>
    private string Version() => OfFiles(() => $"{Hash(_certificateFile)} {Hash(_keyFile)}");

    private static string Hash(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));

    private SslStreamCertificateContext Load() => OfFiles(() =>
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(_certificateFile);
        return SslStreamCertificateContext.Create(
            X509Certificate2.CreateFromPemFile(_certificateFile, _keyFile), chain, offline: true);
    });

    private T OfFiles<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception cause) when (cause is IOException or CryptographicException or UnauthorizedAccessException
            or ArgumentException)
        {
            throw GatewayErrors.CertificateUnusable
                .With($"{_certificateFile}, {_keyFile}", cause.Message).AsException(cause);
        }
    }
}
