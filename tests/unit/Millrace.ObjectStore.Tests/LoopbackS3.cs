using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.TestKit;
using Millrace.TestKit.Network;

namespace Millrace.ObjectStore.Tests;

/// <summary>A request by the name that S3 has for it.</summary>
/// <param name="Key">Empty for one about the bucket.</param>
/// <param name="IsConditional">It says If-None-Match.</param>
internal sealed record S3Request(string Name, string Key, bool IsConditional);

/// <summary>What the store says instead of doing it.</summary>
internal sealed record S3Refusal(int Status, string Code);

/// <summary>
/// A bucket on loopback with as much of S3 as the platform asks for, and with the weaknesses that a test gives it.
/// </summary>
internal sealed class LoopbackS3 : IAsyncDisposable
{
    private const string Path = "/hub";

    private readonly ConcurrentDictionary<string, S3Upload> _uploads = new();
    private readonly ConcurrentDictionary<string, string> _writes = new();
    private LoopbackHttp _http = null!;

    private LoopbackS3()
    {
    }

    /// <summary>Asked for each request; null: it is done.</summary>
    public Func<S3Request, S3Refusal?> Refuses { get; set; } = _ => null;

    /// <summary>False for a store to which If-None-Match means nothing.</summary>
    public bool HasConditions { get; set; } = true;

    /// <summary>The clock of the process that uses the store.</summary>
    public ShiftedTime Time { get; } = new();

    /// <summary>The names of objects in the bucket.</summary>
    public ICollection<string> Objects => _writes.Keys;

    /// <summary>The names of objects whose upload has begun and is neither done nor aborted.</summary>
    public IEnumerable<string> Unfinished => _uploads.Values.Select(upload => upload.Key).Order();

    public static async Task<LoopbackS3> StartAsync()
    {
        var store = new LoopbackS3();
        store._http = await LoopbackHttp.StartAsync(store.AnswerAsync);
        return store;
    }

    /// <summary>An upload that another process began.</summary>
    public void Begin(string key, TimeSpan age) =>
        _uploads[$"{Guid.NewGuid():N}"] = new S3Upload(key, "", TimeProvider.System.GetUtcNow() - age);

    /// <summary>An object that another program put.</summary>
    public void Put(string key) => _writes[key] = "";

