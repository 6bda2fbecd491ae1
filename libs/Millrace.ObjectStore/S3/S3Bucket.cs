using System.Net;
using System.Net.Sockets;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Millrace.Primitives;

namespace Millrace.ObjectStore.S3;

/// <summary>The client and the bucket of a process, and how what goes wrong there is told.</summary>
internal sealed class S3Bucket : IDisposable
{
    private readonly string _prefix;

    public S3Bucket(S3ObjectStoreOptions options, ObjectStoreMetrics metrics, TimeProvider time)
    {
        (Options, Metrics, Time) = (options, metrics, time);
        _prefix = options.Prefix.Length == 0 ? "" : options.Prefix + "/";
        var clients = new S3Clients(options.CaFile, options.RequestTimeout, time);
        Client = new AmazonS3Client(S3Credentials.Of(options, clients), ConfigOf(options, clients));
    }

    public AmazonS3Client Client { get; }

    public S3ObjectStoreOptions Options { get; }

    public ObjectStoreMetrics Metrics { get; }

    public TimeProvider Time { get; }

    public string Name => Options.Bucket;

    /// <summary>The name in the bucket of what is <paramref name="key"/> to us; also of the start of a key.</summary>
    public string NameOf(string key) => _prefix + key;

    public string KeyOf(string name) => name[_prefix.Length..];

    public static bool IsMissing(Exception e) =>
        e is AmazonS3Exception { StatusCode: HttpStatusCode.NotFound, ErrorCode: not "NoSuchBucket" };

    /// <summary>Whether it is what a request to the store may end with, when nobody cancelled it.</summary>
    public static bool IsFailure(Exception e, CancellationToken ct) => e switch
    {
        OperationCanceledException => !ct.IsCancellationRequested,
        AmazonServiceException or AmazonClientException or HttpRequestException or IOException => true,

        // A connection that is reset while it is made comes through the SDK as it is.
        SocketException or TimeoutException => true,
        _ => false,
    };

    public MillraceException WriteFailed(string key, Exception e)
    {
        Metrics.Failed();
        return ObjectStoreErrors.WriteFailed.With(key, Said(e)).AsException(e);
    }

    public MillraceException ReadFailed(string key, Exception e)
    {
        Metrics.Failed();
        return ObjectStoreErrors.ReadFailed.With(key, Said(e)).AsException(e);
    }

    /// <summary>What the store said, or why it said nothing.</summary>
    public static string Said(Exception e) => e switch
    {
        AmazonServiceException { ErrorCode.Length: > 0 } service => $"{service.ErrorCode}: {service.Message}",
        OperationCanceledException or TimeoutException => "It did not answer in time.",
        _ => e.GetBaseException().Message,
    };

    public void Dispose() => Client.Dispose();

    private static AmazonS3Config ConfigOf(S3ObjectStoreOptions options, S3Clients clients)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.PathStyle ?? options.Endpoint is not null,
            Timeout = options.RequestTimeout,
            MaxErrorRetry = options.RetriesMax,
            RetryMode = RequestRetryMode.Standard,
            ThrottleRetries = false,
            HttpClientFactory = clients,

            // What is signed covers the content; not every store knows the newer checksums.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (options.Endpoint is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        }
        else
        {
            config.ServiceURL = options.Endpoint;
            config.AuthenticationRegion = options.Region;
        }

        return config;
    }
}
