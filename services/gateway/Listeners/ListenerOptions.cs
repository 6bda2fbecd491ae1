using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Security.Authentication;
using Millrace.Gateway.Sockets.Tls;
using Millrace.Primitives;

namespace Millrace.Gateway.Listeners;

/// <summary>A plain TCP listener.</summary>
public sealed class PlainListenerOptions
{
    public bool Enabled { get; set; } = true;

    /// <summary>An IP address, or localhost. Must be a loopback address unless that is allowed otherwise.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>0 lets the system choose.</summary>
    [Range(0, 65_535)]
    public int Port { get; set; } = 1883;

    /// <summary>
    /// Threads that read the sockets, each of them many (Linux; MQTT alone, not WebSocket). 0 leaves the sockets to
    /// Kestrel's transport.
    /// </summary>
    [Range(0, 1_024)]
    public int EventLoops { get; set; } = OperatingSystem.IsLinux() ? (Environment.ProcessorCount + 1) / 2 : 0;

    /// <summary>Lets keys and telemetry travel in the clear on any address.</summary>
    public bool AllowPlainOnAnyAddress { get; set; }
}

/// <summary>A TLS listener.</summary>
public sealed class TlsListenerOptions
{
    /// <summary>Needs a certificate. Null: on as soon as there is one.</summary>
    public bool? Enabled { get; set; }

    /// <summary>An IP address, or localhost; 0.0.0.0 and :: are all addresses.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>0 lets the system choose.</summary>
    [Range(0, 65_535)]
    public int Port { get; set; } = 8883;

    /// <summary>PEM: the server's certificate, and those between it and the root, in this order.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM: the private key of the server's certificate.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>The oldest TLS version that is spoken: Tls12 or Tls13.</summary>
    [AllowedValues(SslProtocols.Tls12, SslProtocols.Tls13)]
    public SslProtocols TlsMin { get; set; } = SslProtocols.Tls12;

    /// <summary>Whether clients are asked for a certificate, which they may leave out.</summary>
    public bool ClientCertificates { get; set; } = true;

    /// <summary>How long the TLS handshake may take.</summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Threads that read the sockets, each of them many (Linux with OpenSSL 3; MQTT alone, not WebSocket). 0 leaves the
    /// sockets to Kestrel's transport.
    /// </summary>
    [Range(0, 1_024)]
    public int EventLoops { get; set; } = OperatingSystem.IsLinux() ? (Environment.ProcessorCount + 1) / 2 : 0;

    /// <summary>
    /// With event loops: what TLS keeps at most for a connection that takes nothing, records and its answers to what
    /// the peer asks of TLS. Who asks for more is closed.
    /// </summary>
    public ByteSize UnsentBytesMax { get; set; } = ByteSize.FromKiB(32);

    internal bool IsEnabled => Enabled ?? CertificateFile.Length > 0;

    /// <summary>Whether this system has what event loops need, unless a test says otherwise.</summary>
    internal bool HasOpenSsl { get; set; } = OpenSsl.IsThere;

    internal bool IsOnLoops => IsEnabled && EventLoops > 0 && HasOpenSsl;

    internal TlsListenerOptions OrCertificateOf(TlsListenerOptions other)
    {
        if (CertificateFile.Length > 0 || KeyFile.Length > 0) return this;
        return new TlsListenerOptions
        {
            Enabled = Enabled,
            Address = Address,
            Port = Port,
            CertificateFile = other.CertificateFile,
            KeyFile = other.KeyFile,
            TlsMin = TlsMin,
            ClientCertificates = ClientCertificates,
            HandshakeTimeout = HandshakeTimeout,
            EventLoops = EventLoops,
            UnsentBytesMax = UnsentBytesMax,
        };
    }
}

internal static class ListenerAddress
{
    public static bool TryParse(string text, out IPAddress address)
    {
        address = IPAddress.Loopback;
        return text == "localhost" || IPAddress.TryParse(text, out address!);
    }

    public static IPEndPoint EndPoint(string address, int port) =>
        new(TryParse(address, out var parsed) ? parsed : IPAddress.Loopback, port);
}
