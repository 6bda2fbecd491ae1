using System.Net;
using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Millrace.ObjectStore.S3;

/// <summary>
/// Objects in a bucket. S3 itself has the port's promises: an object appears whole when its put or the last step of its
/// upload in parts succeeds, and a put may be bound to the key being free.
/// </summary>
internal sealed partial class S3ObjectStore(S3Bucket bucket) : IObjectStore
{
    /// <summary>Before the second try to read; doubles each time.</summary>
    private static readonly TimeSpan ReadPause = TimeSpan.FromMilliseconds(20);

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken ct = default) => ReadAsync(key, null, ct);

    public async ValueTask<byte[]?> GetRangeAsync(
        string key, long offset, int count, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count > 0) return await ReadAsync(key, new ByteRange(offset, offset + count - 1), ct).ConfigureAwait(false);
        return await FindAsync(key, ct).ConfigureAwait(false) is null ? null : [];
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, string? after = null, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var folder = prefix[..(prefix.LastIndexOf('/') + 1)];
        if (folder.Length > 0) ObjectKey.Check(folder[..^1]);
        var request = new ListObjectsV2Request
        {
            BucketName = bucket.Name,
            Prefix = bucket.NameOf(prefix),
            StartAfter = after is null ? null : bucket.NameOf(after),
        };
        do
        {
            var page = await PageAsync(request, prefix, ct).ConfigureAwait(false);
            foreach (var found in page.S3Objects ?? [])
            {
                var key = bucket.KeyOf(found.Key);
                if (!ObjectKey.IsValid(key)) continue;
                yield return new ObjectInfo(key, found.Size ?? 0, UtcOf(found.LastModified));
            }

            request.ContinuationToken = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (request.ContinuationToken is not null);
    }

    public async ValueTask<ObjectInfo?> FindAsync(string key, CancellationToken ct = default)
    {
        ObjectKey.Check(key);
        try
        {
            return await HeadAsync(key, ct).ConfigureAwait(false) is { } head
                ? new ObjectInfo(key, head.ContentLength, UtcOf(head.LastModified))
                : null;
        }
        catch (Exception e) when (S3Bucket.IsFailure(e, ct))
        {
            throw bucket.ReadFailed(key, e);
        }
    }

    public async ValueTask DeleteAsync(string key, CancellationToken ct = default)
    {
        ObjectKey.Check(key);
        try
        {
            await bucket.Client.DeleteObjectAsync(bucket.Name, bucket.NameOf(key), ct).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Bucket.IsMissing(e))
        {
            // It may be deleted again.
        }
        catch (Exception e) when (S3Bucket.IsFailure(e, ct))
        {
            throw bucket.WriteFailed(key, e);
        }
    }

    public string? LocalPath(string key) => null;

    /// <summary>
    /// The whole object or a part; the client's own tries end where the content begins, so it is ours to try again when
    /// that breaks off, or is not what the head said because the object was replaced in between.
    /// </summary>
    private async ValueTask<byte[]?> ReadAsync(string key, ByteRange? range, CancellationToken ct)
    {
        ObjectKey.Check(key);
        var request = new GetObjectRequest
        {
            BucketName = bucket.Name,
            Key = bucket.NameOf(key),
            ByteRange = range,
        };
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var answer = await bucket.Client.GetObjectAsync(request, ct).ConfigureAwait(false);
                var content = new byte[answer.ContentLength];
                await answer.ResponseStream.ReadExactlyAsync(content, ct).ConfigureAwait(false);
                bucket.Metrics.Read(content.Length);
                return content;
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            {
                return [];
            }
            catch (Exception e) when (S3Bucket.IsMissing(e))
            {
                return null;
            }
            catch (Exception e) when (e is IOException or AmazonClientException
                && attempt < bucket.Options.RetriesMax && !ct.IsCancellationRequested)
            {
                await Task.Delay(ReadPause * (1 << attempt), bucket.Time, ct).ConfigureAwait(false);
            }
            catch (Exception e) when (S3Bucket.IsFailure(e, ct))
            {
                throw bucket.ReadFailed(key, e);
            }
        }
    }

    private async Task<ListObjectsV2Response> PageAsync(
        ListObjectsV2Request request, string prefix, CancellationToken ct)
    {
        try
        {
            return await bucket.Client.ListObjectsV2Async(request, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Bucket.IsFailure(e, ct))
        {
            throw bucket.ReadFailed(prefix, e);
        }
    }

    /// <summary>What the store says of the object; null when there is none.</summary>
    private async ValueTask<GetObjectMetadataResponse?> HeadAsync(string key, CancellationToken ct)
    {
        try
        {
            return await bucket.Client.GetObjectMetadataAsync(bucket.Name, bucket.NameOf(key), ct)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (S3Bucket.IsMissing(e))
        {
            return null;
        }
    }

    private static DateTimeOffset UtcOf(DateTime? time) => time is { } known
        ? new DateTimeOffset(known.ToUniversalTime(), TimeSpan.Zero)
        : DateTimeOffset.UnixEpoch;
}
