using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Millrace.Batch.SparkConnect.Protocol;

namespace Millrace.Batch.SparkConnect;

/// <summary>A server of Spark Connect, and the connection to it. Opens sessions. Safe for many threads.</summary>
internal sealed class SparkClient : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly Metadata _headers = [];

    public SparkClient(SparkAddress address, SparkOptions options, TimeProvider time)
    {
        Options = options;
        Time = time;
        User = address.User ?? options.User;
        Agent = address.UserAgent ?? "millrace";
        var token = address.Token ?? (options.TokenFile is { } file ? File.ReadAllText(file).Trim() : null);
        if (token is not null) _headers.Add("authorization", $"Bearer {token}");
        foreach (var (name, value) in address.Headers) _headers.Add(name, value);
        _channel = GrpcChannel.ForAddress(address.Uri, new GrpcChannelOptions
        {
            HttpHandler = Handler(options),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = (int)Math.Min(options.MessageMax.Bytes, int.MaxValue),
            MaxSendMessageSize = (int)Math.Min(options.MessageMax.Bytes, int.MaxValue),

            // How long to wait after a failure is decided here alone: else the channel refuses what is tried again.
            InitialReconnectBackoff = options.ReattachDelay,
            MaxReconnectBackoff = options.ReattachDelay,
        });
        Rpc = new SparkConnectService.SparkConnectServiceClient(_channel);
    }

    public SparkOptions Options { get; }

    public TimeProvider Time { get; }

    public string User { get; }

    /// <summary>What the server's log calls this program.</summary>
    public string Agent { get; }

    public SparkConnectService.SparkConnectServiceClient Rpc { get; }

    /// <param name="tags">Names by which all that the session runs can be interrupted; no commas in them.</param>
    public SparkSession OpenSession(params IReadOnlyList<string> tags) => new(this, Guid.NewGuid().ToString(), tags);

    /// <summary>A request that takes as long as its caller has patience.</summary>
    public CallOptions Long(CancellationToken ct) => new(_headers, cancellationToken: ct);

    /// <summary>A request that the server answers at once.</summary>
    public CallOptions Short(CancellationToken ct) =>
        new(_headers, Time.GetUtcNow().UtcDateTime + Options.RequestTimeout, ct);

    public void Dispose() => _channel.Dispose();

    private static SocketsHttpHandler Handler(SparkOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            ConnectTimeout = options.PingTimeout,
            KeepAlivePingDelay = options.PingTimeout,
            KeepAlivePingTimeout = options.PingTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        };
        if (options.CaFile is { } file)
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(file);
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return handler;
    }
}