    /// <summary>The services of a process with its archive in the bucket, below the prefix hub-1.</summary>
    public ServiceProvider Process() => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ObjectStore:Kind"] = "S3",
            ["ObjectStore:S3:Endpoint"] = _http.Address,
            ["ObjectStore:S3:Bucket"] = "hub",
            ["ObjectStore:S3:Prefix"] = "hub-1",
            ["ObjectStore:S3:PartSize"] = "5MiB",
            ["ObjectStore:S3:RetriesMax"] = "0",
            ["ObjectStore:S3:Credentials:AccessKey"] = "key",
            ["ObjectStore:S3:Credentials:SecretKey"] = "secret",
        }).Build())
        .AddLogging()
        .AddSingleton<TimeProvider>(Time)
        .AddS3Options()
        .AddS3ObjectStore()
        .BuildServiceProvider();

    public ValueTask DisposeAsync() => _http.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        var key = Uri.UnescapeDataString(request.Path.Value![Path.Length..]).TrimStart('/');
        var named = new S3Request(NameOf(request, key), key, request.Headers.IfNoneMatch.Count > 0);
        await request.Body.CopyToAsync(Stream.Null);
        if (Refuses(named) is { } refusal)
        {
            await RefuseAsync(context, refusal);
            return;
        }

        await DoAsync(context, named);
    }

    private static string NameOf(HttpRequest request, string key) => request.Method switch
    {
        "GET" when request.Query.ContainsKey("uploads") => "ListMultipartUploads",
        "GET" when key.Length == 0 => "ListObjectsV2",
        "HEAD" => "HeadObject",
        "POST" when request.Query.ContainsKey("uploads") => "CreateMultipartUpload",
        "POST" => "CompleteMultipartUpload",
        "PUT" when request.Query.ContainsKey("partNumber") => "UploadPart",
        "PUT" => "PutObject",
        "DELETE" when request.Query.ContainsKey("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        _ => request.Method,
    };

    private Task DoAsync(HttpContext context, S3Request request)
    {
        var (response, id) = (context.Response, context.Request.Query["uploadId"].ToString());
        switch (request.Name)
        {
            case "ListObjectsV2":
                return response.WriteAsync("<ListBucketResult></ListBucketResult>");
            case "ListMultipartUploads":
                return response.WriteAsync(PageOf(context.Request.Query));
            case "PutObject":
                if (!TryPut(request, WriteNameOf(context))) return RefuseAsync(context, new(412, "PreconditionFailed"));
                response.Headers.ETag = "\"1\"";
                return Task.CompletedTask;
            case "CreateMultipartUpload":
                var begun = $"{Guid.NewGuid():N}";
                _uploads[begun] = new S3Upload(request.Key, WriteNameOf(context), TimeProvider.System.GetUtcNow());
                return response.WriteAsync("<InitiateMultipartUploadResult>"
                    + $"<UploadId>{begun}</UploadId></InitiateMultipartUploadResult>");
            case "UploadPart":
                response.Headers.ETag = "\"1\"";
                return Task.CompletedTask;
            case "CompleteMultipartUpload":
                if (!TryPut(request, _uploads[id].WriteName))
                    return RefuseAsync(context, new(412, "PreconditionFailed"));
                _uploads.TryRemove(id, out _);
                return response.WriteAsync("<CompleteMultipartUploadResult><ETag>\"1\"</ETag>"
                    + "</CompleteMultipartUploadResult>");
            case "HeadObject" when _writes.TryGetValue(request.Key, out var name):
                response.Headers["x-amz-meta-millrace-write"] = name;
                return Task.CompletedTask;
            case "AbortMultipartUpload" when _uploads.TryRemove(id, out _):
            case "DeleteObject" when _writes.TryRemove(request.Key, out _):
                response.StatusCode = StatusCodes.Status204NoContent;
                return Task.CompletedTask;
            default:
                response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
        }
    }

    private static string WriteNameOf(HttpContext context) =>
        context.Request.Headers["x-amz-meta-millrace-write"].ToString();

    private bool TryPut(S3Request request, string writeName)
    {
        if (request.IsConditional && HasConditions) return _writes.TryAdd(request.Key, writeName);
        _writes[request.Key] = writeName;
        return true;
    }

    /// <summary>One upload, so that whoever looks for all has to turn pages.</summary>
    private string PageOf(IQueryCollection query)
    {
        var after = query["upload-id-marker"].ToString();
        var left = _uploads.Where(upload => upload.Value.Key.StartsWith(query["prefix"].ToString())
            && string.CompareOrdinal(upload.Key, after) > 0).OrderBy(upload => upload.Key, StringComparer.Ordinal);
        var text = new StringBuilder("<ListMultipartUploadsResult>");
        foreach (var (id, upload) in left.Take(1))
        {
            text.Append($"<IsTruncated>{(left.Count() > 1 ? "true" : "false")}</IsTruncated>")
                .Append($"<NextKeyMarker>{upload.Key}</NextKeyMarker><NextUploadIdMarker>{id}</NextUploadIdMarker>")
                .Append($"<Upload><Key>{upload.Key}</Key><UploadId>{id}</UploadId>")
                .Append($"<Initiated>{upload.BegunAt:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}</Initiated></Upload>");
        }

        return text.Append("</ListMultipartUploadsResult>").ToString();
    }

    private static Task RefuseAsync(HttpContext context, S3Refusal refusal)
    {
        context.Response.StatusCode = refusal.Status;
        return context.Response.WriteAsync(
            $"<Error><Code>{refusal.Code}</Code><Message>It is refused for the test.</Message></Error>");
    }

    private sealed record S3Upload(string Key, string WriteName, DateTimeOffset BegunAt);
}
