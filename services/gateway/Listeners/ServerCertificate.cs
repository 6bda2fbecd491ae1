using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Millrace.Gateway.Sockets.Tls;
using Millrace.Primitives;

namespace Millrace.Gateway.Listeners;

/// <summary>
/// The certificate of a listener, read again when its files change: one that is renewed is shown to devices that
/// connect from then on. Files that cannot be used leave the one that is there in force.
/// </summary>
internal sealed class ServerCertificate
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    /// <summary>For so long the key of the tickets, by which event loops resume sessions, is the same.</summary>
    private static readonly TimeSpan ContextLife = TimeSpan.FromDays(1);

    private readonly TlsListenerOptions _options;
    private readonly bool _isOnLoops;
    private readonly TimeProvider _time;
    private readonly GatewayMetrics _metrics;
    private readonly ILogger<ServerCertificate> _logger;
    private readonly Lock _lock = new();
    private volatile Shown _shown;
    private long _lookedAt;
    private string _version;

    /// <summary>GW-0001 when the files cannot be used.</summary>
    public ServerCertificate(
        string listener, TlsListenerOptions options, bool isOnLoops, TimeProvider time, GatewayMetrics metrics,
        ILogger<ServerCertificate> logger)
    {
        (_options, _isOnLoops, _time, _metrics, _logger) = (options, isOnLoops, time, metrics, logger);
        (_lookedAt, _version) = (time.GetTimestamp(), Version());
        _shown = Load();
        metrics.CertificateShown(listener, () =>
            (Current.TargetCertificate.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime).TotalSeconds);
    }

    /// <summary>What a handshake that begins now shows.</summary>
    public SslStreamCertificateContext Current => Now().Certificate;

    /// <summary>The same for a handshake on event loops.</summary>
    public TlsContext OnLoops => Now().OnLoops!;

    private Shown Now()
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _lookedAt)) >= LookInterval) Look();
        return _shown;
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
                var isSame = version == _version;
                if (isSame && (!_isOnLoops || _time.GetElapsedTime(_shown.MadeAt) < ContextLife)) return;
                _shown = Load();
                _version = version;
                if (isSame) return;
                _metrics.CertificateRead("used");
                _logger.CertificateRenewed(Current.TargetCertificate.Subject, Current.TargetCertificate.NotAfter);
            }
            catch (MillraceException e)
            {
                _metrics.CertificateRead("unusable");
                _logger.CertificateNotRenewed(e.Error.Code, e.Message);
            }
        }
    }

    /// <summary>Changes with what the files hold, whatever times they bear: a copy may keep its source's.</summary>
    private string Version() => OfFiles(() => $"{Hash(_options.CertificateFile)} {Hash(_options.KeyFile)}");

    private static string Hash(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));

    private Shown Load() => OfFiles(() =>
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(_options.CertificateFile);
        var certificate = SslStreamCertificateContext.Create(
            X509Certificate2.CreateFromPemFile(_options.CertificateFile, _options.KeyFile), chain, offline: true);
        var onLoops = _isOnLoops ? new TlsContext(certificate, _options, _metrics) : null;
        return new Shown(certificate, onLoops, _time.GetTimestamp());
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
                .With($"{_options.CertificateFile}, {_options.KeyFile}", cause.Message).AsException(cause);
        }
    }

    private sealed record Shown(SslStreamCertificateContext Certificate, TlsContext? OnLoops, long MadeAt);
}
